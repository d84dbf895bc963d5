"""A forecast table: made from a model and its data, and written, printed, or taken as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.charts.history import rows_that_help
from rnncli.data.load import Loaded
from rnncli.data.noted import Notes
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.data.statistics import Drift
from rnncli.data.writers.forecasts import results_of
from rnncli.data.writers.results import Results, Style, pieces
from rnncli.data.writers.table import ForecastTable, arrow_table, time_texts
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.events import Listener, Noted
from rnncli.memory import give_back
from rnncli.options.types import AnswerOptions
from rnncli.outline import Outline, as_html, shown
from rnncli.processors import available_cpus
from rnncli.spec import ColumnChoices
from rnncli.tasks.answer import Writable
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.holidays import note_unknown
from rnncli.tasks.forecast.known_ahead import short_of_covariates, tell_missing
from rnncli.tasks.forecast.levels import asked_levels
from rnncli.tasks.forecast.long_answer import LONG, LongForecast, Noticed, in_memory
from rnncli.tasks.forecast.reading import load_known_parts, with_seasons
from rnncli.tasks.forecast.tabled import SCHEMA, Point, remarks_of, table_of
from rnncli.tasks.forecast.universal import ONE_PASS
from rnncli.tasks.forecast.unlike import note_unlike
from rnncli.tasks.forecast.usable import (
    drift_told,
    refuse_unfit,
    tables_ahead,
    tell_noticed,
    usable_at_once,
    usable_parts,
)
from rnncli.tasks.reading import tell_skipped, without_bad

if TYPE_CHECKING:
    from rnncli.charts.fans import Fans
    from rnncli.charts.picture import Picture
    from rnncli.tasks.forecast.stateful import Stream

MOST_BLOCKS = 100  # of the trained horizon: beyond that, forecasts made from forecasts are noise
SHOWN, OUTLINED, NOTES = 20, 5, 3  # rows of a forecast that is printed; rows and notes of one that is outlined


@shown
@dataclass(frozen=True)
class Forecast(Writable):
    """A forecast table that can be written, printed, or taken as an Arrow table or a DataFrame.

    `skipped` are the series that have no forecast, `drift` is what is new since training (None if that is unknown).
    From step `beyond_trained_from` on (None: nowhere) it is made from forecasts, for it is longer than was trained.
    `history` are the last rows of each series before it, for pictures (None: nobody kept them).
    """

    table: ForecastTable
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()
    drift: Drift | None = None
    beyond_trained_from: int | None = None
    history: Panel | None = None

    @property
    def series(self) -> int:
        """The number of series that are forecast."""
        return len(self.table.ids)

    @property
    def rows(self) -> int:
        """The number of rows of the table."""
        return int(self.table.times.size)

    def results(self, style: Style) -> Results:
        """The table as writers take it, in the shape that was asked for."""
        return results_of(self.table, style)

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002
        """What is to be said of the table in a file of this format."""
        return remarks_of(self.table, format)

    def to_arrow(self) -> Any:
        """The rows as a pyarrow table."""
        return arrow_table(self.table, tidy=False, as_text=False)

    def to_pandas(self) -> Any:
        """The rows as a DataFrame; needs pandas."""
        return self.to_arrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows for any library that speaks Arrow: pandas, polars, DuckDB."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __str__(self) -> str:
        lines = b"".join(pieces(results_of(_top(self.table, SHOWN)), "csv", Style())).decode().splitlines()
        return "\n".join([*lines[: SHOWN + 1], *filter(None, [_more(self.rows - SHOWN)])])

    @property
    def fans(self) -> Fans:
        """The forecast beside the rows before it, as numbers of a picture."""
        from rnncli.charts.fans import of_table

        return of_table(self.table, self.history)

    @property
    def pictured(self) -> Picture:
        """A picture of the largest series."""
        return self.plot()

    def plot(
        self, ids: Iterable[str] | None = None, *, series: int = 6, order: str | None = None, unit: str = ""
    ) -> Picture:
        """Fan charts of the series called `ids`, or of so many of the "largest" ones, or the "first". The picture
        shows itself in a notebook, has a `figure` of matplotlib, and can `write(path)` a .png, .svg or .html file.
        """
        from rnncli.charts.picture import picture

        return picture(self.fans, ids=ids, order=order, most=series, unit=unit)

    def _repr_html_(self) -> str:
        """A table for notebooks and, where matplotlib is installed, a picture of some series below it."""
        from rnncli.charts.notebook import image

        return as_html(self.outline()) + image(self.plot(series=4))

    def outline(self) -> Outline:
        """What was forecast, and its first rows."""
        steps, drifted = self.table.times.shape[1], self.drift is not None and self.drift.has_drifted
        facts = [
            ("series", f"{self.series:,}" + (f", {len(self.skipped):,} more are skipped" if self.skipped else "")),
            ("horizon", f"{steps:,} steps, {self.rows:,} rows in all"),
            *(
                []
                if self.beyond_trained_from is None
                else [("beyond", f"made from forecasts from step {self.beyond_trained_from:,} on")]
            ),
            *([("drift", "the data have drifted since training")] if drifted else []),
            *(("note", note) for note in self.notes[:NOTES]),
        ]
        header, rows = _first(self.table)
        return Outline("Forecast", facts, header, rows, _more(self.rows - OUTLINED))

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        table = self.table
        return {
            "schema": SCHEMA,
            "horizon": table.times.shape[1],
            "beyond_trained_from": self.beyond_trained_from,
            "quantiles": list(table.levels),
            "series": [_one(table, place) for place in range(len(table.ids))],
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "drift": None if self.drift is None else self.drift.to_json(),
            "notes": list(self.notes),
        }


def _top(table: ForecastTable, rows: int) -> ForecastTable:
    """The first series and steps, which hold at least so many rows, if there are."""
    steps = min(rows, table.times.shape[1])
    series = min(len(table.ids), -(-rows // max(1, steps)))
    return replace(
        table,
        ids=table.ids[:series],
        times=table.times[:series, :steps],
        quantiles=table.quantiles[:series, :steps],
        point=table.point[:series, :steps],
    )


def _first(table: ForecastTable) -> tuple[list[str], list[list[str]]]:
    """The header and the first rows, of the quantiles the outer ones, numbers in short."""
    top = arrow_table(_top(table, OUTLINED), tidy=False, as_text=True).slice(0, OUTLINED)
    outer = len(table.names) - len(table.levels), len(table.names) - 1
    top = top.select([*range(outer[0]), *sorted({*outer})])
    rows = zip(*(column.to_pylist() for column in top.columns), strict=True)
    return top.column_names, [[f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]


def _more(rows: int) -> str:
    return f"... {rows:,} more rows" if rows > 0 else ""


def _one(table: ForecastTable, place: int) -> dict[str, Any]:
    quantiles = {f"q{level!r}": table.quantiles[place, :, i].tolist() for i, level in enumerate(table.levels)}
    times = time_texts(table.times[place], table.columns, table.calendar)
    named = {"id": table.ids[place] if table.id_columns else None, "time": times}
    return named | {"forecast": table.point[place].tolist()} | quantiles


def answer(
    data: Data,
    model: Forecaster,
    choices: ColumnChoices,
    options: AnswerOptions,
    tell: Listener,
    stream: Stream | None,
) -> Forecast | LongForecast:
    """The forecast of the rows that follow each series of `data`; a long one is made while it is written, where that
    is allowed (`in_parts`).

    UsageError, InputRefused, InputStale or GateFailed.
    """
    model = model if stream is None else stream.forecaster
    levels = asked_levels(options.get("quantiles"), model.spec.levels)
    point: Point = options.get("point") or "median"
    if point not in ("median", "mean"):
        raise UsageError(f"the point forecast is the median or the mean, not {point!r}")
    skip, fit = choices.on_bad_series == "skip", model.unfitted
    refuse_unfit(model, options)
    steps = checked_horizon(options.get("horizon"), model)
    ahead, workers = tables_ahead(model, options, tell), options.get("threads") or available_cpus()
    in_parts = bool(options.get("in_parts"))
    if in_parts and stream is None and not fit and ahead is None and not model.columns.future:
        noticed = Noticed(skip)
        parts = load_known_parts(data, choices, model, noticed.notes, noticed.skipped)
        if parts is not None:
            beyond = tell_beyond(steps, model, tell)
            checked = usable_parts(parts, model, steps, options, noticed)
            told = partial(tell_noticed, noticed, options, tell)
            made_of = _quantiles_of(model, None, steps, workers)
            return LongForecast(checked, made_of, told, noticed, model, model.columns, steps, levels, point, beyond)
    loaded = usable_at_once(data, model, choices, options, tell, ahead)
    found = drift_told(loaded, model, options, tell)
    model = _fitted(model, loaded, options.get("horizon"), tell) if fit else model
    steps = checked_horizon(options.get("horizon"), model)
    give_back()  # nothing of the tables is needed any more
    if stream is not None:
        stream.begin(model)
        loaded = stream.consume(loaded, tell, skip=skip)
    short = short_of_covariates(loaded.panel, model.ends(loaded.panel), steps, model)
    loaded = without_bad(loaded, short, InputRefused, tell, skip=skip)
    beyond = _tell(loaded, model, steps, tell)
    made_of = _quantiles_of(model, stream, steps, workers)
    if in_parts and len(loaded.panel) * steps * (len(levels) + 1) > LONG:
        noticed = Noticed(skip, Notes(loaded.notes), skipped=list(loaded.skipped), drift=found)
        parts, told = in_memory(loaded, steps), partial(_tell_skipped_since, noticed, len(loaded.skipped), tell)
        return LongForecast(parts, made_of, told, noticed, model, loaded.columns, steps, levels, point, beyond)
    made = made_of(loaded.panel)
    loaded = without_bad(loaded, model.unseen(loaded.panel, made), InputRefused, tell, skip=skip)
    made = made[~np.isnan(made[:, 0, 0])]
    past = _history(loaded, model, options.get("history") or rows_that_help(steps, model.spec.seasons))
    return Forecast(table_of(loaded, model, made, levels, point), loaded.notes, loaded.skipped, found, beyond, past)


def _quantiles_of(model: Forecaster, stream: Stream | None, steps: int, workers: int) -> Callable[[Panel], Floats]:
    """What gives the quantiles of a panel's series [series, steps, levels], NaN where nothing can be forecast."""
    if stream is not None:
        return partial(stream.quantiles, steps=steps)
    return lambda panel: model.quantiles_if_any(panel, model.ends(panel), steps, workers)


