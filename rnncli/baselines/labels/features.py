"""Features of labelled sequences for linear baselines: a summary of each sequence, or each row and the one before it.

A summary has for every channel of numbers its mean, standard deviation, smallest and largest value, quartiles, first
and last value, slope over the steps, mean absolute change and share missing; for every channel of categories the
shares of its commonest ones and the share missing; and the length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.baselines.labels.sequences import Sequences

EXAMPLES = 30_000  # that a baseline learns from; of more, evenly spaced ones
AT_A_TIME = 10_000  # answers
MOST = 64  # categories of a channel that have a feature of their own
FARTHEST = 100.0  # standard deviations: what lies beyond is an outlier all the same
QUARTILES = (0.25, 0.5, 0.75)
SAME = 1e-9  # a spread below this share of the mean is rounding


@dataclass(frozen=True)
class Features:
    """Features as training made them: which categories of each channel have one, and the mean and standard deviation
    [D] by which they are standardised. What is missing, or does not vary in training, is 0.
    """

    common: tuple[Ints, ...]
    mean: Floats
    scale: Floats

    def of(self, sequences: Sequences, places: Ints) -> Floats:
        """Standardised features [m, D] of what carries a label at `places` [m]: sequences, or rows."""
        return self.standardised(_features(sequences, places, self.common))

    @np.errstate(all="ignore")
    def standardised(self, raw: Floats) -> Floats:
        """Features [m, D] in units of training's standard deviation."""
        away = (raw - self.mean) / self.scale
        return np.clip(np.where(np.isfinite(away) & np.isfinite(self.scale), away, 0.0), -FARTHEST, FARTHEST)


def evenly(places: Ints, most: int = EXAMPLES) -> Ints:
    """At most `most` of the places [n], evenly spaced."""
    if len(places) <= most:
        return places
    return places[np.arange(most) * len(places) // most]


def fitted(sequences: Sequences, places: Ints) -> tuple[Features, Floats]:
    """The features of training's sequences (or rows) at `places` [m], and their standardised values [m, D]."""
    common = tuple(
        _commonest(sequences.values[:, channel], count) for channel, count in enumerate(sequences.categories)
    )
    raw = _features(sequences, places, common)
    mean, scale = _moments(raw)
    features = Features(common, mean, scale)
    return features, features.standardised(raw)


def _features(sequences: Sequences, places: Ints, common: tuple[Ints, ...]) -> Floats:
    if sequences.per_step:
        return _of_rows(sequences, places, common)
    return summaries(sequences.select(places), common)


@np.errstate(all="ignore")
def summaries(sequences: Sequences, common: tuple[Ints, ...]) -> Floats:
    """Summary features [n, D] of every sequence, NaN where undefined; `common` holds each channel's categories."""
    columns = [sequences.lengths.astype(np.float64)[:, None]]
    for channel, count in enumerate(sequences.categories):
        values = sequences.values[:, channel]
        columns.append(_of_categories(sequences, values, common[channel]) if count else _of_numbers(sequences, values))
    return np.concatenate(columns, axis=1)


def _of_numbers(sequences: Sequences, values: Floats) -> Floats:
    """Features [n, 12] of one channel of numbers [rows]."""
    rows = np.flatnonzero(np.isfinite(values))
    seen, owner, n = values[rows], sequences.owner[rows], len(sequences)
    count = np.bincount(owner, minlength=n)
    begins = np.cumsum(count) - count
    mean = _mean(seen, owner, n)
    away = seen - mean[owner]
    step = rows - sequences.offsets[owner]
    moved = step - _mean(step.astype(np.float64), owner, n)[owner]
    follows = np.flatnonzero(owner[1:] == owner[:-1]) + 1
    change = _mean(np.abs(seen[follows] - seen[follows - 1]), owner[follows], n)
    ordered = seen[np.lexsort((seen, owner))]
    ranks = [_at_rank(ordered, begins, count, level) for level in (0.0, *QUARTILES, 1.0)]
    first, last = (_at(seen, np.where(count > 0, place, -1)) for place in (begins, begins + count - 1))
    slope = _mean(away * moved, owner, n) / _mean(moved**2, owner, n)
    spread = np.sqrt(_mean(away**2, owner, n))
    missing = 1 - count / sequences.lengths
    return np.stack([mean, spread, *ranks, first, last, slope, change, missing], axis=1)


def _of_categories(sequences: Sequences, codes: Floats, common: Ints) -> Floats:
    """Shares [n, K + 1] of the common categories [K] among a sequence's rows, and of missing ones."""
    place = np.where(np.isnan(codes), len(common), _places(codes, common))
    counted = np.flatnonzero(place >= 0)
    wide, n = len(common) + 1, len(sequences)
    cells = sequences.owner[counted] * wide + place[counted]
    return np.bincount(cells, minlength=n * wide).reshape(n, wide) / sequences.lengths[:, None]


def _of_rows(sequences: Sequences, rows: Ints, common: tuple[Ints, ...]) -> Floats:
    """Features [m, D] of rows and of the row before each in its sequence, NaN before the first."""
    starts = np.zeros(len(sequences.values) + 1, np.bool_)
    starts[sequences.offsets] = True
    own = _rows(sequences, rows, common)
    before = _rows(sequences, np.maximum(rows - 1, 0), common)
    return np.concatenate([own, np.where(starts[rows][:, None], np.nan, before)], axis=1)


def _rows(sequences: Sequences, rows: Ints, common: tuple[Ints, ...]) -> Floats:
    """The values of rows [m, D]: numbers with a mark where they are missing, categories as 0 and 1."""
    columns: list[Floats] = []
    for channel, count in enumerate(sequences.categories):
        values = sequences.values[rows, channel]
        missing = np.isnan(values)[:, None]
        is_of = _places(values, common[channel])[:, None] == np.arange(len(common[channel]))
        columns += [is_of.astype(np.float64) if count else values[:, None], missing.astype(np.float64)]
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(rows), 0))


