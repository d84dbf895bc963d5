"""Exponential smoothing that is carried along, row by row: a row costs the same whatever lies before it.

At 64, 128, 256, 512 and 1,024 rows of a series, and then every 1,024, it is renewed: every combination of the grid runs
over the last rows as in `smoothing`, and the best few on values and the best few on logarithms are kept with their
states. Until the next renewal these go on alone, and Akaike weights, which follow them, are shared among them. So a
choice is never older than the half of what it was made from, and no state is a function of all rows that ever were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.baselines import smoothing
from rnncli.baselines.history import Integers
from rnncli.baselines.smoothing import LONGEST, Grid, Run

FIRST, EVERY = 64, 1_024  # rows of the first renewal, and between those of a long series
SEASONS = 3  # that a first renewal needs
KEPT = 8  # combinations on each scale
VALUES, LOGS = 0, 1
AT_ONCE = 128  # series
LARGEST_EXPONENT = 1_100  # of two, for any float64
LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Carried:
    """Where the kept combinations of S series stand: numbers in the whole grid, levels, trends and sums of squared
    errors [S, 2, KEPT], and the season's values [S, 2, KEPT, m] at rows 0, 1 ... m - 1 of the series; on the values and
    on their logarithms.

    They are of the series over a power of two, whose exponents [S, 2] are kept: that of the values grows with them.
    `count` [S] is how many rows were observed, 0 where nothing was begun; `positive` [S] whether all of them were above
    0, and `logs` [S] the sum of their logarithms.
    """

    combination: NDArray[np.uint8]
    level: Floats
    trend: Floats
    squares: Floats
    seasons: Floats
    exponent: Integers
    count: Integers
    logs: Floats
    positive: NDArray[np.uint8]

    def parts(self) -> dict[str, NDArray[Any]]:
        """The arrays by their names; the first axis of each is the series."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def is_sound(self) -> bool:
        """Whether the numbers are such that they can be gone on with."""
        of_the_grid = (self.combination >= 0) & (self.combination < len(_whole_grid(self.seasons.shape[-1]).alpha))
        of_a_float = np.abs(self.exponent) <= LARGEST_EXPONENT
        return bool(of_the_grid.all() and of_a_float.all() and (self.count >= 0).all())

    def at(self, series: Integers | slice) -> Carried:
        """Some of the series; a slice shares their memory."""
        return Carried(**{name: part[series] for name, part in self.parts().items()})

    def beside(self, other: Carried) -> Carried:
        """These series and others."""
        more = other.parts()
        return Carried(**{name: np.concatenate([part, more[name]]) for name, part in self.parts().items()})

    def copy(self) -> Carried:
        """A copy of the state, in memory of its own."""
        return Carried(**{name: part.copy() for name, part in self.parts().items()})


def nothing(series: int, season: int) -> Carried:
    """The state of series before their first renewal."""
    shape = (series, 2, KEPT)
    level, trend, squares = (np.zeros(shape) for _ in range(3))
    seasons = np.zeros((*shape, period(season)))
    exponent, count = np.zeros((series, 2), np.int64), np.zeros(series, np.int64)
    positive = np.zeros(series, np.uint8)
    return Carried(
        np.zeros(shape, np.int64), level, trend, squares, seasons, exponent, count, np.zeros(series), positive
    )


def period(season: int) -> int:
    """The season, or 1 where no two of them lie within the rows that are looked back on."""
    return season if 2 * season <= LONGEST else 1


