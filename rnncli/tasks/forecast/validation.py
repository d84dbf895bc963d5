"""Rows held out of the search, the origins in them, and how wrong forecasts from there are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, gather
from rnncli.layers.quantiles import pinball
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support, support

WINDOWS = 5  # origins of a series, where it is long enough,
FORECASTS, MOST_WINDOWS = 100, 24  # and more where there are few series: so many forecasts
HELD_OUT = 0.25  # of the rows are spared for origins as far apart as the horizon,
KEPT = 0.5  # and so many are never held out
MANY = 20  # series


@dataclass(frozen=True)
class Holdout:
    """Origins [N] (rows, ascending in each series) of the series [N], the last of each `horizon` rows before its end,
    or fewer; `window` [N] counts the origins of a series, 0 is its last one.
    """

    series: Ints
    origins: Ints
    window: Ints

    def ends(self, lengths: Ints) -> Ints:
        """Rows of each series that training may look at while the rest validates, all of them where none are spared."""
        ends = lengths.copy()
        np.minimum.at(ends, self.series, self.origins)
        return ends

    def some(self, most: int) -> Holdout:
        """The forecasts of as many series as make about `most` forecasts."""
        series = np.unique(self.series)
        count = max(1, min(len(series), most * len(series) // max(len(self.series), 1)))
        if not len(series):
            return self
        return self.of(series[np.unique(np.linspace(0, len(series) - 1, count).astype(np.int64))])

    def of(self, series: Ints) -> Holdout:
        """The forecasts of these series."""
        return self.at(np.flatnonzero(np.isin(self.series, series)))

    def at(self, places: Ints) -> Holdout:
        """The forecasts at these places, in that order."""
        return Holdout(self.series[places], self.origins[places], self.window[places])

    def __len__(self) -> int:
        """Number of forecasts."""
        return len(self.series)


def hold_out(panel: Panel, spec: ForecastSpec) -> Holdout:
    """The last part of each series: five origins or more, a horizon apart where a quarter of the rows has room for
    them, else closer, down to a quarter of it; fewer where the first half of the series would be touched. Where
    no series has room for that, one after a season and a quarter of a horizon, with what there is of a horizon; where
    no series has that, but there are many, one after a row and a quarter of a horizon: they tell of one another.
    """
    lengths, horizon = panel.lengths, spec.horizon
    windows = int(np.clip(FORECASTS // len(panel), WINDOWS, MOST_WINDOWS))
    roomy = (HELD_OUT * lengths - horizon) // (windows - 1)
    stride: Ints = np.clip(roomy.astype(np.int64), max(1, horizon // 4), horizon)
    kept = np.maximum(horizon + max(spec.seasons[0], 3), np.ceil(KEPT * lengths).astype(np.int64))
    count = np.clip((lengths - kept - horizon) // stride + 1, 0, windows)
    begun, part = max(spec.seasons[0], 3), max(1, horizon // 4)
    count = np.where((count == 0) & (lengths >= 2 * horizon + begun), 1, count)
    if not count.any():
        if len(panel) >= MANY and not (lengths >= begun + 2 * part).any():
            begun = 1
        count = (lengths >= begun + 2 * part).astype(np.int64)
    window = np.repeat(np.cumsum(count), count) - np.arange(int(count.sum())) - 1
    series = np.repeat(np.arange(len(panel)), count)
    origins = np.maximum(lengths[series] - horizon - window * stride[series], begun + part)
    return Holdout(series, origins, window)


@dataclass(frozen=True)
class Validated:
    """Forecasts from held-out origins: quantiles [N, horizon, q], actual [N, horizon] with NaN where nothing was
    observed, the seasonal scale [N] of the rows before each origin, and what these rows say may come.
    """

    holdout: Holdout
    quantiles: Floats
    actual: Floats
    scale: Floats
    support: Support

    @property
    def series(self) -> Ints:
        """The series [N] of each."""
        return self.holdout.series

    def at(self, places: Ints) -> Validated:
        """Some of the forecasts."""
        return Validated(
            self.holdout.at(places),
            self.quantiles[places],
            self.actual[places],
            self.scale[places],
            self.support.at(places),
        )

    def made(self, quantiles: Floats) -> Validated:
        """Other quantiles [N, horizon, q] from the same origins, beside the same actual values."""
        return replace(self, quantiles=quantiles)


def validated(panel: Panel, spec: ForecastSpec, holdout: Holdout, quantiles: Floats) -> Validated:
    """Quantiles [N, horizon, q] from held-out origins, beside the actual values, scales and support."""
    begin, length = panel.offsets[holdout.series], panel.lengths[holdout.series]
    actual = gather(panel.targets, begin, length, holdout.origins, spec.horizon, 0, 0)
    scale = seasonal_scale(panel, holdout.series, holdout.origins, spec.seasons[0])
    may_come = support(panel, holdout.series, holdout.origins, spec)
    return Validated(holdout, quantiles, actual, scale, may_come)


def seasonal_scale(panel: Panel, series: Ints, ends: Ints, season: int) -> Floats:
    """MASE's scale, mean |y_t - y_(t - season)|, over the first ends[i] rows of each series; where that is undefined
    or 0 the mean absolute value, and 1 for a series of zeros: [s].
    """
    scales = np.ones(len(series))
    for i, (s, end) in enumerate(zip(series.tolist(), ends.tolist(), strict=True)):
        y = panel.target(s)[:end]
        sizes = (np.abs(part[~np.isnan(part)]) for part in (y[season:] - y[:-season], y))
        scales[i] = next((float(size.mean()) for size in sizes if size.any()), 1.0)
    return scales


def quantile_loss(found: Validated, levels: tuple[float, ...]) -> Floats:
    """Mean pinball loss, times 2, over levels and observed rows, in the data's units; NaN where none is: [N]."""
    loss = pinball(found.quantiles, found.actual, levels, np)
    seen: NDArray[np.bool_] = ~(np.isnan(found.actual) | np.isnan(loss))
    return np.asarray(np.where(seen, loss, 0.0).sum(axis=1) / np.where(seen.any(axis=1), seen.sum(axis=1), np.nan))


def scaled_quantile_loss(found: Validated, levels: tuple[float, ...]) -> Floats:
    """Quantile losses [N] of held-out forecasts in units of the seasonal scale, NaN where nothing was observed."""
    return quantile_loss(found, levels) / found.scale
