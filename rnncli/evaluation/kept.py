"""The forecasts of a backtest beside what came, as a table that `evaluate --forecasts` scores again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints
from rnncli.data.calendar import Calendar
from rnncli.data.panel import Panel
from rnncli.data.sinks.sink import sink_of
from rnncli.data.writers.forecasts import block_size, origin_column
from rnncli.data.writers.results import Results, Style, StyleOptions
from rnncli.data.writers.table import (
    ForecastTable,
    arrow_table,
    has_hour_twice,
    in_blocks,
    null_where,
    number_array,
)
from rnncli.errors import InputRefused, UsageError
from rnncli.evaluation.backtest import Split
from rnncli.metrics.metric import Forecasts
from rnncli.outline import Outline, shown
from rnncli.spec import Columns

ORIGIN, STEP, ACTUAL = KEPT = ("origin", "step", "actual")


@shown
@dataclass(frozen=True)
class KeptForecasts:
    """Forecasts from N origins beside what came; the table is made when it is asked for.

    `series` [N] are places in `ids`, `origins` [N] ordinals of the last rows that were seen, `phases` [N] those of the
    series. Rows have the id and time columns of the data, `origin` (the time of the last row that was seen), `step`
    (from 1), `actual` (null where it is missing), `forecast` and a `q...` for each level.
    """

    ids: tuple[str, ...] = field(repr=False)
    series: Ints
    origins: Ints
    phases: Ints
    made: Forecasts
    columns: Columns
    calendar: Calendar

    @property
    def rows(self) -> int:
        """The number of rows of the table."""
        return int(self.made.point.size)

    def results(self, style: Style) -> Results:
        """The table as writers take it. UsageError for another shape, InputRefused where columns have one name."""
        return _results(lambda: iter([self.table()]), self.table().id_columns, self.columns, self.calendar, style)

    def to_arrow(self) -> Any:
        """The rows as a pyarrow table: series after series, of each the earliest origin first."""
        return _with_origins(self.table(), as_text=False)

    def to_pandas(self) -> Any:
        """The rows as a DataFrame; needs pandas."""
        return self.to_arrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that speaks Arrow: pandas, polars, DuckDB."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def write(self, path: str | os.PathLike[str], **style: Unpack[StyleOptions]) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""
        asked = Style(**style)
        return sink_of(path).write(self.results(asked), asked)

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002  # as users call it
        """What is to be said of the table in a file of this format."""
        if format not in ("csv", "jsonl") and has_hour_twice(self.table()):
            return ("an hour that the clock shows twice stands twice: such times have no offset, as in CSV",)
        return ()

    def outline(self) -> Outline:
        """What is in the table."""
        steps = self.made.point.shape[1]
        facts = [("forecasts", f"{len(self.series):,} of {steps:,} steps, {self.rows:,} rows in all")]
        return Outline("Forecasts of a backtest", facts, more="to_arrow(), to_pandas() and write(path) have all rows")

    @property
    def _order(self) -> Ints:
        return np.lexsort((self.origins, self.series))

    def table(self) -> ForecastTable:
        """The forecasts, each as if it were of a series of its own."""
        order, steps = self._order, np.arange(1, self.made.point.shape[1] + 1)
        origins, phases = self.origins[order], self.phases[order]
        ordinals = origins[:, None] + steps
        return ForecastTable(
            ids=tuple(self.ids[s] for s in self.series[order].tolist()),
            times=self.calendar.times(ordinals, np.broadcast_to(phases[:, None], ordinals.shape)),
            levels=self.made.levels,
            quantiles=self.made.quantiles[order],
            point=self.made.point[order],
            columns=self.columns,
            calendar=self.calendar,
            origins=self.calendar.times(origins, phases),
            actual=self.made.actual[order],
        )


@dataclass
class LongKept:
    """Forecasts of a backtest that is made some series at a time while they are written, and that are gone then: how
    many `rows` there are is known then. `parts` gives those of some series after the other.
    """

    parts: Callable[[], Iterator[KeptForecasts]]
    columns: Columns
    calendar: Calendar
    rows: int = 0
    _odd: KeptForecasts | None = field(default=None, repr=False)

    def results(self, style: Style) -> Results:
        """The table as writers take it, which can be taken once. UsageError, InputRefused as of one that is there."""
        named = self.columns.series_columns
        return replace(_results(self._tables, named, self.columns, self.calendar, style), long=True)

    def _tables(self) -> Iterator[ForecastTable]:
        for part in self.parts():
            self.rows += part.rows
            self._odd = self._odd or (part if part.remarks("parquet") else None)
            yield part.table()

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002  # as users call it
        """What is to be said of what has been written in a file of this format."""
        return () if self._odd is None else self._odd.remarks(format)


def _results(
    tables: Callable[[], Iterator[ForecastTable]],
    ids: tuple[str, ...],
    columns: Columns,
    calendar: Calendar,
    style: Style,
) -> Results:
    """Tables of forecasts as writers take them: in blocks that do not depend on how many there are in each."""
    if style.tidy or style.wide:
        raise UsageError("forecasts of several origins have one shape", hint="leave tidy and wide out")

    def blocks() -> Iterator[ForecastTable]:
        every = tables()
        first = next(every)
        return in_blocks(chain([first], every), block_size(first.times.shape[1]))

    counted = calendar.counts or columns.time_type == "number"
    return Results(
        lambda: (_with_origins(block, as_text=False) for block in blocks()),
        lambda write: (_with_origins(block.with_ids(write), as_text=True) for block in blocks()),
        ids,
        (*columns.times, ORIGIN) if counted else (),
    )


def kept_forecasts(panel: Panel, splits: Sequence[Split], made: Forecasts, columns: Columns) -> KeptForecasts:
    """What was forecast at the splits, one after the other, of data with these columns."""
    series = np.concatenate([split.series for split in splits])
    origins = np.concatenate([split.origins(panel) for split in splits])
    return KeptForecasts(panel.ids, series, origins, panel.phases[series], made, columns, panel.calendar)


def refuse_names(columns: Columns) -> None:
    """InputRefused where the data have a column that is called like one that is added to theirs."""
    twice = next((name for name in (*columns.ids, *columns.times) if name in KEPT), None)
    if twice is not None:
        raise InputRefused(f"the forecasts would have two columns called {twice!r}", hint="rename it in the data")


def _with_origins(table: ForecastTable, *, as_text: bool) -> pa.Table:
    """The rows of a forecast table, with where they begin and what came behind their times."""
    refuse_names(table.columns)
    assert table.actual is not None
    series, steps = table.times.shape
    step = number_array(np.tile(np.arange(1, steps + 1), series), pa.int64())
    actual = table.actual.ravel()
    added = (
        origin_column(table, tidy=False, as_text=as_text),
        step,
        null_where(number_array(actual), np.isnan(actual)),
    )
    rows, place = arrow_table(table, tidy=False, as_text=as_text), len(table.id_columns) + len(table.columns.times)
    for name, column in zip(reversed(KEPT), reversed(added), strict=True):
        rows = rows.add_column(place, name, column)
    return rows
