"""What series are like: each is drawn from a seed as a sum or a product of parts, every part a formula with its source.

    x_t = level (1 + trend_t) + sum of seasons_t + process_t        in units of the level, or on the logarithm
    y_t = what is counted, bounded, or measured of x_t, with outliers, shifts and gaps

Or the whole series is a Gaussian process whose kernels were put together at random (KernelSynth: Ansari et al. 2024,
"Chronos"), or one of the state space models of exponential smoothing (Hyndman et al. 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats
from rnncli.pretraining import seasonal
from rnncli.pretraining.processes import autoregressive, gaussian, smoothing_process, walk
from rnncli.pretraining.trends import TRENDS

Rng = np.random.Generator

WHOLE_PROCESS, WALKS = 0.3, 0.08  # of series
WITHIN_DAYS = 24  # rows of a season: noise is smaller beside it
SLOW = (1, 4, 12)  # seasons of what goes on for years: trends are larger
WEEKLY, MORE_SEASONS = 0.7, 0.3  # of series of days and weeks
COUNTED, BOUNDED, INTERMITTENT = 0.12, 0.03, 0.05
OUTLIERS, SHIFTS, GAPS, ROUNDED, CHANGING = 0.12, 0.12, 0.06, 0.35, 0.15
NEGATIVE = 0.2  # of series that are not on the logarithm
LARGEST_LOG = 30.0


@dataclass(frozen=True)
class Kind:
    """The seasons of a frequency, the fewest and the most rows of its series, and horizons that are asked of them."""

    seasons: tuple[int, ...]
    fewest: int
    most: int
    horizons: tuple[int, ...]
    share: float


KINDS = (
    Kind((1,), 6, 90, (4, 6, 8, 13), 0.16),
    Kind((1,), 60, 1200, (10, 30, 60, 120), 0.05),
    Kind((4,), 12, 160, (4, 8, 12), 0.15),
    Kind((12,), 20, 330, (6, 12, 18, 24), 0.22),
    Kind((12,), 60, 330, (36, 60), 0.02),
    Kind((7,), 30, 700, (7, 14, 28, 56), 0.12),
    Kind((7, 365), 400, 1200, (14, 28, 30), 0.03),
    Kind((52,), 60, 500, (8, 13, 26), 0.06),
    Kind((52,), 110, 600, (52,), 0.01),
    Kind((24, 168), 340, 1000, (24, 48, 96), 0.1),
    Kind((24, 168), 500, 1200, (168, 336), 0.02),
    Kind((24,), 100, 700, (24, 48), 0.03),
    Kind((5,), 30, 600, (5, 10, 30), 0.03),
    Kind((48, 336), 700, 1300, (48, 96), 0.02),
    Kind((10,), 40, 400, (10, 20), 0.01),
    Kind((30,), 90, 500, (15, 30), 0.01),
)


def series(rng: Rng, rows: int, seasons: tuple[int, ...]) -> Floats:
    """One made-up series with these seasons, NaN where a row is missing: [rows]."""
    made = _process(rng, rows, seasons) if rng.random() < WHOLE_PROCESS else _parts(rng, rows, seasons)
    return _gapped(rng, made)


def _process(rng: Rng, rows: int, seasons: tuple[int, ...]) -> Floats:
    kind = rng.random()
    if kind < WALKS / WHOLE_PROCESS:
        x = (walk(rng, rows) + np.arange(rows) * rng.normal(0, 0.3)) * float(np.exp(rng.normal(-3.5, 1)))
        return _measured(rng, x, seasons)
    if kind < 0.5:
        x = gaussian(rng, rows, seasons)
        return _measured(rng, x * float(np.exp(rng.normal(-1.5, 0.8))), seasons)
    return _measured(rng, smoothing_process(rng, rows, seasons[0]), seasons)


def _parts(rng: Rng, rows: int, seasons: tuple[int, ...]) -> Floats:
    trend: Callable[[Rng, int], Floats] = TRENDS[int(rng.integers(len(TRENDS)))]
    growing = seasons[0] in SLOW
    x = trend(rng, rows) * float(np.exp(rng.normal(-0.7 if growing else -1.4, 1.0)))
    size = float(np.exp(rng.normal(-1.9, 0.9)))
    first, longest = seasons[0], max(seasons)
    weekly = longest == 7 * first and rng.random() < WEEKLY
    if weekly:
        x = x + size * float(np.exp(rng.normal(0.3, 0.5))) * seasonal.days_of_weeks(rng, rows, first, longest)
    for season in sorted({*seasons} - {1}) if not weekly or rng.random() < MORE_SEASONS else ():
        if rng.random() < (0.85 if season == seasons[0] else 0.6):
            x = x + size * float(np.exp(rng.normal(0, 0.5))) * seasonal.season(rng, rows, season)
    size = float(np.exp(rng.normal(-2.9 if first >= WITHIN_DAYS else -2.6, 0.9)))
    x = x + size * _noise(rng, rows, max(first, 4)) * _changing(rng, rows)
    return _measured(rng, x, seasons)


def _noise(rng: Rng, rows: int, season: int) -> Floats:
    """White, coloured or heavy-tailed noise, or a walk, whose steps over a season are of unit variance."""
    kind = rng.random()
    if kind < 0.35:
        return rng.standard_normal(rows)
    if kind < 0.65:
        return autoregressive(rng, rows)
    if kind < 0.85:
        return rng.standard_t(rng.uniform(2.5, 8), rows)
    return walk(rng, rows) / math.sqrt(season)


def _changing(rng: Rng, rows: int) -> Floats:
    """A spread that changes over time, around 1 (stochastic volatility: Taylor 1982)."""
    if rng.random() >= CHANGING:
        return np.ones(rows)
    return np.exp(0.5 * np.clip(autoregressive(rng, rows, rng.uniform(0.9, 0.99)), -4, 4))


def _measured(rng: Rng, x: Floats, seasons: tuple[int, ...]) -> Floats:
    """From what goes on to what is written down of it."""
    x = _disturbed(rng, x, seasons)
    kind, level = rng.random(), float(np.exp(rng.normal(5, 2.5)))
    if kind < COUNTED:
        mean = float(np.exp(rng.uniform(math.log(0.4), math.log(60))))
        return _counts(rng, mean * np.exp(np.clip(x - x.mean(), -5, 5)))
    if kind < COUNTED + INTERMITTENT:
        return _intermittent(rng, np.clip(x - x.mean(), -5, 5))
    if kind < COUNTED + INTERMITTENT + BOUNDED:
        share = 1 / (1 + np.exp(-(4 * (x - x.mean()) + rng.normal(0, 1.5))))
        return np.asarray(share * (100.0 if rng.random() < 0.5 else 1.0))
    if rng.random() < 0.62:
        made = level * np.exp(np.clip(x, -LARGEST_LOG, LARGEST_LOG))
    else:
        above = -float(x.min()) + float(np.exp(rng.normal(0.4, 1))) * float(np.ptp(x) + 0.1)
        made = level * (x + (rng.normal(0, 1) if rng.random() < NEGATIVE else above))
    return _rounded(rng, made)


def _disturbed(rng: Rng, x: Floats, seasons: tuple[int, ...]) -> Floats:
    rows = len(x)
    spread = float(np.abs(np.diff(x)).mean()) + 1e-3 if rows > 1 else 1e-3
    if rng.random() < OUTLIERS:
        hit = rng.random(rows) < rng.uniform(0.003, 0.03)
        x = x + hit * rng.standard_t(3, rows) * 4 * spread
    if rng.random() < SHIFTS * (2 if seasons[0] in SLOW else 1):
        for at in rng.integers(0, rows, int(rng.integers(1, 4))):
            x = x + np.where(np.arange(rows) >= at, rng.normal(0, 3 * spread), 0.0)
    return x


def _counts(rng: Rng, mean: Floats) -> Floats:
    """Counts with this mean, Poisson's or wider ones (negative binomial)."""
    if rng.random() < 0.5:
        shape = float(np.exp(rng.normal(1.2, 0.8)))
        mean = mean * rng.gamma(shape, 1 / shape, len(mean))
    return rng.poisson(np.minimum(mean, 1e6)).astype(np.float64)


def _intermittent(rng: Rng, x: Floats) -> Floats:
    """Demand now and then (Croston 1972): sizes where there is any, and how often follows x."""
    often = np.clip(rng.beta(1.2, 2.5) * np.exp(x), 0, 1)
    size = 1 + rng.poisson(float(np.exp(rng.normal(0.7, 0.9))), len(x))
    return np.asarray((rng.random(len(x)) < often) * size, np.float64)


def _rounded(rng: Rng, y: Floats) -> Floats:
    if rng.random() >= ROUNDED:
        return y
    unit = 10.0 ** round(math.log10(float(np.abs(y).mean()) + 1e-9) - rng.uniform(1.5, 3.5))
    return np.asarray(np.round(y / unit) * unit)


def _gapped(rng: Rng, y: Floats) -> Floats:
    if rng.random() >= GAPS or len(y) < 20:
        return y
    y = y.copy()
    if rng.random() < 0.5:
        y[rng.random(len(y)) < rng.uniform(0.01, 0.15)] = np.nan
    else:
        begin = int(rng.integers(0, len(y) - 5))
        y[begin : begin + int(rng.integers(2, max(3, len(y) // 8)))] = np.nan
    return y
