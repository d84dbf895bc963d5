"""One linear map from the last rows of a series to its next ones, the same for all series.

It is NLinear of Zeng et al. 2023 ("Are Transformers Effective for Time Series Forecasting?"), which long horizons are
hardly ever forecast better than by, in closed form (Toner & Darlow 2024, "An Analysis of Linear Time Series Forecasting
Models"). With x the last L rows, l their last value, s their standard deviation, and y the rows after them:

    W = argmin sum |(y - l) / s - W (x - l) / s|^2 + lambda tr(X'X) / L |W|^2

It says where a forecast lies, and the network how far around that the quantiles are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, gather
from rnncli.layers.linear import linear
from rnncli.tasks.forecast.head import LARGEST
from rnncli.tasks.forecast.spec import ForecastSpec

LINEAR = "linear"  # in a pool
CYCLES = (1, 2, 3, 7, 14, 21)  # seasons that it may look back on
MOST, UNSEASONAL = 504, 8  # rows at most, and of a cycle where there is no season
FEWEST = 8  # windows for each row that it looks back on
WINDOWS = 1 << 14  # that it is fitted to
AT_ONCE = 1 << 20  # numbers of windows
PENALTIES = (0.03, 0.1, 0.3, 1.0)  # lambda
STEP = 1 / (1 << 16)  # weights are multiples of this, whichever way a product was summed up


@dataclass(frozen=True)
class LinearMap:
    """The weights W [horizon, L], and the `penalty` lambda with which they were found."""

    weight: Floats
    penalty: float = 0.0

    @property
    def rows(self) -> int:
        """Rows that it looks back on."""
        return int(self.weight.shape[1])

    def points(self, panel: Panel, series: Ints, ends: Ints) -> Floats:
        """Forecasts after the first ends[i] rows of each series[i]: [n, horizon]; NaN where nothing was observed."""
        made = np.empty((len(series), len(self.weight)))
        size = max(1, AT_ONCE // sum(self.weight.shape))
        for begin in range(0, len(series), size):
            some = slice(begin, begin + size)
            past = _past(panel, series[some], ends[some], self.rows)
            last = past[:, -1:]
            with np.errstate(over="ignore", invalid="ignore"):
                made[some] = np.clip(last + linear(past - last, self.weight), -LARGEST, LARGEST)
        return made


def around(points: Floats, network: Floats, spec: ForecastSpec) -> Floats:
    """Quantiles as far from the points [n, horizon] as the network's [n, horizon, q] are from its median."""
    return points[..., None] + network - network[..., spec.median, None]


def looked_back_on(spec: ForecastSpec, ends: Ints, origins: Ints) -> list[int]:
    """The numbers of rows that a map can look back on where training may look at ends[s] rows of each series: half of
    the held-out origins have as many before them, and there are enough windows.
    """
    season = spec.seasons[0] if spec.seasons[0] > 1 else UNSEASONAL
    wanted = {cycles * season for cycles in CYCLES} | {3 * other for other in spec.seasons if other > 1}

    def usable(rows: int) -> bool:
        windows = int(np.maximum(ends - rows - spec.horizon + 1, 0).sum())
        return rows <= MOST and windows >= FEWEST * rows and float(np.mean(origins >= rows)) >= 0.5

    return sorted(filter(usable, wanted))


def fitted_maps(
    panel: Panel, ends: Ints, lengths: Sequence[int], spec: ForecastSpec, penalties: Sequence[float] = PENALTIES
) -> list[LinearMap]:
    """Maps that look back on so many rows, with each penalty, from the first ends[s] rows of each series; none where
    too few windows are observed throughout.
    """
    if not lengths:
        return []
    most = max(lengths)
    series, origins = _windows(ends, most, spec.horizon)
    gram, cross, seen = np.zeros((most, most)), np.zeros((most, spec.horizon)), 0
    size = max(1, AT_ONCE // (most + spec.horizon))
    for begin in range(0, len(series), size):
        some = slice(begin, begin + size)
        x, y = _relative(panel, series[some], origins[some], most, spec)
        gram, cross, seen = gram + x.T @ x, cross + x.T @ y, seen + len(x)
    if seen < FEWEST * most or not np.trace(gram):
        return []
    return [_map(gram[-rows:, -rows:], cross[-rows:], penalty) for rows in lengths for penalty in penalties]


def of_all_rows(straight: LinearMap, panel: Panel, spec: ForecastSpec) -> LinearMap:
    """A map, fitted to all rows of a panel; as it is where too few windows of these are observed throughout."""
    found = fitted_maps(panel, panel.lengths, [straight.rows], spec, [straight.penalty])
    return found[0] if found else straight


def _map(gram: Floats, cross: Floats, penalty: float) -> LinearMap:
    """The map of least squares from X'X [L, L] and X'Y [L, horizon]."""
    ridge = penalty * np.trace(gram) / len(gram)
    found = np.linalg.solve(gram + ridge * np.eye(len(gram)), cross).T
    return LinearMap(np.ascontiguousarray(np.round(found / STEP) * STEP), penalty)


def _windows(ends: Ints, rows: int, horizon: int) -> tuple[Ints, Ints]:
    """Series and origins of windows that are spread evenly over all that there are."""
    count = np.maximum(ends - rows - horizon + 1, 0)
    total = int(count.sum())
    at = np.unique(np.linspace(0, total - 1, min(total, WINDOWS)).astype(np.int64)) if total else np.zeros(0, np.int64)
    series = np.searchsorted(np.cumsum(count), at, side="right")
    return series, rows + at - (np.cumsum(count) - count)[series]


def _relative(panel: Panel, series: Ints, origins: Ints, rows: int, spec: ForecastSpec) -> tuple[Floats, Floats]:
    """(x - l) / s and (y - l) / s of the windows that are observed throughout and not constant."""
    begin, length = panel.offsets[series], panel.lengths[series]
    found = gather(panel.targets, begin, length, origins, spec.horizon, rows, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        size = found[:, :rows].std(axis=1)
        good = np.isfinite(found).all(axis=1) & (size > 0) & np.isfinite(size)
    relative = (found[good] - found[good, rows - 1 : rows]) / size[good, None]
    return relative[:, :rows], relative[:, rows:]


def _past(panel: Panel, series: Ints, ends: Ints, rows: int) -> Floats:
    """The last rows before ends[i], the last value known in place of one that is missing, and the first one before it:
    [n, rows]. Where all are missing, the last value before them.
    """
    begin, length = panel.offsets[series], panel.lengths[series]
    found = gather(panel.targets, begin, length, ends, 0, rows, 0)
    seen = np.isfinite(found)
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), 0)
    at = np.maximum(np.maximum.accumulate(np.where(seen, np.arange(rows), -1), axis=1), first[:, None])
    past = np.take_along_axis(found, at, axis=1)
    for i in np.flatnonzero(~seen.any(axis=1)).tolist():
        before = panel.target(int(series[i]))[: ends[i]]
        past[i] = before[np.isfinite(before)][-1:] if np.isfinite(before).any() else np.nan
    return past
