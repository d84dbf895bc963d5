"""The next rows of every series, from a model file, in NumPy alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from rnncli import files
from rnncli.data.load import Loaded
from rnncli.data.statistics import Drift
from rnncli.data.writers.table import ForecastTable, arrow_table, has_hour_twice, time_texts
from rnncli.errors import InputRefused, InputStale, SeriesRefused, UsageError
from rnncli.inference.forecaster import Forecaster
from rnncli.options.types import ColumnOptions, Model, columns_of
from rnncli.outline import Outline, shown
from rnncli.registry import WRITERS, find
from rnncli.workflows.arguments import public
from rnncli.workflows.drifting import drift_of, refuse_drift, tell_drift
from rnncli.workflows.events import Listener, Noted, unheard
from rnncli.workflows.holidays import tell_unknown
from rnncli.workflows.known_ahead import short_of_covariates, tell_missing
from rnncli.workflows.memory import give_back
from rnncli.workflows.model import given
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.reading import listed, load_known, within_bounds, without_bad
from rnncli.workflows.staleness import stale_series
from rnncli.workflows.stream import Stream
from rnncli.workflows.unlike import tell_unlike

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
SCHEMA = "rnncli.predict/1"
MOST_BLOCKS = 100  # of the trained horizon: forecasts made from so many forecasts say nothing
SHOWN, OUTLINED, NOTES = 20, 5, 3  # rows of a forecast that is printed; rows and notes of one that is outlined
Point = Literal["median", "mean"]


@shown
@dataclass(frozen=True)
class Forecast:
    """A forecast table that can be written, printed, or taken as an Arrow table or a DataFrame.

    `skipped` are the series that have no forecast, `drift` is what is new since training (None if that is unknown).
    From step `beyond_trained_from` on (None: nowhere) it is made from forecasts, for it is longer than was trained.
    """

    table: ForecastTable
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()
    drift: Drift | None = None
    beyond_trained_from: int | None = None

    @property
    def series(self) -> int:
        """How many series are forecast."""
        return len(self.table.ids)

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return int(self.table.times.size)

    def encode(self, format: str = "csv", *, tidy: bool = False, raw: bool = False) -> bytes:  # noqa: A002
        """The table as a file's bytes."""
        writer = find(WRITERS, format, "format")
        data: bytes = writer(self.table, tidy=tidy, raw=raw)
        return data

    def write(self, path: str | os.PathLike[str], *, tidy: bool = False, raw: bool = False) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""
        data = self.encode(format_of(path), tidy=tidy, raw=raw)
        files.atomic_write(path, data)
        return len(data)

    def to_arrow(self) -> Any:
        """The rows as a pyarrow table."""
        return arrow_table(self.table, tidy=False, as_text=False)

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a DataFrame; needs pandas."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows to whoever speaks Arrow: pandas, polars, DuckDB."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __str__(self) -> str:
        lines = find(WRITERS, "csv", "format")(_top(self.table, SHOWN), tidy=False, raw=False).decode().splitlines()
        return "\n".join([*lines[: SHOWN + 1], *filter(None, [_more(self.rows - SHOWN)])])

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


