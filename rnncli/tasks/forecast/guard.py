"""The guard: how far beyond everything its series has seen a forecast may go.

A forecast made on a logarithm, or by a trend, can leave all experience, and a few large series then decide every score.
So it stays within [low - r R, high + r R] of the context it was made from, R = high - low, where the reach r is 1, or
more where held-out rows went further themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, gather
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.validation import Validated

REACH = 1.0
SHARE, MARGIN = 0.99, 2.0  # twice as far as all but a hundredth of the held-out rows went


class Range(NamedTuple):
    """The lowest and the highest value [n] that each of n series has had, infinite where it bounds nothing."""

    low: Floats
    high: Floats


def seen_range(panel: Panel, series: Ints, ends: Ints, spec: ForecastSpec) -> Range:
    """The range of the context before row ends[i] of each series[i]: unbounded where fewer than two different values
    were observed.
    """
    begin = panel.offsets[series]
    past = gather(panel.targets, begin, panel.lengths[series], ends, 0, spec.context, 0)
    missing = np.isnan(past)
    low = np.where(missing, np.inf, past).min(axis=1)
    high = np.where(missing, -np.inf, past).max(axis=1)
    some = high > low
    return Range(np.where(some, low, -np.inf), np.where(some, high, np.inf))


def guarded(quantiles: Floats, seen: Range, reach: float | None) -> Floats:
    """Quantiles [n, horizon, q] no further beyond what was `seen` (see `seen_range`) than the reach."""
    if reach is None:
        return quantiles
    low, high = (side[:, None, None] for side in seen)
    return np.clip(quantiles, low - reach * (high - low), high + reach * (high - low))


def fitted_reach(panel: Panel, found: Validated, spec: ForecastSpec) -> float:
    """The reach that held-out rows ask for."""
    low, high = (side[:, None] for side in seen_range(panel, found.holdout.series, found.holdout.origins, spec))
    with np.errstate(invalid="ignore"):
        away = np.maximum(found.actual - high, low - found.actual) / (high - low)
    known = away[np.isfinite(away)]
    return max(REACH, MARGIN * float(np.quantile(known, SHARE))) if known.size else REACH
