"""Quantiles of series as a table: of the levels that were asked for, with the point forecast beside them."""

from __future__ import annotations

from typing import Literal

from rnncli.arrays import Floats
from rnncli.data.load import Loaded
from rnncli.data.writers.table import ForecastTable, has_hour_twice
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.levels import interpolated, mean_of

SCHEMA = "rnncli.predict/1"
Point = Literal["median", "mean"]


def table_of(loaded: Loaded, model: Forecaster, made: Floats, levels: tuple[float, ...], point: Point) -> ForecastTable:
    """The table of quantiles `made` [series, steps, trained levels] of the series that are loaded."""
    panel, spec = loaded.panel, model.spec
    middle = made[..., spec.median] if point == "median" else mean_of(made, spec.levels)
    seen = panel.cut(model.ends(panel))
    times, last = seen.future_times(made.shape[1]), seen.calendar.times(seen.ends(), seen.phases)
    wanted = interpolated(made, spec.levels, levels)
    return ForecastTable(panel.ids, times, levels, wanted, middle, loaded.columns, panel.calendar, origins=last)


def remarks_of(table: ForecastTable, format: str) -> tuple[str, ...]:  # noqa: A002  # as users call it
    """What is to be said of the table in a file of this format."""
    if format not in ("csv", "jsonl") and has_hour_twice(table):
        return ("an hour that the clock shows twice stands twice: such times have no offset, as in CSV",)
    return ()
