"""Forecasts to draw: those of daily series, and what is written of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnncli.charts.fans import Fans, of_table, with_truth
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.panel import Panel
from rnncli.data.writers.table import ForecastTable
from rnncli.spec import Columns

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


@pytest.fixture(scope="session")
def fans_of() -> Callable[..., Fans]:
    """Forecasts of `horizon` steps after the first rows of a panel; the rest is what came."""

    def made(
        panel: Panel,
        horizon: int = 5,
        levels: tuple[float, ...] = LEVELS,
        zone: str | None = None,
        unit: str = "day",
        rows: int = 30,
    ) -> Fans:
        panel = replace(panel, calendar=Calendar(Frequency(unit), panel.calendar.seasons, zone))
        kept = panel.lengths - horizon
        past = panel.latest(kept, rows)
        times = past.future_times(horizon)
        rng = np.random.default_rng(0)
        spread = np.sort(rng.normal(0, 2, (len(panel), horizon, len(levels))), axis=-1)
        quantiles = 20 + np.arange(len(panel))[:, None, None] + spread
        point = quantiles[..., len(levels) // 2]
        columns = Columns("day", "shop", "sold", time_type="date" if unit == "day" else "timestamp")
        table = ForecastTable(panel.ids, times, levels, quantiles, point, columns, panel.calendar)
        return with_truth(of_table(table, past), panel)

    return made


@pytest.fixture(scope="session")
def renamed() -> Callable[..., Fans]:
    """The same forecasts of series that are called otherwise."""
    return lambda fans, *ids: replace(fans, past=replace(fans.past, ids=(*ids, *fans.past.ids[len(ids) :])))


@pytest.fixture(scope="session")
def fans(fans_of: Callable[..., Fans], weekly_waves: Panel) -> Fans:
    return fans_of(weekly_waves)
