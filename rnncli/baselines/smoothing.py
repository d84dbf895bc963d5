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
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.baselines.baseline import Baseline
from rnncli.baselines.history import Integers, Observed

Flags = NDArray[np.bool_]

LONGEST = 1_000  # rows looked back on
CHUNK = 128  # series at a time,
STATES = 1 << 22  # or values of a season, for all combinations
FORECASTS = 1 << 19  # at a time, of all combinations: few enough to stay in the processor's cache
START = 8  # rows that a first level and trend are taken from
SMALLEST = 1e-24  # of a variance, where the largest value is about 1: a perfect fit is no better than this
START_STATE = 0.25  # of a parameter
ALPHAS = (0.05, 0.15, 0.3, 0.5, 0.75, 0.99)


@dataclass(frozen=True)
class Grid:
    """Combinations of smoothing parameters [j] and how many each is counted as having."""

    alpha: Floats
    beta: Floats
    phi: Floats
    gamma: Floats
    parameters: Floats


def grid(season: int) -> Grid:
    """Levels alone, and levels with a damped trend; with a season, of more than one row, that adapts slowly or fast.

    A value of the season before the first row counts as a quarter of a parameter: it is not fitted, but taken from two
    rows, and forgotten.
    """
    trends = [(0.0, 0.0, 0.0), (0.1, 0.9, 2.0), (0.3, 0.9, 2.0), (0.1, 0.98, 2.0)]  # beta over alpha, phi, parameters
    more_than_one = 2.0 + START_STATE * (season - 1)
    seasons = [(gamma, more_than_one) for gamma in (0.02, 0.15, 0.4)] if season > 1 else [(0.0, 0.0)]
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


@dataclass(frozen=True)
class _Histories:
    """Rows y [g, T] that end at the right, NaN before the first observed one, and N forecasts: each is from the first
    `stop` columns of a `row` of y.
    """

    y: Floats
    row: Integers
    stop: Integers

    def of(self, rows: Flags, y: Floats) -> _Histories:
        """The histories of the flagged rows alone, whose values are `y`."""
        some = rows[self.row]
        return _Histories(y, (np.cumsum(rows) - 1)[self.row[some]], self.stop[some])


