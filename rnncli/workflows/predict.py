"""The next rows of every series, from a model file, in NumPy alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from rnncli import files
from rnncli.data.load import Known, Loaded, load_panel
from rnncli.data.panel import Panel
from rnncli.data.writers.table import ForecastTable, arrow_table, time_texts
from rnncli.errors import InputRefused, UsageError
from rnncli.inference import forecaster as models
from rnncli.inference.forecaster import Forecaster
from rnncli.registry import WRITERS, find
from rnncli.workflows import options as said
from rnncli.workflows.events import Listener, Noted, unheard
from rnncli.workflows.options import ColumnOptions

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SCHEMA = "rnncli.predict/1"
SHOWN = 20  # rows of a forecast that is printed
Point = Literal["median", "mean"]


@dataclass(frozen=True)
class Forecast:
    """A forecast table that can be written, printed, or taken as an Arrow table or a DataFrame."""

    table: ForecastTable
    notes: tuple[str, ...] = ()

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
        lines = self.encode().decode().splitlines()
        more = [f"... {self.rows - SHOWN:,} more rows"] if self.rows > SHOWN else []
        return "\n".join([*lines[: SHOWN + 1], *more])

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        table = self.table
        return {
            "schema": SCHEMA,
            "horizon": table.times.shape[1],
            "quantiles": list(table.levels),
            "series": [_one(table, place) for place in range(len(table.ids))],
            "notes": list(self.notes),
        }


def _one(table: ForecastTable, place: int) -> dict[str, Any]:
    quantiles = {f"q{level!r}": table.quantiles[place, :, i].tolist() for i, level in enumerate(table.levels)}
    times = time_texts(table.times[place], table.columns, table.calendar)
    named = {"id": table.ids[place] if table.id_column else None, "time": times}
    return named | {"forecast": table.point[place].tolist()} | quantiles


def format_of(path: str | os.PathLike[str]) -> str:
    """The writer that a suffix asks for. UsageError if there is none."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in WRITERS:
        raise UsageError(
            f"the suffix of {os.fspath(path)!r} does not say what to write", hint=f"end it in .{', .'.join(WRITERS)}"
        )
    return suffix


def predict(
    data: Any,
    model: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    horizon: int | None = None,
    quantiles: tuple[float, ...] | None = None,
    point: Point = "median",
    on_event: Listener | None = None,
    **columns: Unpack[ColumnOptions],
) -> Forecast:
    """Forecast the rows that follow each series of `data`; with `output`, write them to that file too.

    `horizon` is at most the trained one. `quantiles` lie between the trained levels and are interpolated. Raises
    UsageError, InputRefused, ModelRefused or StorageFailed.
    """
    said.refuse_unknown(columns, ColumnOptions)
    tell = on_event or unheard
    if output is not None:
        format_of(output)
        files.check_writable(output)
    forecaster = models.load(model)
    steps = checked_horizon(horizon, forecaster)
    levels = _levels(quantiles, forecaster)
    loaded = load_known(data, forecaster, columns, tell)
    forecast = Forecast(_table(loaded, forecaster, steps, levels, point), loaded.notes)
    if output is not None:
        forecast.write(output)
    return forecast


def load_known(data: Any, forecaster: Forecaster, columns: Any, tell: Listener) -> Loaded:
    """The data, read as the model's were."""
    known = Known(forecaster.columns, forecaster.calendar, forecaster.forecast.categories)
    loaded = load_panel(data, said.column_choices(columns), known)
    for line in loaded.notes:
        tell(Noted(line))
    return loaded


def checked_horizon(horizon: int | None, forecaster: Forecaster) -> int:
    """The horizon asked for. UsageError if the model was not trained for it."""
    longest = forecaster.forecast.horizon
    if horizon is None:
        return longest
    if not 1 <= horizon <= longest:
        raise UsageError(
            f"horizon must be between 1 and {longest}, the trained one, not {horizon}",
            hint=f"train again with --horizon {horizon}" if horizon > 0 else "",
        )
    return horizon


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
    loaded: Loaded, forecaster: Forecaster, steps: int, levels: tuple[float, ...], point: Point
) -> ForecastTable:
    panel, ends = loaded.panel, forecaster.ends(loaded.panel)
    _refuse_short_covariates(panel, ends, steps, forecaster)
    made = forecaster.quantiles(panel, ends)[:, :steps]
    if point not in ("median", "mean"):
        raise UsageError(f"the point forecast is the median or the mean, not {point!r}")
    middle = made[..., forecaster.forecast.median] if point == "median" else mean_of(made, forecaster.forecast.levels)
    times = panel.cut(ends).future_times(steps)
    wanted = interpolated(made, forecaster.forecast.levels, levels)
    return ForecastTable(panel.ids, times, levels, wanted, middle, loaded.columns, panel.calendar)


def _refuse_short_covariates(panel: Panel, ends: Ints, steps: int, forecaster: Forecaster) -> None:
    """InputRefused naming a series whose future covariates do not reach over the horizon."""
    short = panel.lengths - ends < steps
    if not forecaster.forecast.waits_for_covariates or not short.any():
        return
    worst = int(np.argmax(short))
    names = ", ".join(forecaster.columns.future)
    raise InputRefused(
        f"its covariates ({names}) end {panel.lengths[worst] - ends[worst]} rows after the last target, not {steps}",
        where=f"series {panel.ids[worst]!r}",
        hint="add rows with them and an empty target, one for each row to forecast; or ask for a shorter --horizon",
    )


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
