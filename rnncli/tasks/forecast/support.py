"""What values each series can take: positive or not, whole or not, on the logarithm or not, from all that it has shown.

Positive values are forecast on their logarithm unless their changes say that they are no ratios: where the likelihood
of a random walk with drift (Box & Cox 1964, "An Analysis of Transformations")

    l(values) = -1/2 log var(y_t - y_(t - m)),    l(logs) = -1/2 log var(log y_t - log y_(t - m)) - mean log y_t

is clearly greater on the values: where both fit alike, a network forecasts better on logarithms. What all series share,
a short one is believed to share too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.panel import Panel, gather, offsets_of, ranges
from rnncli.tasks.forecast.spec import ForecastSpec

EVIDENCE = 0.3  # nats a row by which values must be likelier than logarithms
PAIRS = 8  # of rows, for any evidence
ENOUGH = 24  # rows that say by themselves what a series can be
SMALLEST_LOG_RANGE = 1e-6  # of the geometric mean: what is smaller is no ratio of it
SMALLEST = 1e-20  # of a variance, in units of the values squared
MANY = 1 << 31  # values, where nobody counts them
AT_ONCE = 4_096  # series
ROWS_AT_ONCE = 1 << 20
NAMES = ("logs", "floor", "ceiling", "whole", "count", "size")
FULL = (1.0, 100.0)  # of shares and of percentages
SPELLS = 3


@dataclass(frozen=True)
class Shown:
    """What n series had shown at an origin each: the least value (infinite where nothing was observed), whether all
    were whole, and how many there were: [n] each.
    """

    least: Floats
    whole: Bools
    count: Ints

    def at(self, places: Ints | slice) -> Shown:
        """Some of them."""
        return Shown(self.least[places], self.whole[places], self.count[places])

    def beside(self, other: Shown) -> Shown:
        """These and others."""
        return Shown(
            np.concatenate([self.least, other.least]),
            np.concatenate([self.whole, other.whole]),
            np.concatenate([self.count, other.count]),
        )

    def and_then(self, later: Shown) -> Shown:
        """These with what came later."""
        return Shown(np.minimum(self.least, later.least), self.whole & later.whole, self.count + later.count)


@dataclass(frozen=True)
class Support:
    """The values that may come, of n series at an origin each: whether they are on the logarithm, the least one
    and the largest one (infinite where anything may), whether only whole numbers may, and how many values say so; and
    how large the latest values were, the mean of their sizes (0 where nothing is believed of them): [n] each.
    """

    logs: Bools
    floor: Floats
    ceiling: Floats
    whole: Bools
    count: Ints
    size: Floats

    def at(self, places: Ints | slice | Bools) -> Support:
        """Some of them."""
        return Support(*(getattr(self, name)[places] for name in NAMES))


def shown(panel: Panel, series: Ints, ends: Ints, begins: Ints | int = 0) -> Shown:
    """What rows begins[i] ... ends[i] - 1 of each series[i] have shown. The ends of one series stand together, ascend
    and have one beginning.
    """
    again = np.zeros(len(series), np.bool_)
    again[1:] = series[1:] == series[:-1]
    before = np.where(again, np.roll(ends, 1), begins)
    begins, lengths = panel.offsets[series] + before, ends - before
    cuts = np.flatnonzero(np.diff(np.cumsum(lengths) // ROWS_AT_ONCE)) + 1
    parts = [
        _each(panel, begin, length)
        for begin, length in zip(np.split(begins, cuts), np.split(lengths, cuts), strict=True)
    ]
    together = Shown(
        np.concatenate([part.least for part in parts]),
        np.concatenate([part.whole for part in parts]),
        np.concatenate([part.count for part in parts]),
    )
    return _running(together, again)


def _each(panel: Panel, begins: Ints, lengths: Ints) -> Shown:
    """What stretches of the panel's rows have shown, each alone."""
    y = panel.targets[ranges(begins, lengths)]
    seen, at = ~np.isnan(y), offsets_of(lengths)[:-1]
    return Shown(
        _of_parts(np.minimum, np.where(seen, y, np.inf), at, np.inf),
        _of_parts(np.add, (seen & (y != np.round(y))).astype(np.float64), at, 0.0) == 0,
        _of_parts(np.add, seen.astype(np.float64), at, 0.0).astype(np.int64),
    )


def _of_parts(ufunc: np.ufunc, x: Floats, at: Ints, nothing: float) -> Floats:
    """The ufunc over x[at[i] : at[i + 1]]; of an empty part it is `nothing`."""
    if not len(at):
        return x[:0]
    found = ufunc.reduceat(np.append(x, np.full(1, nothing)), at)
    return np.where(np.diff(at, append=len(x)) > 0, found, nothing)


def _running(parts: Shown, again: Bools) -> Shown:
    """Each part with those of the same series before it."""
    least, whole, count = parts.least.copy(), parts.whole.copy(), parts.count.copy()
    rank = np.arange(len(again)) - np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    for one in range(1, int(rank.max(initial=0)) + 1):
        at = np.flatnonzero(rank == one)
        least[at] = np.minimum(least[at], least[at - 1])
        whole[at] &= whole[at - 1]
        count[at] += count[at - 1]
    return Shown(least, whole, count)


