"""Trends: how the level of a made-up series goes on, of a size of about 1 over the series."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rnncli.arrays import Floats
from rnncli.pretraining.processes import walk

Rng = np.random.Generator


def none(rng: Rng, rows: int) -> Floats:
    """The level as it is."""
    del rng
    return np.zeros(rows)


def linear(rng: Rng, rows: int) -> Floats:
    """A straight line, steeper for longer series."""
    return np.linspace(0, 1, rows) * rng.normal(0, 1) * min(3.0, math.sqrt(rows / 60))


def damped(rng: Rng, rows: int) -> Floats:
    """A line that levels out (Gardner & McKenzie 1985)."""
    phi = 1 - 1 / (rows * rng.uniform(0.05, 0.6) + 1)
    slope = phi ** np.arange(rows)
    return np.asarray(np.cumsum(slope) / slope.sum() * rng.normal(0, 1.2))


def broken(rng: Rng, rows: int) -> Floats:
    """A line that breaks at one to four places (Taylor & Letham 2018)."""
    places = np.sort(rng.uniform(0, 1, int(rng.integers(1, 5))))
    slopes = rng.normal(0, 1.5, len(places) + 1)
    at = np.linspace(0, 1, rows)
    which = np.searchsorted(places, at)
    return np.asarray(np.cumsum(slopes[which]) / rows)


def logistic(rng: Rng, rows: int) -> Floats:
    """Growth up to a limit (Verhulst 1838)."""
    middle, width = rng.uniform(-0.2, 1.2), rng.uniform(0.05, 0.4)
    return np.asarray(rng.normal(0, 1.5) / (1 + np.exp(-(np.linspace(0, 1, rows) - middle) / width)))


def drifting(rng: Rng, rows: int) -> Floats:
    """A random walk with drift."""
    return walk(rng, rows) / math.sqrt(rows) * rng.uniform(0.3, 1.5) + linear(rng, rows) * 0.7


def local(rng: Rng, rows: int) -> Floats:
    """A line whose slope walks (local linear trend: Harvey 1989), and is drawn back to 0."""
    keep = 1 - 1 / rng.uniform(3, 40)
    noise, slope, made = rng.standard_normal(rows), 0.0, np.empty(rows)
    for t in range(rows):
        slope = keep * slope + noise[t]
        made[t] = slope
    made = np.cumsum(made)
    return np.asarray(made / (np.abs(made).max() + 1e-9) * rng.uniform(0.3, 1.5))


def cyclic(rng: Rng, rows: int) -> Floats:
    """A business cycle: an AR(2) process with complex roots (Yule 1927) beside a line."""
    period, decay = rng.uniform(8, max(12, rows / 2)), rng.uniform(0.9, 0.995)
    first, second = 2 * decay * math.cos(2 * math.pi / period), -(decay**2)
    noise, made = rng.standard_normal(rows + 2), np.zeros(rows + 2)
    for t in range(2, rows + 2):
        made[t] = first * made[t - 1] + second * made[t - 2] + noise[t]
    cycle = made[2:] / (made.std() + 1e-9)
    return np.asarray(0.4 * cycle * rng.uniform(0.3, 1) + 0.6 * linear(rng, rows))


TRENDS: tuple[Callable[[Rng, int], Floats], ...] = (
    none,
    none,
    linear,
    damped,
    broken,
    logistic,
    drifting,
    drifting,
    local,
    cyclic,
)