def last_renewal(rows: Integers, season: int) -> Integers:
    """The number of rows that a series of `rows` had when it was last renewed, 0 if it was not yet."""
    _, power = np.frexp(rows // FIRST)
    doubled = FIRST << np.maximum(power - 1, 0).astype(np.int64)
    at = np.where(rows < EVERY, doubled, rows // EVERY * EVERY)
    first = min(max(FIRST, SEASONS * period(season)), EVERY)
    return np.where((rows >= FIRST) & (at >= first), at, 0)


def renew(carried: Carried, series: Integers, y: Floats, rows: Integers) -> None:
    """Begin some of the series anew, in place: from the last rows y [s, T] before row rows[i] of each, NaN before its
    first.
    """
    for begin in range(0, len(y), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        _renew(carried, series[some], y[some], rows[some])


def _renew(carried: Carried, series: Integers, y: Floats, rows: Integers) -> None:
    for part in carried.parts().values():
        part[series] = 0
    seen = ~np.isnan(y)
    carried.count[series] = seen.sum(axis=1)
    some = seen.any(axis=1)
    y, seen, rows, series = y[some], seen[some], rows[some], series[some]
    if not len(series):
        return
    _, exponent = np.frexp(np.where(seen, np.abs(y), 0.0).max(axis=1))
    carried.exponent[series] = exponent[:, None]
    z = y / np.ldexp(1.0, exponent)[:, None]
    _keep_best(carried, VALUES, series, z, rows)
    positive = (np.where(seen, z, 1.0) > 0).all(axis=1)
    if positive.any():
        logs = np.log(z[positive])
        carried.positive[series] = positive
        carried.logs[series[positive]] = smoothing.sum_of(logs)
        _keep_best(carried, LOGS, series[positive], logs, rows[positive])


def _keep_best(carried: Carried, scale: int, series: Integers, z: Floats, rows: Integers) -> None:
    """Run the whole grid over z [s, T], which ends before row rows[s], and enter the best combinations."""
    season = carried.seasons.shape[-1]
    runs = [smoothing.ran(z, 1, smoothing.grid(1))]
    if season > 1 and z.shape[1] >= 2 * season:
        runs.append(smoothing.ran(z, season, smoothing.grid(season)))
    criterion = np.concatenate([_criterion(run, z, g) for run, g in zip(runs, _grids(season), strict=False)], axis=1)
    best = np.sort(np.argsort(criterion, axis=1, kind="stable")[:, :KEPT], axis=1)
    carried.combination[series, scale] = best
    for name in ("level", "trend", "squares"):
        every = np.concatenate([getattr(run, name) for run in runs], axis=1)
        getattr(carried, name)[series, scale] = np.take_along_axis(every, best, axis=1)
    if len(runs) > 1:
        flat = np.zeros((season, *runs[0].level.shape))
        every = np.concatenate([flat, runs[1].seasons], axis=2)
        phase = (np.arange(season) - (rows[:, None] - z.shape[1])) % season
        carried.seasons[series, scale] = every[phase[:, None], np.arange(len(z))[:, None, None], best[:, :, None]]


def _criterion(run: Run, z: Floats, g: Grid) -> Floats:
    return np.where(run.enough[:, None], smoothing.criterion_of(run.squares, run.count, g.parameters), np.inf)


def _grids(season: int) -> tuple[Grid, Grid]:
    return smoothing.grid(1), smoothing.grid(max(season, 2))


def _whole_grid(season: int) -> Grid:
    one, other = _grids(season)
    return Grid(*(np.concatenate([getattr(one, field.name), getattr(other, field.name)]) for field in fields(Grid)))


def go_on(carried: Carried, y: Floats, rows: Integers, lengths: Integers) -> None:
    """Over rows rows[s] ... rows[s] + lengths[s] - 1 of each series, whose values are the first of y[s], in place."""
    going, season = carried.count > 0, carried.seasons.shape[-1]
    g = _whole_grid(season)
    for t in range(int(lengths.max(initial=0))):
        at = np.flatnonzero(going & (lengths > t))
        own = Grid(*(getattr(g, field.name)[carried.combination[at]] for field in fields(Grid)))
        _step(carried, at, y[at, t], (rows[at] + t) % season, own)


def _step(state: Carried, at: Integers, y: Floats, phase: Integers, g: Grid) -> None:
    """One row of some series, in place: the equations of `smoothing`."""
    _grow(state, at, y)
    z = y[:, None] / np.ldexp(1.0, state.exponent[at])
    logs = (state.positive[at] > 0) & (y > 0)
    z[:, LOGS] = np.log(np.where(logs, z[:, LOGS], np.nan))
    kept = g.phi * state.trend[at]
    flat = state.level[at] + kept
    error = z[..., None] - flat
    error -= state.seasons[at, :, :, phase]
    error[np.isnan(error)] = 0.0
    state.squares[at] += error * error
    state.seasons[at, :, :, phase] += g.gamma * error
    state.level[at] = flat + g.alpha * error
    state.trend[at] = kept + g.beta * error
    state.count[at] += ~np.isnan(y)
    state.logs[at] += np.where(logs, z[:, LOGS], 0.0)
    state.positive[at] &= ~(y <= 0)


def _grow(state: Carried, at: Integers, y: Floats) -> None:
    """Where a value is beyond the power of two of its series, take a larger one: sums of squares never overflow."""
    size = np.where(np.isnan(y), 0.0, np.abs(y))
    _, exponent = np.frexp(size)
    more = np.where(size > 0, exponent - state.exponent[at, VALUES], 0)
    grown = np.flatnonzero(more > 0)
    if not len(grown):
        return
    at, less = at[grown], -more[grown]
    state.exponent[at, VALUES] -= less
    state.level[at, VALUES] = np.ldexp(state.level[at, VALUES], less[:, None])
    state.trend[at, VALUES] = np.ldexp(state.trend[at, VALUES], less[:, None])
    state.squares[at, VALUES] = np.ldexp(state.squares[at, VALUES], 2 * less[:, None])
    state.seasons[at, VALUES] = np.ldexp(state.seasons[at, VALUES], less[:, None, None])


def quantiles(carried: Carried, rows: Integers, horizon: int, levels: Sequence[float]) -> Floats:
    """For the horizon after row rows[s] - 1 of each series: [S, horizon, Q]; NaN where nothing was begun."""
    season = carried.seasons.shape[-1]
    g = _whole_grid(season)
    damped, growth = (part.T[carried.combination] for part in smoothing.damping_and_growth(g, season, horizon))
    phase = (rows[:, None] + np.arange(horizon)) % season
    seasons = np.take_along_axis(carried.seasons, phase[:, None, None, :], axis=3)
    count, parameters = carried.count[:, None, None], g.parameters[carried.combination]
    variance = smoothing.variance_of(carried.squares, count, parameters)
    point = carried.level[..., None] + carried.trend[..., None] * damped + seasons
    criterion = smoothing.criterion_of(carried.squares, count, parameters)
    by_step = (np.ascontiguousarray(np.swapaxes(part, 2, 3)) for part in (point, variance[..., None] * growth))
    best, center, spread = smoothing.averaged(criterion, *by_step)
    return _mixed(carried, best, (center, spread), levels)


def _mixed(carried: Carried, best: Floats, moments: tuple[Floats, Floats], levels: Sequence[float]) -> Floats:
    """Quantiles of values and of logarithms, by the criterion [S, 2] of each, their means and variances [S, 2, H]."""
    center, variance = moments
    size = np.ldexp(1.0, carried.exponent)[..., None, None]
    found = smoothing.normal(center[:, VALUES], variance[:, VALUES], levels) * size[:, VALUES]
    both = np.flatnonzero(carried.positive)
    larger = carried.exponent[both, VALUES] - carried.exponent[both, LOGS]
    values = best[both, VALUES] + 2 * carried.count[both] * LN2 * larger  # densities on one scale
    share = smoothing.share_of_logs(values, best[both, LOGS] + 2 * carried.logs[both])[:, None, None]
    logs = smoothing.log_normal(center[both, LOGS], variance[both, LOGS], levels) * size[both, LOGS]
    found[both] = share * logs + (1 - share) * found[both]
    found[carried.count == 0] = np.nan
    return found
