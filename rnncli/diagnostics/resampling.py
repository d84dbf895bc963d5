"""Intervals by the bootstrap (Efron 1979) over series and, within each, over origins."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Interval = tuple[float, float]

RESAMPLES = 400
FEWEST = 5  # series, or origins of one series, for an interval
COVERED = 0.9


def draws(groups: Ints, resamples: int = RESAMPLES, seed: int = 0) -> Floats | None:
    """The number of times that each row is drawn: [resamples, rows], or None where there are too few.

    Rows of one group are origins of one series. Series are drawn first and then as many origins in each as it has,
    because origins of one series resemble each other; with fewer than five series, origins alone are drawn.
    """
    return _drawn(groups.astype(np.int64).tobytes(), resamples, seed)


@lru_cache(maxsize=4)  # a report asks for some twenty intervals over the same rows
def _drawn(rows: bytes, resamples: int, seed: int) -> Floats | None:
    rng, groups = np.random.default_rng(seed), np.frombuffer(rows, np.int64)
    series, place = np.unique(groups, return_inverse=True)
    if len(series) < FEWEST:
        return None if len(groups) < FEWEST else _counts(rng.integers(len(groups), size=(resamples, len(groups))))
    members = [np.flatnonzero(place == s) for s in range(len(series))]
    return np.stack([_one_draw(rng, members, len(groups)) for _ in range(resamples)])


def _one_draw(rng: np.random.Generator, members: list[Ints], rows: int) -> Floats:
    chosen = [members[s] for s in rng.integers(len(members), size=len(members))]
    drawn = np.concatenate([of_series[rng.integers(len(of_series), size=len(of_series))] for of_series in chosen])
    return np.bincount(drawn, minlength=rows).astype(np.float64)


def _counts(drawn: Ints) -> Floats:
    rows = drawn.shape[1]
    return np.stack([np.bincount(one, minlength=rows) for one in drawn]).astype(np.float64)


def middle(values: Floats, covered: float = COVERED) -> Interval | None:
    """The middle 90 % of what the resamples gave; None where most of them gave nothing."""
    finite = values[np.isfinite(values)]
    if len(finite) * 2 < len(values) or not len(finite):
        return None
    low, high = np.quantile(finite, (0.5 - covered / 2, 0.5 + covered / 2))
    return float(low), float(high)


def interval(groups: Ints, statistic: Callable[[Floats], Floats], resamples: int = RESAMPLES) -> Interval | None:
    """The interval of a statistic: counts [resamples, rows] -> values [resamples]."""
    counts = draws(groups, resamples)
    if counts is None:
        return None
    with np.errstate(all="ignore"):
        return middle(statistic(counts))


def mean_interval(values: Floats, groups: Ints) -> Interval | None:
    """The interval of a mean over rows [rows]."""
    return interval(groups, lambda counts: counts @ values / counts.sum(axis=1))