def format_of(path: str | os.PathLike[str]) -> str:
    """The writer that a suffix asks for. UsageError if there is none."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in WRITERS:
        raise UsageError(
            f"the suffix of {os.fspath(path)!r} does not say what to write", hint=f"end it in .{', .'.join(WRITERS)}"
        )
    return suffix


class PredictOptions(ColumnOptions, total=False):
    """From what and when a forecast is made, and into what: see `predict`."""

    future_data: Any
    state: str | os.PathLike[str] | None
    if_exists: Literal["replace", "error"] | None
    max_age: float | None
    now: str | None
    fail_on_drift: bool
    lock_wait: float | None
    tidy: bool
    csv_raw: bool


@public
def predict(
    data: Any,
    model: Model,
    *,
    output: str | os.PathLike[str] | None = None,
    horizon: int | None = None,
    quantiles: Iterable[float] | None = None,
    point: Point = "median",
    on_event: Listener | None = None,
    **options: Unpack[PredictOptions],
) -> Forecast:
    """Forecast the rows that follow each series of `data`; with `output`, write them to that file too.

    `future_data` are tables of what is known of the rows to forecast: time, id and future covariates, in the forms that
    `data` can have. What `horizon` has beyond the trained one is forecast from forecasts. `quantiles` lie between the
    trained levels and are interpolated. `if_exists` says what is done where `output` is there; `max_age` is how many
    seconds the last observation of a series may lie before `now` (default: `as_of`, or the clock); `fail_on_drift`
    writes nothing where the data have drifted. `state` is a file that keeps what the network has seen of each series:
    only rows that it has not seen are consumed, and the forecast is that of a network which saw them all.

    Raises UsageError, InputRefused, ModelRefused, InputStale, GateFailed, OutputLocked or StorageFailed.
    """
    tell = on_event or unheard
    _listed_ahead(data, options)
    keep_apart("predict", {**options, "data": data, "model": model, "output": output})
    if output is not None:
        format_of(output)
        files.check_writable(output)
    state, wait = options.get("state"), options.get("lock_wait") or 0.0
    if state is not None:
        files.check_writable(state)
    with files.locked(output, wait), files.locked(state, wait):
        if output is not None and options.get("if_exists") == "error":
            files.refuse_existing(output)
        found = given(model)
        stream = None if state is None else Stream(state, found)
        levels = None if quantiles is None else tuple(quantiles)
        forecast = _forecast(data, found.forecaster, (horizon, levels, point), options, tell, stream)
        if output is not None:
            give_back()  # a file is as large again
            forecast.write(output, tidy=bool(options.get("tidy")), raw=bool(options.get("csv_raw")))
            if format_of(output) == "parquet" and has_hour_twice(forecast.table):
                tell(Noted("an hour that the clock shows twice stands twice: such times have no offset, as in CSV"))
        if stream is not None:
            stream.keep()
    return forecast


def _listed_ahead(data: Any, options: PredictOptions) -> list[Any]:
    """The tables of what is known ahead. UsageError if standard input would be both."""
    given = options.get("future_data")
    ahead = [] if given is None else listed(given)
    if sum(isinstance(item, str) and item == "-" for item in [*listed(data), *ahead]) > 1:
        raise UsageError("standard input can be read once", hint="name a file instead of one -")
    return ahead


def _forecast(
    data: Any,
    forecaster: Forecaster,
    wanted: tuple[int | None, tuple[float, ...] | None, Point],
    options: PredictOptions,
    tell: Listener,
    stream: Stream | None,
) -> Forecast:
    horizon, quantiles, point = wanted
    steps, levels = checked_horizon(horizon, forecaster), _levels(quantiles, forecaster)
    if point not in ("median", "mean"):
        raise UsageError(f"the point forecast is the median or the mean, not {point!r}")
    columns = columns_of(options)
    ahead = _listed_ahead(data, options)
    if ahead and forecaster.forecast.left_out:
        tell(Noted(f"--future-data is not looked at: the model left out {', '.join(forecaster.forecast.left_out)}"))
        ahead = []
    if ahead and not forecaster.columns.future:
        raise UsageError(
            "--future-data is given, but the model has no covariates that are known ahead",
            hint="leave it out, or train with --future",
        )
    loaded = load_known(data, forecaster, columns, tell, ahead or None)
    loaded = within_bounds(loaded, forecaster.bounds, columns, tell)
    skip = columns.get("on_bad_series") == "skip"
    loaded = without_bad(loaded, stale_series(loaded.panel, options), InputStale, tell, skip=skip)
    found = drift_of(loaded.panel, forecaster)
    tell_drift(found, tell)
    if options.get("fail_on_drift"):
        refuse_drift(found)
    give_back()  # nothing of the tables is needed any more
    if stream is not None:
        loaded = stream.consume(loaded, tell, skip=skip)
    ends = forecaster.ends(loaded.panel)
    short = short_of_covariates(loaded.panel, ends, steps, forecaster)
    loaded = without_bad(loaded, short, InputRefused, tell, skip=skip)
    ends = forecaster.ends(loaded.panel)
    tell_missing(loaded.panel, ends, steps, forecaster, tell)
    tell_unknown(loaded.panel, ends, steps, forecaster, tell)
    tell_unlike(loaded.panel, ends, forecaster, tell)
    beyond = tell_beyond(steps, forecaster, tell)
    if stream is None:
        made = forecaster.quantiles_if_any(loaded.panel, ends, steps)
    else:
        made = stream.quantiles(loaded.panel, steps)
    unseen = forecaster.unseen(loaded.panel, made)
    loaded = without_bad(loaded, unseen, InputRefused, tell, skip=skip)
    made = made[~np.isnan(made[:, 0, 0])]
    return Forecast(_table(loaded, forecaster, made, levels, point), loaded.notes, loaded.skipped, found, beyond)


def checked_horizon(horizon: int | None, forecaster: Forecaster) -> int:
    """The horizon asked for, by default the trained one. UsageError if nothing can be said so far ahead."""
    trained = forecaster.forecast.horizon
    most = MOST_BLOCKS * trained
    if horizon is None:
        return trained
    if not 1 <= horizon <= most:
        raise UsageError(
            f"horizon must be between 1 and {most}, {MOST_BLOCKS} times the trained one, not {horizon}",
            hint=f"train again with --horizon {horizon}" if horizon > 0 else "",
        )
    return horizon


def tell_beyond(steps: int, forecaster: Forecaster, tell: Listener) -> int | None:
    """The first step beyond the trained horizon, None if there is none; it is told."""
    trained = forecaster.forecast.horizon
    if steps <= trained:
        return None
    tell(
        Noted(
            f"the model was trained to forecast {trained:,} steps: from step {trained + 1:,} on"
            " forecasts are made from forecasts, and are less sure"
        )
    )
    return trained + 1


def _levels(quantiles: tuple[float, ...] | None, forecaster: Forecaster) -> tuple[float, ...]:
    trained = forecaster.forecast.levels
    if quantiles is None:
        return trained
    levels = tuple(sorted({*map(float, quantiles), 0.5}))
    outside = [level for level in levels if not trained[0] <= level <= trained[-1]]
    if outside:
        raise UsageError(
            f"quantile {outside[0]} lies outside the trained levels, {trained[0]} to {trained[-1]}",
            hint=f"train again with --quantiles {','.join(map(str, levels))}",
        )
    return levels


def _table(
    loaded: Loaded, forecaster: Forecaster, made: Floats, levels: tuple[float, ...], point: Point
) -> ForecastTable:
    panel, spec = loaded.panel, forecaster.forecast
    middle = made[..., spec.median] if point == "median" else mean_of(made, spec.levels)
    times = panel.cut(forecaster.ends(panel)).future_times(made.shape[1])
    wanted = interpolated(made, spec.levels, levels)
    return ForecastTable(panel.ids, times, levels, wanted, middle, loaded.columns, panel.calendar)


def interpolated(quantiles: Floats, trained: tuple[float, ...], wanted: tuple[float, ...]) -> Floats:
    """Quantiles at other levels, linear between neighbours: [..., trained] -> [..., wanted]."""
    if trained == wanted:
        return quantiles
    above = np.clip(np.searchsorted(trained, wanted), 1, max(1, len(trained) - 1))
    if len(trained) == 1:
        return np.repeat(quantiles, len(wanted), axis=-1)
    low, high = np.array(trained)[above - 1], np.array(trained)[above]
    share = (np.array(wanted) - low) / (high - low)
    below, over = quantiles[..., above - 1], quantiles[..., above]
    between = np.where(share == 1, over, below + share * (over - below))
    return np.maximum.accumulate(np.minimum(between, over), axis=-1)


def mean_of(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """The mean of the distribution that is linear between its quantiles [..., q], its tails at the outer ones."""
    edges = np.array([0.0, *levels, 1.0])
    middle = (edges[1:] + edges[:-1]) / 2
    middle[0], middle[-1] = 0.0, 1.0
    return np.asarray((quantiles * np.diff(middle)).sum(axis=-1))