def support(panel: Panel, series: Ints, ends: Ints, spec: ForecastSpec, begun: Ints | None = None) -> Support:
    """What may come after the first ends[i] rows of each series[i], ordered as in `shown`; or after those of them that
    are not before row begun[i].
    """
    if not spec.each or not len(series):
        return common(len(series), spec)
    parts = []
    for begin in range(0, len(series), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        begins, last = panel.offsets[series[some]], ends[some]
        past = gather(panel.targets, begins, last, last, 0, spec.context, 0)
        if begun is None:
            seen = shown(panel, series[some], last)
        else:
            past[last[:, None] + np.arange(-spec.context, 0) < begun[some, None]] = np.nan
            seen = shown_in(past)
        parts.append(supported(seen, past, spec))
    return Support(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


def common(count: int, spec: ForecastSpec) -> Support:
    """The support of so many series as the spec describes all of them."""
    floor = -np.inf if spec.floor is None else spec.floor
    return Support(
        np.full(count, spec.link == "log"),
        np.full(count, floor),
        np.full(count, np.inf if spec.ceiling is None else spec.ceiling),
        np.full(count, spec.whole),
        np.full(count, MANY),
        np.zeros(count),
    )


def anything(count: int) -> Support:
    """The support of so many series of which nothing is believed: any value may come."""
    nothing = np.zeros(count, np.bool_)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    return Support(nothing, low, high, nothing, np.full(count, MANY), np.zeros(count))


def nothing_shown(count: int) -> Shown:
    """The summary of series before their first row."""
    return Shown(np.full(count, np.inf), np.ones(count, np.bool_), np.zeros(count, np.int64))


def shown_in(past: Floats) -> Shown:
    """The summary of observed values that `Shown` holds, of n histories [n, rows] with NaN where missing."""
    seen = ~np.isnan(past)
    least = np.where(seen, past, np.inf).min(axis=1, initial=np.inf)
    return Shown(least, (~seen | (past == np.round(past))).all(axis=1), seen.sum(axis=1))


def supported(seen: Shown, past: Floats, spec: ForecastSpec) -> Support:
    """The support of n series, from a summary of their histories and their latest rows [n, rows], NaN where missing."""
    if not spec.each:
        return common(len(past), spec)
    enough = seen.count >= ENOUGH
    bounded = (seen.least >= 0) & (enough | (spec.floor is not None))
    floor = np.where(bounded, 0.0, -np.inf) if spec.minimum is None else np.full(len(past), spec.minimum)
    logs = np.zeros(len(past), np.bool_)
    if spec.minimum is None or spec.minimum >= 0:
        positive = np.flatnonzero((seen.least > 0) & (enough | (spec.floor is not None)))
        logs[positive] = _are_ratios(past[positive], seen.least[positive], spec)
    return Support(logs, floor, _ceiling(past, spec), seen.whole & (enough | spec.whole), seen.count, _size(past))


def _ceiling(past: Floats, spec: ForecastSpec) -> Floats:
    """The spec's; where nobody has said so, of series whose latest values are not above it."""
    if spec.ceiling is None:
        return np.full(len(past), np.inf)
    if spec.maximum is not None:
        return np.full(len(past), spec.ceiling)
    return np.where((past > spec.ceiling).any(axis=1), np.inf, spec.ceiling)


def fullness(panel: Panel) -> float | None:
    """1 or 100 where all values are shares or percentages: from 0 to there, not all whole, and so full in some spells;
    None else.
    """
    y = panel.targets[~np.isnan(panel.targets)]
    most = float(y.max(initial=-np.inf))
    if most not in FULL or y.min() < 0 or (y == np.round(y)).all():
        return None
    full = panel.targets == most
    begins = full & ~np.concatenate([[False], full[:-1]])
    begins[panel.offsets[:-1]] = full[panel.offsets[:-1]]
    return most if np.count_nonzero(begins) >= SPELLS else None


def _size(past: Floats) -> Floats:
    seen = ~np.isnan(past)
    return np.asarray(np.where(seen, np.abs(past), 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))


def _are_ratios(past: Floats, least: Floats, spec: ForecastSpec) -> Bools:
    """Which positive series are forecast on their logarithm."""
    seen = ~np.isnan(past)
    size = np.where(seen, past, 0.0).max(axis=1, initial=0.0)
    y = np.maximum(past / np.where(size > 0, size, 1.0)[:, None], np.finfo(np.float64).tiny)
    found = np.full(len(y), np.nan)
    for lag in dict.fromkeys((1, spec.seasons[0])):
        told = evidence(y, lag)
        found = np.where(np.isnan(told), found, told)
    middle = size * np.exp(np.where(seen, np.log(y), 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
    ratios = np.where(np.isnan(found), spec.link == "log", found <= EVIDENCE)
    return np.asarray(ratios & (least >= SMALLEST_LOG_RANGE * middle))


def evidence(y: Floats, lag: int) -> Floats:
    """By how much a row is likelier among values than among logarithms (see above), of y [n, rows] about 1 in size and
    above 0; NaN where fewer than `PAIRS` pairs of rows say so.
    """
    if y.shape[1] <= lag:
        return np.full(len(y), np.nan)
    logs = np.log(y)
    change, ratio = y[:, lag:] - y[:, :-lag], logs[:, lag:] - logs[:, :-lag]
    seen = ~np.isnan(change)
    count = np.maximum(seen.sum(axis=1), 1)
    size = np.where(seen, logs[:, lag:], 0.0).sum(axis=1) / count
    least = SMALLEST * np.exp(2 * size)
    found = (
        np.log(np.maximum(_variance(ratio, seen), SMALLEST)) - np.log(np.maximum(_variance(change, seen), least))
    ) / 2
    return np.where(seen.sum(axis=1) >= PAIRS, found + size, np.nan)


def _variance(x: Floats, seen: Bools) -> Floats:
    count = np.maximum(seen.sum(axis=1), 1)
    mean = np.where(seen, x, 0.0).sum(axis=1) / count
    return np.asarray((np.where(seen, x - mean[:, None], 0.0) ** 2).sum(axis=1) / count)
