"""How far intervals must be stretched to hold what they promise, by split conformal prediction on held-out origins.

At each step of the horizon and each level l, the score of a forecast is r = (y - m) / (q_l - m), with m the median:
how many times too far off the truth was. Where q_l is moved to m + s (q_l - m), with s the score that the share
max(l, 1 - l) of the held-out forecasts do not exceed, a like forecast covers as promised (Romano, Patterson & Candes
2019, "Conformalized Quantile Regression"; the scores are those of a locally weighted conformal predictor, Lei et al.
2018). Scores of neighbouring steps are taken together, and s is drawn to 1 where there are few windows: what one
stretch of time did to all series is not a law.
"""

from __future__ import annotations

import numpy as np

from rnncli.tasks.forecast.features import Floats
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.validation import Validated

NEIGHBOURS = 0.2  # of the horizon, before and after a step
PRIOR_WINDOWS, PRIOR_FORECASTS = 3.0, 10.0
LARGEST = 3.0


def stretched(quantiles: Floats, stretch: Floats, spec: ForecastSpec) -> Floats:
    """Quantiles [n, horizon, q] with their distances from the median times `stretch` [horizon, q]."""
    middle = quantiles[..., spec.median, None]
    return np.asarray(middle + (quantiles - middle) * stretch[: quantiles.shape[1]])


def fitted_stretch(found: Validated, spec: ForecastSpec) -> Floats:
    """The stretch [horizon, q] that held-out rows ask for: 1 at the median, never crossing."""
    stretch = np.ones((spec.horizon, len(spec.levels)))
    reach = max(1, round(NEIGHBOURS * spec.horizon))
    actual = found.actual + _jitter(found.actual.shape) if spec.whole else found.actual
    for step in range(spec.horizon):
        near = slice(max(0, step - reach), step + reach + 1)
        for place, level in enumerate(spec.levels):
            if place != spec.median:
                stretch[step, place] = _stretch(found, actual[:, near], near, place, level, spec)
    return stretch


def _stretch(found: Validated, actual: Floats, near: slice, place: int, level: float, spec: ForecastSpec) -> float:
    middle = found.quantiles[:, near, spec.median]
    away = found.quantiles[:, near, place] - middle
    seen = ~np.isnan(actual) & (away != 0)
    if not seen.any():
        return 1.0
    scores = (actual[seen] - middle[seen]) / away[seen]
    windows, forecasts = len(np.unique(found.holdout.window[seen.any(axis=1)])), float(seen.any(axis=1).sum())
    share = max(level, 1 - level)
    asked = float(np.quantile(scores, min(1.0, share * (1 + 1 / forecasts))))
    believed = windows / (windows + PRIOR_WINDOWS) * forecasts / (forecasts + PRIOR_FORECASTS)
    return float(np.clip(asked, 1 / LARGEST, LARGEST) ** believed)


def _jitter(shape: tuple[int, ...]) -> Floats:
    """What makes counts continuous (see `features.targets`), always the same."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape)
