"""The interface of a baseline: a forecast of every series of a flat panel at once, from the histories alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats
from rnncli.baselines.history import Integers, Observed, observed
from rnncli.baselines.spread import error_shape

Steps = Callable[[Observed, int, int], Floats]


@dataclass(frozen=True)
class Baseline:
    """A baseline forecast: `of` takes histories, horizon, season and quantile levels and returns quantiles
    [S, horizon, Q], which at rising levels never cross, and the point forecast [S, horizon], their median.

    A history without any observed value is forecast as NaN.
    """

    name: str
    of: Callable[[Observed, int, int, Sequence[float]], tuple[Floats, Floats]]

    def __call__(self, history: Floats, horizon: int, season: int = 1) -> Floats:
        """The point forecast of one history [n], NaN where missing -> [horizon]."""
        return np.asarray(self.points(history, _whole(history), horizon, season)[0])

    def points(self, values: Floats, offsets: Integers, horizon: int, season: int) -> Floats:
        """Point forecasts of a flat panel: values [rows], offsets [S + 1] -> [S, horizon]."""
        return self.quantiles(values, offsets, horizon, season, (0.5,))[1]

    def quantiles(
        self, values: Floats, offsets: Integers, horizon: int, season: int, levels: Sequence[float]
    ) -> tuple[Floats, Floats]:
        """Quantile forecasts [S, horizon, Q] and point forecasts [S, horizon] of a flat panel."""
        return self.of(observed(values, offsets), horizon, season, levels)


def with_errors_of_the_past(name: str, point_of: Steps, spread_of: Steps, *, seasonal: bool = False) -> Baseline:
    """A point forecast with intervals from the errors it would have made in the history itself.

    Both functions take the histories, the horizon and the season and return [S, horizon]: the forecast, and the root
    mean square of its error. `seasonal` says that it looks one season back and not one step.
    """

    def of(seen: Observed, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
        point = point_of(seen, horizon, season)
        shape = error_shape(seen, season if seasonal else 1, levels)
        return point[..., None] + spread_of(seen, horizon, season)[..., None] * shape[:, None, :], point

    return Baseline(name, of)


def with_intervals(baseline: Baseline, history: Floats, horizon: int, season: int, levels: Sequence[float]) -> Floats:
    """Quantile forecasts of one history [n] -> [horizon, Q]: see `Baseline.quantiles`."""
    return np.asarray(baseline.quantiles(history, _whole(history), horizon, season, levels)[0][0])


def _whole(history: Floats) -> Integers:
    return np.array([0, len(history)], dtype=np.int64)
