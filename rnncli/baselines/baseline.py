"""What a baseline is: a point forecast and the spread of its error, for every series of a flat panel at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.baselines.history import Floats, Integers, Observed, observed
from rnncli.baselines.spread import error_shape


@dataclass(frozen=True)
class Baseline:
    """A baseline forecast with intervals from the errors it would have made in the history itself.

    `point_of` and `spread_of` take the histories, the horizon and the season and return [S, horizon]: the forecast, and
    the root mean square of its error. `seasonal` says that it looks one season back and not one step. A history without
    any observed value is forecast as NaN.
    """

    name: str
    point_of: Callable[[Observed, int, int], Floats]
    spread_of: Callable[[Observed, int, int], Floats]
    seasonal: bool = False

    def __call__(self, history: Floats, horizon: int, season: int = 1) -> Floats:
        """The point forecast of one history [n], NaN where missing -> [horizon]."""
        return np.asarray(self.points(history, _whole(history), horizon, season)[0])

    def points(self, values: Floats, offsets: Integers, horizon: int, season: int) -> Floats:
        """Point forecasts of a flat panel: values [rows], offsets [S + 1] -> [S, horizon]."""
        return self.point_of(observed(values, offsets), horizon, season)

    def quantiles(
        self, values: Floats, offsets: Integers, horizon: int, season: int, levels: Sequence[float]
    ) -> tuple[Floats, Floats]:
        """Quantile forecasts [S, horizon, Q] and point forecasts [S, horizon] of a flat panel.

        The median is the point forecast to the bit; quantiles at rising levels never cross.
        """
        seen = observed(values, offsets)
        point = self.point_of(seen, horizon, season)
        shape = error_shape(seen, season if self.seasonal else 1, levels)
        return point[..., None] + self.spread_of(seen, horizon, season)[..., None] * shape[:, None, :], point


def with_intervals(baseline: Baseline, history: Floats, horizon: int, season: int, levels: Sequence[float]) -> Floats:
    """Quantile forecasts of one history [n] -> [horizon, Q]: see `Baseline.quantiles`."""
    return np.asarray(baseline.quantiles(history, _whole(history), horizon, season, levels)[0][0])


def _whole(history: Floats) -> Integers:
    return np.array([0, len(history)], dtype=np.int64)
