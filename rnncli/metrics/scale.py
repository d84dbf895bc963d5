"""In-sample scales: how far a series moves from one season to the next, the unit of MASE, RMSSE and MSIS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Floats, ratio


def seasonal_scale(history: Floats, season: int) -> float:
    """Mean of |y_t - y_{t-m}| over a history [n] with m = `season` (Hyndman & Koehler 2006, equation for q_t).

    Pairs with a missing value are left out. NaN if there is no pair or all differences are 0.
    """
    return float(seasonal_scales(history, _whole(history), season)[0])


@np.errstate(all="ignore")
def seasonal_scales(values: Floats, offsets: NDArray[np.int64], season: int, power: int = 1) -> Floats:
    """The scale of every series of a flat panel: values [rows], offsets [S + 1] -> [S].

    `power` 1 gives the mean absolute, 2 the mean squared seasonal difference.
    """
    lengths = np.diff(offsets)
    series = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.arange(offsets[0], offsets[-1])
    later = rows[rows - offsets[series] >= season]
    moved = np.abs(values[later] - values[later - season]) ** power
    seen = ~np.isnan(moved)
    owner = series[later[seen] - offsets[0]]
    total = np.bincount(owner, weights=moved[seen], minlength=len(lengths)).astype(np.float64)
    mean = ratio(total, np.bincount(owner, minlength=len(lengths)).astype(np.float64))
    return np.where(mean > 0, mean, np.nan)


def _whole(history: Floats) -> NDArray[np.int64]:
    return np.array([0, len(history)], dtype=np.int64)
