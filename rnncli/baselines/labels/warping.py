"""Dynamic time warping over all channels at once, of many pairs of sequences together, by anti-diagonals in a band.

The squared distance of x [n, C] and y [m, C] is the least sum of |x_i - y_j|^2 over paths from (0, 0) to (n - 1, m - 1)
that move by one step in x, in y or in both, and keep |i - j| within the band (Sakoe & Chiba 1978; dependent DTW of
Shokoohi-Yekta et al. 2017). Two categories that differ are 1 apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.labels.sequences import Sequences

BAND = 0.1  # of the longer length
STRETCH = 1.5  # of the lengths that are compared at once
SAME = 1e-9  # a spread below this share of the mean is rounding
_CELLS = 32_768  # of an anti-diagonal of a block of pairs: what a core's cache holds


class Block(NamedTuple):
    """Some sequences padded at their ends: values [T, C, b] and lengths [b]."""

    values: Floats
    lengths: Ints


def dtw(x: Floats, y: Floats, band: float = BAND) -> float:
    """DTW distance of two sequences [n, C] and [m, C] of numbers as they are; infinite if one has no steps."""
    one, other = (Block(values[:, :, None], np.array([len(values)])) for values in (x, y))
    return float(np.sqrt(_distances(one, other, (0,) * x.shape[1], band)[0, 0]))


@np.errstate(all="ignore")
def own_scale(sequences: Sequences) -> Sequences:
    """Sequences of which each channel of numbers has mean 0 and deviation 1 in each sequence, as in the UCR archive (0
    throughout where it is constant): what counts is their shape. See `_comparable` for what is missing.
    """
    made = sequences.values.copy()
    for channel, count in enumerate(sequences.categories):
        if not count:
            made[:, channel] = _standardised(made[:, channel], sequences.owner, len(sequences))
    return _comparable(sequences, made)


@np.errstate(all="ignore")
def common_scale(sequences: Sequences, like: Sequences) -> Sequences:
    """Sequences of which each channel of numbers has mean 0 and deviation 1 over all rows of `like`: their levels count
    too. See `_comparable` for what is missing.
    """
    made = sequences.values.copy()
    for channel, count in enumerate(sequences.categories):
        known = like.values[np.isfinite(like.values[:, channel]), channel]
        if not count and len(known):
            mean, spread = known.mean(), known.std()
            made[:, channel] = (made[:, channel] - mean) / (spread if spread > SAME * abs(mean) else np.inf)
    return _comparable(sequences, made)


def cells(asked: Sequences, among: Sequences, band: float = BAND) -> int:
    """The number of distances between single channels of steps a comparison of all with all takes."""
    total = 0
    for rows in _alike(asked.lengths):
        for columns in _alike(among.lengths):
            ours, theirs = asked.lengths[rows], among.lengths[columns]
            total += len(ours) * len(theirs) * int(ours.max() + theirs.max()) * _slots(ours, theirs, band)
    return total * len(asked.categories)


@np.errstate(all="ignore")
def nearest(asked: Sequences, among: Sequences, itself: Ints | None = None, band: float = BAND) -> Ints:
    """Place [n] in `among` of the sequence nearest to each that is asked; -1 where there is none.

    `itself` [n] are places that do not count: a sequence's own. Of equally near ones the first counts.
    """
    best, found = np.full(len(asked), np.inf), np.full(len(asked), -1)
    for ours, theirs in _blocks(asked.lengths, among.lengths, band):
        apart = _distances(_padded(asked, ours), _padded(among, theirs), asked.categories, band)
        if itself is not None:
            apart[itself[ours][:, None] == theirs] = np.inf
        least = apart.min(axis=1)
        place = np.where(apart == least[:, None], theirs, len(among)).min(axis=1)
        nearer = (least < best[ours]) | ((least == best[ours]) & np.isfinite(least) & (place < found[ours]))
        best[ours[nearer]], found[ours[nearer]] = least[nearer], place[nearer]
    return found


def _distances(x: Block, y: Block, categories: tuple[int, ...], band: float) -> Floats:
    """Squared distances [b, c] of all pairs of two blocks, infinite where either has no steps.

    `totals` keeps the last three anti-diagonals k = i + j; row i + 1 is the least sum of a path to (i, k - i).
    """
    n, m, shape = len(x.values), len(y.values), (len(x.lengths), len(y.lengths))
    bands = _bands(x.lengths, y.lengths, band).ravel()
    widest, same = int(bands.max(initial=0)), bool((bands == bands[:1]).all())
    last = np.repeat(x.lengths, shape[1])
    finished = _by_end(x.lengths, y.lengths)
    found = np.full(len(bands), np.inf)
    totals = np.full((3, n + 2, len(bands)), np.inf)
    totals[-2 % 3, 0] = 0.0  # a path begins at (-1, -1)
    for k in range(n + m - 1):
        now, before, oldest = totals[k % 3], totals[(k - 1) % 3], totals[(k - 2) % 3]
        low, high = max(k - m + 1, (k - widest + 1) // 2, 0), min(k, (k + widest) // 2, n - 1)
        if low > high:
            now[:] = np.inf
            continue
        inside = slice(low + 1, high + 2)
        least = np.minimum(before[low : high + 1], before[inside])
        np.minimum(least, oldest[low : high + 1], out=least)
        np.add(least, _costs(x, y, categories, slice(low, high + 1), k), out=now[inside])
        if not same:
            now[inside][np.abs(2 * np.arange(low, high + 1) - k)[:, None] > bands] = np.inf
        now[[low, high + 2]] = np.inf
        ends = finished.get(k)
        if ends is not None:
            found[ends] = now[last[ends], ends]
    return found.reshape(shape)


def _costs(x: Block, y: Block, categories: tuple[int, ...], steps: slice, k: int) -> Floats:
    """|x_i - y_j|^2 [steps, pairs] of the steps i of an anti-diagonal j = k - i."""
    ours = x.values[steps]
    theirs = y.values[k - steps.stop + 1 : k - steps.start + 1][::-1]
    total = np.zeros((len(ours), ours.shape[2], theirs.shape[2]))
    for channel, count in enumerate(categories):
        one, other = ours[:, channel, :, None], theirs[:, channel, None, :]
        if count:
            total += one != other
        else:
            away = one - other
            away *= away
            total += away
    return total.reshape(len(total), -1)


def _by_end(rows: Ints, columns: Ints) -> dict[int, Ints]:
    """The pairs whose last cell is on each anti-diagonal."""
    ends = (rows[:, None] + columns - 2).ravel()
    whole = ((rows[:, None] > 0) & (columns > 0)).ravel()
    order = np.flatnonzero(whole)[np.argsort(ends[whole], kind="stable")]
    diagonals, begins = np.unique(ends[order], return_index=True)
    return dict(zip(diagonals.tolist(), np.split(order, begins[1:]), strict=len(order) > 0))


def _comparable(sequences: Sequences, values: Floats) -> Sequences:
    """Sequences with these values [rows, C], without the steps at which nothing is known; other missing numbers are the
    mean, 0.
    """
    kept = ~np.isnan(sequences.values).all(axis=1)
    numbers = np.array(sequences.categories) == 0
    made = np.where(np.isnan(values) & numbers, 0.0, values)[kept]
    lengths = np.bincount(sequences.owner[kept], minlength=len(sequences))
    return replace(sequences, values=made, offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]))


def _standardised(values: Floats, owner: Ints, n: int) -> Floats:
    known = ~np.isnan(values)
    count = np.maximum(np.bincount(owner[known], minlength=n), 1)
    mean = np.bincount(owner[known], values[known], n) / count
    away = np.where(known, values - mean[owner], 0.0)
    spread = np.sqrt(np.bincount(owner, away**2, n) / count)
    spread = np.where(spread > SAME * np.abs(mean), spread, np.inf)
    return away / spread[owner]


def _bands(rows: Ints, columns: Ints, band: float) -> Ints:
    """Steps of the band for every pair of lengths: a share of the longer, and at least what joins their ends."""
    longer = np.maximum(rows[:, None], columns)
    apart: Ints = np.abs(rows[:, None] - columns)
    return np.maximum(np.ceil(band * longer).astype(np.int64), apart)


def _blocks(asked: Ints, among: Ints, band: float) -> Iterator[tuple[Ints, Ints]]:
    """Places of sequences of about the same length, by lengths [n] and [m]: all pairs, a block of them at a time."""
    for rows in _alike(asked):
        for columns in _alike(among):
            pairs = max(_CELLS // _slots(asked[rows], among[columns], band), 1)
            wide = min(len(columns), pairs)
            high = max(pairs // wide, 1)
            for top in range(0, len(rows), high):
                for left in range(0, len(columns), wide):
                    yield rows[top : top + high], columns[left : left + wide]


def _alike(lengths: Ints) -> list[Ints]:
    """Places of the sequences that have steps, in groups whose longest is at most `STRETCH` times the shortest."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    size = np.floor(np.log(lengths[order]) / np.log(STRETCH))
    return [group for group in np.split(order, np.flatnonzero(np.diff(size)) + 1) if len(group)]


def _slots(rows: Ints, columns: Ints, band: float) -> int:
    """Cells of the longest anti-diagonal of pairs of such lengths."""
    shortest, longest = min(int(rows.max()), int(columns.max())), max(int(rows.max()), int(columns.max()))
    apart = max(int(rows.max() - columns.min()), int(columns.max() - rows.min()))
    return min(max(int(np.ceil(band * longest)), apart) + 1, shortest)


def _padded(sequences: Sequences, places: Ints) -> Block:
    """Sequences at `places` [b], with 0 after their ends."""
    some = sequences.select(places)
    longest = int(some.lengths.max(initial=0))
    values = np.zeros((longest, len(some.categories), len(places)))
    values[np.arange(len(some.values)) - some.offsets[:-1][some.owner], :, some.owner] = some.values
    return Block(values, some.lengths)
