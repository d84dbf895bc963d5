"""Metrics of the time to the next event, from the quantiles that were said of it; events that end a document have none.

Where no time was said, or none came, a metric is NaN.
"""

from __future__ import annotations

import math

import numpy as np

from rnncli.arrays import Bools, Floats
from rnncli.metrics.quantile import coverage, pinball
from rnncli.metrics.tokens import Predicted, TokenMetric

LOW, HIGH = 0.1, 0.9


def mae_days(predicted: Predicted) -> float:
    """Mean absolute error of the median of the time to the next event, in days."""
    return math.nan if predicted.count else _mae(predicted)


def mae_steps(predicted: Predicted) -> float:
    """Mean absolute error of the median of the time to the next event, in steps, where whole numbers count them."""
    return _mae(predicted) if predicted.count else math.nan


def pinball_days(predicted: Predicted) -> float:
    """Mean over levels of the quantile loss of the time to the next event, times 2, in days: of the median alone it is
    the absolute error.
    """
    known = _known(predicted)
    if known is None or predicted.count:
        return math.nan
    waits, waited = known
    return float(2 * pinball(waited, waits, predicted.levels).mean())


def coverage_80(predicted: Predicted) -> float:
    """Share of the times to the next event that lie between the quantiles of 10% and 90%."""
    known = _known(predicted)
    if known is None or not {LOW, HIGH} <= set(predicted.levels):
        return math.nan
    waits, waited = known
    low, high = (waits[:, predicted.levels.index(level)] for level in (LOW, HIGH))
    return float(coverage(waited, low, high))


def _mae(predicted: Predicted) -> float:
    known = _known(predicted)
    if known is None:
        return math.nan
    waits, waited = known
    return float(np.abs(waited - waits[:, predicted.levels.index(0.5)]).mean())


def _known(predicted: Predicted) -> tuple[Floats, Floats] | None:
    """What was said and what came, where both are known; None where nothing is."""
    if predicted.waits is None or predicted.waited is None:
        return None
    known: Bools = ~np.isnan(predicted.waited) & ~np.isnan(predicted.waits).any(axis=1)
    return (predicted.waits[known], predicted.waited[known]) if known.any() else None


MAE_DAYS = TokenMetric(mae_days, better="lower")
PINBALL_DAYS = TokenMetric(pinball_days, better="lower")
MAE_STEPS = TokenMetric(mae_steps, better="lower")
COVERAGE = TokenMetric(coverage_80, better=None, called="coverage_80")
