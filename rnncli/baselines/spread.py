"""How far a naive forecast was off in the history itself: the growth of its error with the lag, and its shape.

The error of a naive forecast `k` steps (seasons) ahead is the difference of values `k` steps (seasons) apart, so that a
history tells the spread of each; where it is too short for that, the error grows as a random walk's does.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from rnncli.arrays import Floats
from rnncli.baselines.history import Integers, Observed, mean_per_series

ENOUGH = 8
LAGS = 12


def error_spread(seen: Observed, lag: int, apart: Integers) -> Floats:
    """Root mean square [S, H] of the differences over `apart` [S, H] times `lag` steps; 0 where nothing is known.

    Up to `LAGS` lags are measured, from at least `ENOUGH` pairs each; between them variance per lag is interpolated.
    """
    farthest = max(-(-apart.shape[1] // lag), 1)
    measured = np.unique(np.geomspace(1, farthest, LAGS).round().astype(np.int64))
    rates = np.stack([_rate(seen, lag, int(times)) for times in measured], axis=1)
    nothing = np.isnan(rates).all(axis=1, keepdims=True)
    rates = _filled(np.where(nothing, _walk_rate(seen)[:, None] * lag, rates))
    where = np.minimum(np.maximum(apart, 1), farthest)
    low = np.searchsorted(measured, where, side="right") - 1
    high = np.minimum(low + 1, len(measured) - 1)
    share = (where - measured[low]) / np.maximum(measured[high] - measured[low], 1)
    rate = np.take_along_axis(rates, low, 1) * (1 - share) + np.take_along_axis(rates, high, 1) * share
    return np.asarray(np.sqrt(rate * apart))


def error_shape(seen: Observed, lag: int, levels: Sequence[float]) -> Floats:
    """Quantiles [S, Q] of the differences over `lag` steps, made symmetric, in units of their root mean square.

    A normal distribution's where there are fewer than `ENOUGH` differences. Exactly 0 at the median.
    """
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    moved, owner = seen.differences(lag)
    count = np.bincount(owner, minlength=len(seen.ends))
    begins = np.cumsum(count) - count
    root = np.sqrt(mean_per_series(moved**2, owner, len(count)))[:, None]
    place = np.abs(2 * np.asarray(levels) - 1) * (count[:, None] + 1)
    exact = _at_place(_ascending(np.abs(moved), begins, count), begins, count, place)
    with np.errstate(invalid="ignore"):
        shape = np.sign(normal) * exact / np.where(root > 0, root, 1.0)
    return np.where(count[:, None] >= ENOUGH, shape, normal)


def _ascending(sizes: Floats, begins: Integers, count: Integers) -> Floats:
    """Sorts in place within each series: many times faster than one sort by series and size."""
    for begin, length in zip(begins.tolist(), count.tolist(), strict=True):
        sizes[begin : begin + length].sort()
    return sizes


def _at_place(ordered: Floats, begins: Integers, count: Integers, place: Floats) -> Floats:
    """Order statistics at fractional places [S, Q] (1 is the smallest, 0 stands for 0), held at the largest."""
    if not len(ordered):
        return np.zeros_like(place)
    place = np.minimum(place, count[:, None])
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, count[:, None])
    below, above = (
        np.where(at > 0, ordered[np.clip(begins[:, None] + at - 1, 0, len(ordered) - 1)], 0.0) for at in (low, high)
    )
    return below + (above - below) * (place - low)


def _rate(seen: Observed, lag: int, times: int) -> Floats:
    """Mean squared difference over `times` lags, per lag [S]; NaN below `ENOUGH` pairs (any pair counts at one lag)."""
    moved, owner = seen.differences(lag * times)
    enough = np.bincount(owner, minlength=len(seen.ends)) >= (1 if times == 1 else ENOUGH)
    return np.where(enough, mean_per_series(moved**2, owner, len(seen.ends)) / times, np.nan)


def _walk_rate(seen: Observed) -> Floats:
    """Mean square of the steps from one observed value to the next, over the time between [S]; 0 if there are none."""
    earlier, later, owner = seen.neighbours()
    squares = (seen.values[later] - seen.values[earlier]) ** 2 / (later - earlier)
    return np.nan_to_num(mean_per_series(squares, owner, len(seen.ends)), nan=0.0)


def _filled(rates: Floats) -> Floats:
    """Rates [S, lags] with each NaN replaced by the one before it, or else by the first there is."""
    order = np.arange(rates.shape[1])
    before = np.maximum.accumulate(np.where(np.isnan(rates), -1, order), axis=1)
    first = np.argmax(~np.isnan(rates), axis=1)[:, None]
    return np.take_along_axis(rates, np.where(before < 0, first, before), 1)
