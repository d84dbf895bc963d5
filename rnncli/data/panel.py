"""A ragged panel of series: flat float64 rows and offsets; never padded, never copied per window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.channel import Channel
from rnncli.data.frames.block import Block


def ranges(begin: Ints, length: Ints) -> Ints:
    """Rows begin[i] ... begin[i] + length[i] - 1 of a flat array, one range after the other."""
    return np.repeat(begin - np.cumsum(length) + length, length) + np.arange(length.sum())


def offsets_of(lengths: Ints) -> Ints:
    """Where ranges of these lengths begin that lie end to end, and where the last one ends: [ranges + 1]."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


AT_ONCE = 1 << 19  # rows


def spans(lengths: Ints, rows: int = AT_ONCE) -> list[slice]:
    """Stretches of these lengths, as many together as have about so many rows."""
    cuts = np.flatnonzero(np.diff(np.cumsum(lengths) // rows)) + 1
    return [slice(begin, end) for begin, end in pairwise([0, *cuts.tolist(), len(lengths)])]


def stretches(values: Floats, begin: Ints, length: Ints) -> Floats:
    """Rows begin[i] ... begin[i] + length[i] - 1 of values [rows, channels], one stretch after the other: a copy, made
    without an index of all of them; the values themselves where stretches lie end to end.
    """
    at = offsets_of(length)
    if len(length) and np.array_equal(begin - begin[0], at[:-1]):
        return values[begin[0] : begin[0] + at[-1]]
    found = np.empty((int(at[-1]), values.shape[1]))
    put(found, at[:-1], values, begin, length)
    return found


def put(into: Floats, at: Ints, values: Floats, begin: Ints, length: Ints) -> None:
    """Write stretches of values [rows, channels], as `stretches` has them, to rows at[i] and after of an array."""
    for some in spans(length):
        into[ranges(at[some], length[some])] = values[ranges(begin[some], length[some])]


def pieces_of(panel: Panel, rows: int = AT_ONCE) -> Iterator[Ints]:
    """All series in pieces of about so many rows, so that what is made of each stays small."""
    begins = np.unique(np.searchsorted(panel.offsets[:-1], np.arange(0, max(int(panel.offsets[-1]), 1), rows)))
    yield from np.split(np.arange(len(panel)), begins[1:])


def gather(flat: Floats, begin: Ints, length: Ints, first_row: Ints, steps: int, before: int, after: int) -> Floats:
    """Rows first_row - before ... first_row + steps + after - 1 of n series: [n, before + steps + after].

    Series i is flat[begin[i] : begin[i] + length[i]]; rows outside it are NaN.
    """
    at = first_row[:, None] + np.arange(-before, steps + after)
    inside = (at >= 0) & (at < length[:, None])
    return np.where(inside, flat[np.where(inside, at + begin[:, None], 0)], np.nan)


@dataclass(frozen=True)
class Panel:
    """Series s is rows offsets[s] ... offsets[s + 1] - 1 of `values` [rows, channels], one row a step.

    `channels` say what each column is; the target, or the label, is channel 0. NaN is a missing value, and a gap in
    time is rows of NaN. Where the one channel is of tokens, values are codes in the smallest unsigned type; where it is
    of sets, they are int8, with a column for each token. Row i of series s lies at ordinal starts[s] + i of the
    calendar, with the series' phase. Series of one of the `groups` [series] belong together. Frames lie in `blocks`, by
    the names of their channels, whose values are rows of the block.
    """

    ids: tuple[str, ...]
    offsets: Ints
    values: Floats
    starts: Ints
    phases: Ints
    calendar: Calendar
    channels: tuple[Channel, ...]
    groups: Ints | None = None
    blocks: Mapping[str, Block] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Number of series."""
        return len(self.ids)

    @property
    def lengths(self) -> Ints:
        """Rows of each series."""
        return np.diff(self.offsets)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the columns of `values`."""
        return tuple(channel.name for channel in self.channels)

    def of(self, name: str) -> Floats:
        """The values of a channel in the rows of all series, a view: [rows]. ValueError if there is no such channel."""
        return self.values[:, self.channel_names.index(name)]

    @property
    def targets(self) -> Floats:
        """The target (channel 0) in the rows of all series, a view: [rows]."""
        return self.values[:, 0]

    def series(self, s: int) -> Floats:
        """All channels of a series, a view: [rows, channels]."""
        return self.values[self.offsets[s] : self.offsets[s + 1]]

    def target(self, s: int) -> Floats:
        """The target of a series, a view: [rows]."""
        return self.series(s)[:, 0]

    def frames(self, series: Ints, first_row: Ints, steps: int, channel: int = 0) -> Inputs:
        """Frames first_row ... first_row + steps - 1 of n series by a channel: [n, steps, height, width, channels].

        NaN where a pixel or a frame is missing, and outside a series.
        """
        begin, length = self.offsets[series], self.lengths[series]
        rows = gather(self.values[:, channel], begin, length, first_row, steps, 0, 0)
        return self.blocks[self.channels[channel].name].gather(rows)

    def ends(self) -> Ints:
        """Ordinal of the last row of each series."""
        return self.starts + self.lengths - 1

    def observed_ends(self) -> Ints:
        """Rows of each series up to its last observed target, at least one."""
        seen = np.flatnonzero(~np.isnan(self.targets))
        place = np.searchsorted(seen, self.offsets[1:]) - 1
        last = np.where(place >= 0, seen[np.maximum(place, 0)] if seen.size else 0, -1)
        return np.maximum(last + 1 - self.offsets[:-1], 1)

    def future_times(self, horizon: int) -> Ints:
        """Times of the rows that follow each series: [series, horizon]."""
        ordinals = self.ends()[:, None] + np.arange(1, horizon + 1)
        return self.calendar.times(ordinals, np.broadcast_to(self.phases[:, None], ordinals.shape))

    def cut(self, rows_kept: Ints) -> Panel:
        """The first rows_kept[s] rows of each series; series left without a row are dropped."""
        kept = np.minimum(rows_kept, self.lengths)
        stays = np.flatnonzero(kept > 0)
        return self._with(stays, kept[stays])

    def select(self, chosen: Ints) -> Panel:
        """The chosen series, in that order."""
        return self._with(chosen, self.lengths[chosen])

    def latest(self, ends: Ints, rows: int) -> Panel:
        """The target in the last `rows` of the first ends[s] rows of each series, without any other channel."""
        ends = np.minimum(ends, self.lengths)
        begins = np.maximum(ends - rows, 0)
        bounds = zip((self.offsets[:-1] + begins).tolist(), (ends - begins).tolist(), strict=True)
        values = [self.targets[begin : begin + length] for begin, length in bounds]
        return replace(
            self,
            offsets=offsets_of(ends - begins),
            values=np.concatenate([self.targets[:0], *values])[:, None],
            starts=self.starts + begins,
            channels=self.channels[:1],
        )

    def _with(self, chosen: Ints, lengths: Ints) -> Panel:
        """The first rows of the chosen series, in slices: a text of 100 MB has no room for 8 bytes beside each row."""
        bounds = zip(self.offsets[chosen].tolist(), lengths.tolist(), strict=True)
        rows = [self.values[begin : begin + length] for begin, length in bounds]
        return replace(
            self,
            ids=tuple(self.ids[s] for s in chosen),
            offsets=offsets_of(lengths),
            values=np.concatenate([self.values[:0], *rows]),
            starts=self.starts[chosen],
            phases=self.phases[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )
