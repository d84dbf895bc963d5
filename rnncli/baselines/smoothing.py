"""Exponential smoothing: damped trends and additive seasons, on the values or on their logarithms, as each series asks.

State space form of Hyndman, Koehler, Ord & Snyder 2008, "Forecasting with Exponential Smoothing", with additive errors:

    e_t = y_t - (l + phi b + s_m)        one step ahead, from the states before
    l' = l + phi b + alpha e_t           level
    b' = phi b + beta e_t                trend
    s' = s_m + gamma e_t                 the season's value at this phase

Smoothing parameters are not fitted but weighed: every combination of a small grid runs over the history, and their
forecasts are averaged by Akaike weights (Kolassa 2011, International Journal of Forecasting 27), which short histories,
in which a fit would follow the noise, are forecast better by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncli.baselines.baseline import Baseline
from rnncli.baselines.history import Floats, Integers, Observed

LONGEST = 1_000  # rows looked back on
CHUNK = 128  # series at a time
START = 8  # rows that a first level and trend are taken from
SMALLEST = 1e-24  # of a variance, where the largest value is about 1: a perfect fit is no better than this
ALPHAS = (0.05, 0.15, 0.3, 0.5, 0.75, 0.99)


@dataclass(frozen=True)
class Grid:
    """Combinations of smoothing parameters [j] and how many each is counted as having."""

    alpha: Floats
    beta: Floats
    phi: Floats
    gamma: Floats
    parameters: Floats


def grid(*, seasonal: bool) -> Grid:
    """Levels alone, and levels with a damped trend; with a season that adapts slowly or fast."""
    trends = [(0.0, 0.0, 0.0), (0.1, 0.9, 2.0), (0.3, 0.9, 2.0), (0.1, 0.98, 2.0)]  # beta over alpha, phi, parameters
    seasons = [(0.02, 2.0), (0.15, 2.0), (0.4, 2.0)] if seasonal else [(0.0, 0.0)]
    rows = [
        (alpha, alpha * share, phi, gamma * (1 - alpha), 1.0 + more + most)
        for alpha in ALPHAS
        for share, phi, more in trends
        for gamma, most in seasons
    ]
    return Grid(*np.array(rows).T)


@dataclass(frozen=True)
class Fitted:
    """Forecasts [S, H, j] and their variances, and Akaike's criterion [S, j] (infinite where a grid cannot run)."""

    point: Floats
    variance: Floats
    criterion: Floats


