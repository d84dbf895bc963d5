"""The form of a metric: per forecast a numerator and a denominator, and how they add up over series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Better = Literal["lower", "higher"] | None  # None: neither, what is nearest to a nominal value is best
Terms = tuple[Floats, Floats]


@dataclass(frozen=True)
class Forecasts:
    """Forecasts beside what came true, one row a forecast (a series at one origin).

    actual [N, H] with NaN where nothing is known, point [N, H], quantiles [N, H, Q] at `levels`; scale [N] and
    squared_scale [N] are each history's own seasonal scales (NaN where undefined).
    """

    actual: Floats
    point: Floats
    quantiles: Floats
    levels: tuple[float, ...]
    scale: Floats
    squared_scale: Floats


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    `terms` gives, for each name of a column, numerator [N] and denominator [N] of every forecast. The value of a series
    is the sum of its numerators over the sum of its denominators (and the square root of it for `root`). The value over
    all is the same ratio over everything where `pooled`, otherwise the mean of the series' values. `better` says which
    values are: lower ones, higher ones, or None where it is neither, as of coverage.
    """

    terms: Callable[[Forecasts], dict[str, Terms]]
    pooled: bool
    root: bool = False
    better: Better = "lower"


@np.errstate(all="ignore")
def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Numerator / denominator, elementwise; NaN where the denominator is not above 0 or anything is not finite."""
    result = np.divide(numerator, denominator)
    return np.where((denominator > 0) & np.isfinite(denominator) & np.isfinite(result), result, np.nan)


def averaged(values: Floats) -> Terms:
    """Terms that make a series' value the plain mean of its defined `values` [N]."""
    defined = np.isfinite(values)
    return np.where(defined, values, 0.0), defined.astype(np.float64)
