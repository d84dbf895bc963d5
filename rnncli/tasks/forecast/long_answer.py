"""A forecast of many series, made some series at a time while it is written: never all of it is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.load import Loaded
from rnncli.data.noted import Notes
from rnncli.data.panel import Panel
from rnncli.data.statistics import Drift
from rnncli.data.writers.forecasts import block_size, results_of_parts
from rnncli.data.writers.results import Results, Style
from rnncli.data.writers.table import ForecastTable, in_blocks
from rnncli.errors import InputRefused, InputStale, RnncliError, SeriesRefused
from rnncli.outline import Outline
from rnncli.spec import Columns
from rnncli.tasks.answer import Writable
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.tabled import SCHEMA, Point, remarks_of, table_of
from rnncli.tasks.reading import refusal_of, without_bad

AT_ONCE = 8_192  # series
LONG = 1 << 22  # numbers; a forecast of fewer is made at once


BOUNDS, STALE, UNSEEN = "bounds", "stale", "unseen"
REASONS: dict[str, type[RnncliError]] = {BOUNDS: InputRefused, STALE: InputStale, UNSEEN: InputRefused}  # in turn


@dataclass
class Noticed:
    """What has been noticed of the series that have gone by: notes, values unlike those of training, series that were
    skipped, drift; whether such as cannot be used are skipped, and those `bad` ones for each reason.
    """

    skip: bool
    notes: Notes = field(default_factory=Notes)
    unlike: Notes = field(default_factory=Notes)
    skipped: list[SeriesRefused] = field(default_factory=list)
    drift: Drift | None = None
    bad: dict[str, list[SeriesRefused]] = field(default_factory=lambda: {reason: [] for reason in REASONS})

    def usable(self, loaded: Loaded, bad: list[SeriesRefused], reason: str) -> Loaded | None:
        """The data without the series that cannot be used for a reason; None where none is left or, unless such are
        skipped, where any is bad so far for this reason or one before it: they are only counted from then on.
        """
        self.bad[reason] += bad
        if self.skip:
            self.skipped += bad
            if len(bad) == len(loaded.panel):
                return None
            return without_bad(loaded, bad, REASONS[reason], _unheard, skip=True)
        before = list(REASONS)[: list(REASONS).index(reason) + 1]
        return None if any(self.bad[one] for one in before) else loaded

    def refuse(self, *reasons: str) -> None:
        """An error about all series that cannot be used for the first of these reasons, unless they are skipped."""
        for reason in () if self.skip else reasons:
            if self.bad[reason]:
                raise refusal_of(self.bad[reason], REASONS[reason]) from self.bad[reason][0]

    def none_left(self) -> RnncliError:
        """The error where no series can be used."""
        last = next((reason for reason in reversed(REASONS) if self.bad[reason]), None)
        return self.skipped[-1] if last is None else refusal_of(self.bad[last], REASONS[last])

    def add_drift(self, found: Drift | None) -> None:
        """The drift of further series."""
        self.drift = found if self.drift is None or found is None else self.drift.with_more(found)


def _unheard(_: object) -> None:
    """What is skipped is told when all is written."""


@dataclass
class LongForecast(Writable):
    """A forecast that is written and then gone; what was `noticed`, and how many `series` there are, is known then.

    `parts` are the data, with whole series in each, `quantiles` gives what is forecast of one [series, steps, trained
    levels], and `ended` is called after the last of them.
    """

    parts: Iterable[Loaded]
    quantiles: Callable[[Panel], Floats]
    ended: Callable[[], None]
    noticed: Noticed
    model: Forecaster
    columns: Columns
    steps: int
    levels: tuple[float, ...]
    point: Point
    beyond_trained_from: int | None = None
    series: int = 0
    _odd: ForecastTable | None = field(default=None, repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each thing that was noticed in the data."""
        return self.noticed.notes.lines()

    @property
    def skipped(self) -> tuple[SeriesRefused, ...]:
        """Series that have no forecast."""
        return tuple(self.noticed.skipped)

    @property
    def rows(self) -> int:
        """The number of rows that have been written."""
        return self.series * self.steps

    def results(self, style: Style) -> Results:
        """The table as writers take it, which can be taken once."""
        return results_of_parts(self._tables, self.columns, self.model.calendar, style)

    def _tables(self) -> Iterator[ForecastTable]:
        yield from in_blocks(self._made(), block_size(self.steps))
        if not self.series and self.noticed.skip:
            raise self.noticed.none_left()
        self.ended()
        self.noticed.refuse(UNSEEN)

    def _made(self) -> Iterator[ForecastTable]:
        """The forecasts of each part, but those after a series of which nothing can be said, where that ends it all."""
        for part in self.parts:
            made = self.quantiles(part.panel)
            left = self.noticed.usable(part, self.model.unseen(part.panel, made), UNSEEN)
            if left is None:
                continue
            table = table_of(left, self.model, made[~np.isnan(made[:, 0, 0])], self.levels, self.point)
            self.series += len(table.ids)
            self._odd = self._odd or (table if remarks_of(table, "parquet") else None)
            yield table

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002
        """What is to be said of what has been written in a file of this format."""
        return () if self._odd is None else remarks_of(self._odd, format)

    def outline(self) -> Outline:
        """What was forecast."""
        facts = (("series", f"{self.series:,}"), ("horizon", f"{self.steps:,} steps, {self.rows:,} rows in all"))
        return Outline("Forecast", facts)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`, without the forecasts, which are written and gone."""
        drift = self.noticed.drift
        return {
            "schema": SCHEMA,
            "horizon": self.steps,
            "beyond_trained_from": self.beyond_trained_from,
            "quantiles": list(self.levels),
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "drift": None if drift is None else drift.to_json(),
            "notes": list(self.notes),
        }


def in_memory(loaded: Loaded, steps: int) -> Iterator[Loaded]:
    """The series that are loaded, some at a time."""
    size = min(block_size(steps), AT_ONCE)
    for begin in range(0, len(loaded.panel), size):
        yield replace(loaded.select(np.arange(begin, min(begin + size, len(loaded.panel)))), skipped=())