def _tell_skipped_since(noticed: Noticed, told: int, tell: Listener) -> None:
    tell_skipped(noticed.skipped[told:], tell)


def _fitted(base: Forecaster, loaded: Loaded, horizon: int | None, tell: Listener) -> Forecaster:
    """A forecaster that no data have taught, fitted to the series that are left."""
    from rnncli.tasks.forecast.fitting import tell_fitted

    model = base.for_data(with_seasons(loaded) if loaded.skipped else loaded, horizon)
    tell_fitted(model, tell)
    return model


def _history(loaded: Loaded, model: Forecaster, rows: int) -> Panel:
    """The last rows of each series before its forecast, in a calendar with the model's seasons."""
    past = loaded.panel.latest(model.ends(loaded.panel), rows)
    return replace(past, calendar=replace(past.calendar, seasons=model.spec.seasons))


def _tell(loaded: Loaded, model: Forecaster, steps: int, tell: Listener) -> int | None:
    """What is to be said of the data before they are forecast; the first step beyond the trained horizon, if any."""
    panel, ends = loaded.panel, model.ends(loaded.panel)
    tell_missing(panel, ends, steps, model, tell)
    unlike = Notes()
    note_unknown(panel, ends, steps, model, unlike)
    note_unlike(panel, ends, model, unlike)
    for line in unlike.lines():
        tell(Noted(line))
    return tell_beyond(steps, model, tell)


def checked_horizon(horizon: int | None, model: Forecaster) -> int:
    """The horizon asked for, by default the trained one. UsageError if nothing can be said so far ahead."""
    trained = model.spec.horizon
    most = MOST_BLOCKS * (ONE_PASS if model.unfitted else trained)
    if horizon is None:
        return trained
    if not 1 <= horizon <= most:
        raise UsageError(
            f"horizon must be between 1 and {most}, {MOST_BLOCKS} times the trained one, not {horizon}",
            hint=f"train again with --horizon {horizon}" if horizon > 0 else "",
        )
    return horizon


def tell_beyond(steps: int, model: Forecaster, tell: Listener) -> int | None:
    """The first step beyond the trained horizon, None if there is none; it is told."""
    trained = model.spec.horizon
    if steps <= trained:
        return None
    tell(
        Noted(
            f"the model was trained to forecast {trained:,} steps: from step {trained + 1:,} on"
            " forecasts are made from forecasts, and are less sure"
        )
    )
    return trained + 1
