"""Calibration of intervals by split conformal prediction on held-out origins: they cover as much as they promise.

At each step of the horizon and each level l, the score of a forecast is r = (y - m) / (q_l - m), with m the median:
how many times too far off the truth was. Where q_l is moved to m + s (q_l - m), with s the score that the share
max(l, 1 - l) of the held-out forecasts do not exceed, a like forecast covers as promised (Romano, Patterson & Candes
2019, "Conformalized Quantile Regression"; the scores are those of a locally weighted conformal predictor, Lei et al.
2018). Scores of neighbouring steps are taken together, and s is drawn to 1 where there are few windows: what one
period of time did to all series is not a law.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.validation import Validated

NEIGHBOURS = 0.2  # of the horizon, before and after a step
PRIOR_WINDOWS, PRIOR_FORECASTS = 3.0, 10.0
LARGEST = 3.0
LARGEST_YOUNG, PRIOR_YOUNG = 20.0, 1.0
ANCHORS = 8  # steps of the horizon at which intervals of young series are calibrated


def calibrated(quantiles: Floats, factors: Floats, spec: ForecastSpec) -> Floats:
    """Quantiles [n, horizon, q] with their distances from the median times `factors` [horizon, q], or one for each."""
    middle = quantiles[..., spec.median, None]
    return np.asarray(middle + (quantiles - middle) * factors)


def fitted_calibration(found: Validated, spec: ForecastSpec) -> Floats:
    """The factors [horizon, q] that held-out rows ask for: 1 at the median, never crossing."""
    factors = np.ones((spec.horizon, len(spec.levels)))
    reach = max(1, round(NEIGHBOURS * spec.horizon))
    actual = found.actual + _jitter(found.actual.shape) * found.support.whole[:, None]
    for step in range(spec.horizon):
        near = slice(max(0, step - reach), step + reach + 1)
        for place, level in enumerate(spec.levels):
            if place != spec.median:
                factors[step, place] = _factor(found, actual[:, near], near, place, level, spec)
    return factors


def fitted_young(found: Sequence[Validated], spec: ForecastSpec) -> Floats:
    """The factors [k, horizon, q] of forecasts from each of the k numbers of rows of `spec.young`: asked for at some
    steps, and between them what lies between.
    """
    factors = np.ones((len(spec.young), spec.horizon, len(spec.levels)))
    anchors = np.unique(np.linspace(0, spec.horizon - 1, ANCHORS).round().astype(np.int64))
    reach = max(1, round(NEIGHBOURS * spec.horizon))
    for own, one in zip(factors, found, strict=True):
        actual = one.actual + _jitter(one.actual.shape) * one.support.whole[:, None]
        independent = len(np.unique(one.holdout.series)) + len(np.unique(one.holdout.window)) - 1
        for place, level in enumerate(spec.levels):
            near = [slice(max(0, step - reach), step + reach + 1) for step in anchors.tolist()]
            asked = [_asked_of_young(one, actual[:, some], some, place, level, independent, spec) for some in near]
            own[:, place] = np.interp(np.arange(spec.horizon), anchors, asked)
    return factors


def _asked_of_young(
    found: Validated, actual: Floats, near: slice, place: int, level: float, independent: int, spec: ForecastSpec
) -> float:
    scores = np.zeros(0) if place == spec.median else _scores(found, actual, near, place, spec)[0]
    if not len(scores):
        return 1.0
    believed = independent / (independent + PRIOR_YOUNG)
    return float(np.clip(_asked(scores, level, independent), 1 / LARGEST, LARGEST_YOUNG) ** believed)


def calibrated_young(quantiles: Floats, factors: Floats, rows: Ints, spec: ForecastSpec) -> Floats:
    """Quantiles [n, horizon, q] of series of so many `rows` [n], calibrated as such rows ask for."""
    own = factors[np.minimum(np.searchsorted(spec.young, rows), len(spec.young) - 1)]
    return calibrated(quantiles, own, spec)


def calibrated_unproven(quantiles: Floats, rows: Ints, spec: ForecastSpec) -> Floats:
    """Quantiles [n, horizon, q] that no held-out rows have proven, as far from the median as those of a value of which
    mean and variance come from so many `rows` [n]: Student's t times sqrt(1 + 1 / n) instead of the normal z, by the
    first terms of its expansion in 1 / (n - 1) (Fisher & Cornish 1960).
    """
    freedom = np.maximum(rows - 1, 1)[:, None]
    z = np.array([NormalDist().inv_cdf(level) for level in spec.levels])
    wider = 1 + (z**2 + 1) / (4 * freedom) + (5 * z**4 + 16 * z**2 + 3) / (96 * freedom**2)
    factors = np.minimum(wider * np.sqrt(1 + 1 / np.maximum(rows, 1))[:, None], LARGEST)
    return calibrated(quantiles, factors[:, None, :], spec)


def _factor(found: Validated, actual: Floats, near: slice, place: int, level: float, spec: ForecastSpec) -> float:
    scores, seen = _scores(found, actual, near, place, spec)
    if not len(scores):
        return 1.0
    windows, forecasts = len(np.unique(found.holdout.window[seen])), float(seen.sum())
    believed = windows / (windows + PRIOR_WINDOWS) * forecasts / (forecasts + PRIOR_FORECASTS)
    return float(np.clip(_asked(scores, level, forecasts), 1 / LARGEST, LARGEST) ** believed)


def _scores(
    found: Validated, actual: Floats, near: slice, place: int, spec: ForecastSpec
) -> tuple[Floats, NDArray[np.bool_]]:
    """The scores of one level at some steps, and which forecasts they are from."""
    middle = found.quantiles[:, near, spec.median]
    away = found.quantiles[:, near, place] - middle
    seen = ~np.isnan(actual) & (away != 0)
    return (actual[seen] - middle[seen]) / away[seen], seen.any(axis=1)


def _asked(scores: Floats, level: float, independent: float) -> float:
    """The factor that so many independent scores ask for."""
    share = max(level, 1 - level)
    return float(np.quantile(scores, min(1.0, share * (1 + 1 / independent))))


def _jitter(shape: tuple[int, ...]) -> Floats:
    """What makes counts continuous (see `features.targets`), always the same."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape)
