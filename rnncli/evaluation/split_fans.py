"""The forecasts of one window of a backtest, as a picture beside what came."""

from __future__ import annotations

import numpy as np

from rnncli.charts.fans import Fans
from rnncli.charts.history import rows_that_help
from rnncli.data.panel import Panel
from rnncli.evaluation.backtest import Split
from rnncli.evaluation.run import Made
from rnncli.metrics.scale import seasonal_scales
from rnncli.spec import Columns


def split_fans(
    panel: Panel, split: Split, made: Made, levels: tuple[float, ...], season: int, columns: Columns
) -> Fans:
    """The forecasts of a split's series, after the rows that they were made from; errors are the report's MASE."""
    rows = rows_that_help(split.horizon, panel.calendar.seasons)
    past = panel.select(split.series)
    ordinals = (past.starts + split.rows_kept)[:, None] + np.arange(split.horizon)
    times = panel.calendar.times(ordinals, np.broadcast_to(past.phases[:, None], ordinals.shape))
    scale = seasonal_scales(*split.history(panel), season)
    drawn, actual = past.latest(split.rows_kept, rows), split.actual(panel)
    return Fans(drawn, times, levels, made.quantiles, made.point, actual, scale, columns)
