"""What a network sees whose weights fit every season and horizon: lags in seasons, and steps ahead in rows and seasons.

Of a season m and a longest season M (both 1 where there is none), beside the last values:

    y_(t + 1 - m), y_(t - m), y_(t - 2 m), y_(t + 1 - M)        where the season stands
    log m, log M                                              how long it is
    log(1 + k), k / m                                         how far ahead step k is
"""

from __future__ import annotations

import math

import numpy as np

from rnncli.arrays import Floats, Inputs

WINDOW = 8  # last values
ONE_PASS = 720  # steps ahead at most; more are forecast in blocks
LAGS, KINDS, KNOWN = 4, 3, 5
FARTHEST = 8.0  # seasons ahead that are told apart


def lags(seasons: tuple[int, ...]) -> tuple[int, ...]:
    """How many rows back the values lie that say where the seasons stand."""
    first, longest = seasons[0], max(seasons)
    return (first - 1, first, 2 * first, longest - 1)


def kinds(seasons: tuple[int, ...]) -> tuple[float, ...]:
    """What the seasons are."""
    first, longest = seasons[0], max(seasons)
    return (math.log(first) / 4, float(longest > first), math.log(longest) / 6)


def lagged(z: Floats, seasons: tuple[int, ...], start: int, steps: int) -> Floats:
    """The values z [n, rows] so far before each of `steps` rows from row `start` on: [n, steps, 4]; NaN before the
    first row.
    """
    at = start + np.arange(steps)[:, None] - np.array(lags(seasons))
    return np.where(at >= 0, z[:, np.maximum(at, 0)], np.nan)


def ahead(horizon: int, seasons: tuple[int, ...]) -> Inputs:
    """What is known of each step of the horizon: [horizon, 5]."""
    step, first = np.arange(1, horizon + 1), seasons[0]
    seasonal = float(first > 1)
    cycles = np.minimum(step / first, FARTHEST) / 4 * seasonal
    constants = (seasonal, math.log(first) / 4, float(max(seasons) > first))
    told = [np.log1p(step) / 3, cycles, *(np.full(horizon, value) for value in constants)]
    return np.stack(told, axis=1).astype(np.float32)