def smoothed(seen: Observed, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
    """Quantiles [S, horizon, Q] and medians [S, horizon]; NaN where a history has no observed value."""
    count = len(seen.ends)
    quantiles = np.full((count, horizon, len(levels)), np.nan)
    point = np.full((count, horizon), np.nan)
    known = np.flatnonzero(seen.last >= 0)
    size = max(1, min(CHUNK, STATES // (season * len(grid(season).alpha))))
    for chunk in np.array_split(known, max(1, -(-len(known) // size))):
        if len(chunk):
            quantiles[chunk], point[chunk] = _of_some(_histories(seen, chunk, season), horizon, season, levels)
    return quantiles, point


def _histories(seen: Observed, chunk: Integers, season: int) -> _Histories:
    """Some histories; where they begin with one another, one run over the longest passes through all of them."""
    leads = [not _goes_on(seen, one, other, season) for one, other in pairwise(chunk.tolist())] + [True]
    leaders = chunk[leads]
    row = np.cumsum([0, *leads[:-1]])
    y = _history(seen, leaders)
    length = seen.ends - seen.first
    return _Histories(y, row, y.shape[1] - np.maximum(length[leaders][row] - length[chunk], 0))


def _goes_on(seen: Observed, one: int, other: int, season: int) -> bool:
    """Whether a history begins with another one that is run in the same way: on the same scale, its start from rows
    that both have.
    """
    y, longer = (seen.values[seen.first[i] : seen.ends[i]] for i in (one, other))
    if not max(START, 2 * season) <= len(y) <= len(longer) <= LONGEST:
        return False
    return y[0] == longer[0] and y.tobytes() == longer[: len(y)].tobytes() and _scale_of(y) == _scale_of(longer)


def _scale_of(y: Floats) -> tuple[int, bool]:
    """The power of two that values are divided by, and whether they have logarithms."""
    return int(np.frexp(np.nanmax(np.abs(y)))[1]), bool((y <= 0).any())


def _history(seen: Observed, chunk: Integers) -> Floats:
    """The last rows of some histories, ending where each ends: [s, T], NaN before the first observed value."""
    rows = int(min((seen.ends[chunk] - seen.first[chunk]).max(), LONGEST))
    at = seen.ends[chunk][:, None] + np.arange(-rows, 0)
    return np.where(at >= seen.first[chunk][:, None], seen.take(np.maximum(at, 0)), np.nan)


def _of_some(seen: _Histories, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
    _, exponent = np.frexp(np.nanmax(np.abs(seen.y), axis=1))
    size = np.ldexp(1.0, exponent)[:, None]  # a power of two: twice the data are twice the forecast to the last bit
    quantiles, center = _of_sizes_near_one(replace(seen, y=seen.y / size), horizon, season, levels)
    return quantiles * size[seen.row][..., None], center * size[seen.row]


def _of_sizes_near_one(seen: _Histories, horizon: int, season: int, levels: Sequence[float]) -> tuple[Floats, Floats]:
    positive: Flags = np.asarray(~(np.where(np.isnan(seen.y), 1.0, seen.y) <= 0).any(axis=1))
    plain, center, variance = _combined(seen, horizon, season)
    quantiles = normal(center, variance, levels)
    if positive.any():
        logs = seen.of(positive, np.log(seen.y[positive]))
        criterion, z, spread = _combined(logs, horizon, season)
        criterion = criterion + 2 * _sums_of(logs)  # the density of y, not of log y
        log_quantiles = log_normal(z, spread, levels)
        here = positive[seen.row]
        share = share_of_logs(plain[here], criterion)[:, None, None]
        quantiles[here] = share * log_quantiles + (1 - share) * quantiles[here]
        center[here] = share[..., 0] * np.exp(np.clip(z, -700, 700)) + (1 - share[..., 0]) * center[here]
    return quantiles, center


def _sums_of(seen: _Histories) -> Floats:
    return np.asarray(np.cumsum(np.nan_to_num(seen.y), axis=1)[seen.row, seen.stop - 1])


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


def _combined(seen: _Histories, horizon: int, season: int) -> tuple[Floats, Floats, Floats]:
    """Criterion [N], points [N, H] and variances [N, H] over all grids that can run, by Akaike weights."""
    grids = [grid(1)]
    runs = [ran(seen.y, 1, grids[0], seen.row, seen.stop)]
    if season > 1 and seen.y.shape[1] >= 2 * season:
        grids.append(grid(season))
        runs.append(ran(seen.y, season, grids[1], seen.row, seen.stop))
    count = len(seen.row)
    best, center, spread = np.empty(count), np.empty((count, horizon)), np.empty((count, horizon))
    at_once = max(1, FORECASTS // (horizon * sum(len(g.alpha) for g in grids)))
    for begin in range(0, count, at_once):
        some = slice(begin, begin + at_once)
        fitted = [_fitted(run.at(some), horizon, g) for run, g in zip(runs, grids, strict=True)]
        point, variance = (np.concatenate([getattr(one, kind) for one in fitted], 2) for kind in ("point", "variance"))
        criterion = np.concatenate([one.criterion for one in fitted], axis=1)
        best[some], center[some], spread[some] = averaged(criterion, point, variance)
    return best, center, spread


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


def _fitted(run: Run, horizon: int, g: Grid) -> Fitted:
    criterion = np.where(run.enough[:, None], criterion_of(run.squares, run.count, g.parameters), np.inf)
    variance = variance_of(run.squares, run.count, g.parameters)
    return Fitted(*_ahead(run, variance, horizon, g), criterion)


@dataclass(frozen=True)
class Run:
    """Where every combination stands after N histories: level, trend and sum of squared errors [N, j], and the
    season's values [m, N, j] at rows 0, 1 ... m - 1; how many `rows` there were and how many were observed [N, 1], and
    whether they were `enough` to begin with [N].
    """

    level: Floats
    trend: Floats
    seasons: Floats
    squares: Floats
    rows: Integers
    count: Integers
    enough: Flags

    def at(self, some: slice) -> Run:
        """After some of the histories."""
        parts = (self.squares[some], self.rows[some], self.count[some], self.enough[some])
        return Run(self.level[some], self.trend[some], self.seasons[:, some], *parts)


def ran(y: Floats, season: int, g: Grid, row: Integers | None = None, stop: Integers | None = None) -> Run:
    """Run every combination over the histories [S, T], each to its end, or to all ends of N of them: the first stop[i]
    columns of row[i].
    """
    row = np.arange(len(y)) if row is None else row
    stop = np.full(len(row), y.shape[1]) if stop is None else stop
    first, missing = np.argmax(~np.isnan(y), axis=1), np.isnan(y)
    some_missing, latest = np.asarray(missing.any(axis=0)), int(first.max(initial=0))
    level, trend, seasons = _start(y, first, season, g)
    squares = np.zeros_like(level)
    kept, flat, error, product = (np.empty_like(level) for _ in range(4))
    found = [np.empty((len(row), len(g.alpha))) for _ in range(3)]
    values = np.empty((season, len(row), len(g.alpha)))
    ending = {at: np.flatnonzero(stop == at) for at in np.unique(stop).tolist()}
    for t in range(y.shape[1]):
        np.multiply(g.phi, trend, out=kept)
        np.add(level, kept, out=flat)
        np.subtract(y[:, t, None], flat, out=error)
        if season > 1:
            error -= seasons[t % season]
        if some_missing[t]:
            error[missing[:, t]] = 0.0
        squares += np.multiply(error, error, out=product)
        if season > 1:
            seasons[t % season] += np.multiply(g.gamma, error, out=product)
        flat += np.multiply(g.alpha, error, out=product)
        kept += np.multiply(g.beta, error, out=product)
        if t < latest:
            waits = t < first
            flat[waits], kept[waits] = level[waits], trend[waits]
        level, flat, trend, kept = flat, level, kept, trend
        if t + 1 in ending:
            here = ending[t + 1]
            for part, now in zip(found, (level, trend, squares), strict=True):
                part[here] = now[row[here]]
            values[:, here] = seasons[:, row[here]]
    count = np.cumsum(~missing, axis=1)[row, stop - 1][:, None]
    enough = stop - first[row] >= (2 * season if season > 1 else 1)
    return Run(found[0], found[1], values, found[2], stop[:, None], count, enough)


def criterion_of(squares: Floats, count: Integers, parameters: Floats) -> Floats:
    """Akaike's, of so many observed rows."""
    return np.asarray(count * np.log(np.maximum(squares / np.maximum(count, 1), SMALLEST)) + 2 * parameters)


def variance_of(squares: Floats, count: Integers, parameters: Floats) -> Floats:
    """The variance of an error one step ahead: larger than it was in the rows that the parameters were weighed by."""
    inflation = np.minimum(1 + parameters / np.maximum(count - parameters, 1), 2.0)
    return np.asarray(squares / np.maximum(count, 1) * inflation)


def _ahead(run: Run, variance: Floats, horizon: int, g: Grid) -> tuple[Floats, Floats]:
    """Forecasts and their variances [N, H, j]: sigma^2 (1 + sum c_i^2), c_i = alpha + beta phi_i + gamma [m | i]."""
    season, ahead = len(run.seasons), np.arange(1, horizon + 1)
    damped, growth = damping_and_growth(g, season, horizon)
    seasons = run.seasons[(run.rows + ahead - 1) % season, np.arange(len(run.rows))[:, None]]
    return run.level[:, None] + run.trend[:, None] * damped + seasons, variance[:, None] * growth


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