def _commonest(codes: Floats, count: int) -> Ints:
    """The commonest of `count` categories, `MOST` at most, the first of equally common ones; none of numbers."""
    known = codes[codes >= 0].astype(np.int64) if count else np.zeros(0, np.int64)
    found = np.argsort(-np.bincount(known, minlength=count), kind="stable")[:MOST]
    return np.sort(found)


def _places(codes: Floats, common: Ints) -> Ints:
    """Place of every code [rows] among the common ones [K, ascending], -1 where it is none of them."""
    if not len(common):
        return np.full(len(codes), -1)
    place = np.minimum(np.searchsorted(common, codes), len(common) - 1)
    return np.where(common[place] == codes, place, -1)


@np.errstate(all="ignore")
def _moments(raw: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation [D] of what is finite in each column; infinite deviation where nothing varies."""
    known: Bools = np.isfinite(raw)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, raw, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (raw - mean) ** 2, 0.0).sum(axis=0) / count)
    return mean, np.where(spread > SAME * np.abs(mean), spread, np.inf)


@np.errstate(all="ignore")
def _mean(values: Floats, owner: Ints, n: int) -> Floats:
    return np.bincount(owner, values, n) / np.bincount(owner, minlength=n)


def _at(values: Floats, places: Ints) -> Floats:
    return np.where(places >= 0, values[np.maximum(places, 0)], np.nan) if len(values) else np.full(len(places), np.nan)


def _at_rank(ordered: Floats, begins: Ints, count: Ints, level: float) -> Floats:
    """Quantile [n] of each sequence's values, in order in `ordered`, interpolated between neighbours."""
    rank = level * np.maximum(count - 1, 0)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below, above = (_at(ordered, np.where(count > 0, begins + place, -1)) for place in (low, high))
    return below + (above - below) * (rank - low)