def smoothed(seen: Observed, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
    """Quantiles [S, horizon, Q] and medians [S, horizon]; NaN where a history has no observed value."""
    count = len(seen.ends)
    quantiles = np.full((count, horizon, len(levels)), np.nan)
    point = np.full((count, horizon), np.nan)
    known = np.flatnonzero(seen.last >= 0)
    for chunk in np.array_split(known, max(1, -(-len(known) // CHUNK))):
        if len(chunk):
            quantiles[chunk], point[chunk] = _of_some(_history(seen, chunk), horizon, season, levels)
    return quantiles, point


def _history(seen: Observed, chunk: Integers) -> Floats:
    """The last rows of some histories, ending where each ends: [s, T], NaN before the first observed value."""
    rows = int(min((seen.ends[chunk] - seen.first[chunk]).max(), LONGEST))
    at = seen.ends[chunk][:, None] + np.arange(-rows, 0)
    return np.where(at >= seen.first[chunk][:, None], seen.take(np.maximum(at, 0)), np.nan)


def _of_some(y: Floats, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
    _, exponent = np.frexp(np.nanmax(np.abs(y), axis=1))
    size = np.ldexp(1.0, exponent)[:, None]  # a power of two: twice the data are twice the forecast to the last bit
    quantiles, center = _of_sizes_near_one(y / size, horizon, season, levels)
    return quantiles * size[..., None], center * size


def _of_sizes_near_one(y: Floats, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
    positive = ~(np.where(np.isnan(y), 1.0, y) <= 0).any(axis=1)
    plain, center, variance = _combined(y, horizon, season)
    quantiles = normal(center, variance, levels)
    if positive.any():
        logs = np.log(y[positive])
        criterion, z, spread = _combined(logs, horizon, season)
        criterion = criterion + 2 * sum_of(logs)  # the density of y, not of log y
        log_quantiles = log_normal(z, spread, levels)
        share = share_of_logs(plain[positive], criterion)[:, None, None]
        quantiles[positive] = share * log_quantiles + (1 - share) * quantiles[positive]
        center[positive] = share[..., 0] * np.exp(np.clip(z, -700, 700)) + (1 - share[..., 0]) * center[positive]
    return quantiles, center


def sum_of(logs: Floats) -> Floats:
    """Sums [s] of what is observed, row after row: neither rows missing before nor other series change a bit."""
    return np.asarray(np.cumsum(np.nan_to_num(logs), axis=1)[:, -1])


def normal(center: Floats, variance: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles [..., Q] of normal distributions."""
    shape = np.array([NormalDist().inv_cdf(level) for level in levels])
    return np.asarray(center[..., None] + np.sqrt(variance)[..., None] * shape)


def log_normal(center: Floats, variance: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles [..., Q] of what has a normal logarithm."""
    return np.asarray(np.exp(np.clip(normal(center, variance, levels), -700, 700)))


def share_of_logs(values: Floats, logs: Floats) -> Floats:
    """The Akaike weight of logarithms beside that of values, from the criteria of both."""
    return np.asarray(1 / (1 + np.exp(np.clip((logs - values) / 2, -50, 50))))


def _combined(y: Floats, horizon: int, season: int) -> tuple[Floats, Floats, Floats]:
    """Criterion [S], points [S, H] and variances [S, H] over all grids that can run, by Akaike weights."""
    runs = [_fitted(y, horizon, 1, grid(seasonal=False))]
    if season > 1 and y.shape[1] >= 2 * season:
        runs.append(_fitted(y, horizon, season, grid(seasonal=True)))
    point, variance = (np.concatenate([getattr(run, name) for run in runs], axis=2) for name in ("point", "variance"))
    criterion = np.concatenate([run.criterion for run in runs], axis=1)
    return averaged(criterion, point, variance)


def averaged(criterion: Floats, point: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """The best criterion [...], and point and variance [..., H] by Akaike weights: of criteria [..., j], points and
    variances [..., H, j].
    """
    best = criterion.min(axis=-1, keepdims=True)
    weight = np.exp(-0.5 * np.minimum(criterion - best, 200.0))
    weight /= weight.sum(axis=-1, keepdims=True)
    center = (weight[..., None, :] * point).sum(axis=-1)
    between = (point - center[..., None]) ** 2
    return best[..., 0], center, (weight[..., None, :] * (variance + between)).sum(axis=-1)


def _fitted(y: Floats, horizon: int, season: int, g: Grid) -> Fitted:
    run = ran(y, season, g)
    criterion = np.where(run.enough[:, None], criterion_of(run.squares, run.count, g.parameters), np.inf)
    variance = variance_of(run.squares, run.count, g.parameters)
    return Fitted(*_ahead(run.level, run.trend, run.seasons, y.shape[1], variance, horizon, g), criterion)


@dataclass(frozen=True)
class Run:
    """Where every combination stands after the histories: level, trend and sum of squared errors [S, j], and the
    season's values [m, S, j] at rows 0, 1 ... m - 1; how many rows were observed [S, 1], and whether they were `enough`
    to begin with [S].
    """

    level: Floats
    trend: Floats
    seasons: Floats
    squares: Floats
    count: Integers
    enough: NDArray[np.bool_]


def ran(y: Floats, season: int, g: Grid) -> Run:
    """Run every combination over the histories [S, T]."""
    first = np.argmax(~np.isnan(y), axis=1)
    level, trend, seasons = _start(y, first, season, g)
    squares, count = np.zeros_like(level), (~np.isnan(y)).sum(axis=1, keepdims=True)
    for t in range(y.shape[1]):
        phase = t % season
        kept = g.phi * trend
        flat = level + kept
        error = y[:, t, None] - flat
        error -= seasons[phase]
        if np.isnan(y[:, t]).any():
            error[np.isnan(y[:, t])] = 0.0
        squares += error * error
        seasons[phase] += g.gamma * error
        flat += g.alpha * error
        kept += g.beta * error
        waits = t < first
        if waits.any():
            flat[waits], kept[waits] = level[waits], trend[waits]
        level, trend = flat, kept
    enough = y.shape[1] - first >= (2 * season if season > 1 else 1)
    return Run(level, trend, seasons, squares, count, enough)


def criterion_of(squares: Floats, count: Integers, parameters: Floats) -> Floats:
    """Akaike's, of so many observed rows."""
    return np.asarray(count * np.log(np.maximum(squares / np.maximum(count, 1), SMALLEST)) + 2 * parameters)


def variance_of(squares: Floats, count: Integers, parameters: Floats) -> Floats:
    """Of an error one step ahead: larger than it was in the rows that the parameters were weighed by."""
    inflation = np.minimum(1 + parameters / np.maximum(count - parameters, 1), 2.0)
    return np.asarray(squares / np.maximum(count, 1) * inflation)


def _ahead(
    level: Floats, trend: Floats, seasons: Floats, now: int, variance: Floats, horizon: int, g: Grid
) -> tuple[Floats, Floats]:
    """Forecasts and their variances [S, H, j]: sigma^2 (1 + sum c_i^2), c_i = alpha + beta phi_i + gamma [m | i]."""
    ahead = np.arange(1, horizon + 1)
    damped, growth = damping_and_growth(g, len(seasons), horizon)
    point = level[:, None] + trend[:, None] * damped + np.moveaxis(seasons[(now + ahead - 1) % len(seasons)], 0, 1)
    return point, variance[:, None] * growth


def damping_and_growth(g: Grid, season: int, horizon: int) -> tuple[Floats, Floats]:
    """How far a trend has gone at each step, phi + ... + phi^i, and how much the variance has grown: [H, j]."""
    ahead = np.arange(1, horizon + 1)[:, None]
    damped = np.cumsum(g.phi**ahead, axis=0)
    c = g.alpha + g.beta * damped + g.gamma * (ahead % season == 0)
    return damped, 1 + np.cumsum(np.concatenate([np.zeros((1, len(g.phi))), c[:-1] ** 2]), axis=0)


def _start(y: Floats, first: Integers, season: int, g: Grid) -> tuple[Floats, Floats, Floats]:
    """Level and trend [S, j] before the first row, and the season's values [m, S, j]."""
    rows = 2 * season if season > 1 else START
    at = first[:, None] + np.arange(rows)
    inside = at < y.shape[1]
    z = np.where(inside, np.take_along_axis(y, np.where(inside, at, 0), axis=1), np.nan)
    mean, slope = _line(z, season)
    away = z - mean - slope * (np.arange(rows) - (rows - 1) / 2)
    values = np.zeros((season, len(y), 1))
    if season > 1:
        folded = away.reshape(len(y), 2, season)
        known = ~np.isnan(folded)
        profile = np.where(known, folded, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        phase = (first[:, None] + np.arange(season)) % season
        values[phase, np.arange(len(y))[:, None], 0] = profile - profile.mean(axis=1, keepdims=True)
    trended = g.phi > 0
    begin = np.where(trended, mean - slope * (rows + 1) / 2, mean)
    return begin, np.where(trended, slope, 0.0), np.repeat(values, len(g.phi), axis=2)


def _line(z: Floats, season: int) -> tuple[Floats, Floats]:
    """Mean and slope of the first rows [S, 1] each: between the two seasons, or by least squares, drawn to 0."""
    t = np.arange(z.shape[1]) - (z.shape[1] - 1) / 2
    seen = ~np.isnan(z)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    mean = np.where(seen, z, 0.0).sum(axis=1, keepdims=True) / count
    if season > 1:
        halves = z.reshape(len(z), 2, season)
        known = ~np.isnan(halves)
        means = np.where(known, halves, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
        both = np.all(known.any(axis=2), axis=1)
        slope = np.where(both, (means[:, 1] - means[:, 0]) / season, 0.0)[:, None]
        return mean, slope
    middle = np.where(seen, t, 0.0).sum(axis=1, keepdims=True) / count
    spread = np.where(seen, (t - middle) ** 2, 0.0).sum(axis=1, keepdims=True)
    slope = np.where(seen, (t - middle) * (z - mean), 0.0).sum(axis=1, keepdims=True) / (spread + 2.0)
    return mean - slope * middle, slope


exponential_smoothing = Baseline("exponential smoothing", smoothed)
