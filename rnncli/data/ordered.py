"""Rows in order: series after series, each by time, no row twice; or one clear refusal of what cannot be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.channel import Channel
from rnncli.data.frequency import shown
from rnncli.data.noted import Notes
from rnncli.data.on_disk import array
from rnncli.data.panel import offsets_of
from rnncli.data.rows import Rows
from rnncli.data.zones import shown_twice_in
from rnncli.errors import SeriesRefused
from rnncli.spec import Columns

LARGEST, SMALLEST = 1e150, 1e-150  # their squares are still numbers


@dataclass(frozen=True)
class Ordered:
    """Rows of series one after the other, each by time: series s is rows offsets[s] ... offsets[s + 1] - 1 of `times`
    [n] and `values` [n, channels]. `name` is what messages call the tables, and `folder` where what does not fit into
    the memory lies.
    """

    ids: list[str]
    offsets: Ints
    times: Ints
    values: Floats
    columns: Columns
    channels: tuple[Channel, ...]
    name: str
    several_offsets: bool = False
    folder: str | None = None

    @property
    def lengths(self) -> Ints:
        """Rows of each series."""
        return np.diff(self.offsets)

    def without(self, error: SeriesRefused) -> Ordered:
        """All series but the one that an error is about. The error itself if there are none."""
        if len(self.ids) == 1:
            raise error
        s = self.ids.index(error.series)
        begin, end = self.offsets[s : s + 2]
        return replace(
            self,
            ids=self.ids[:s] + self.ids[s + 1 :],
            offsets=np.concatenate([self.offsets[: s + 1], self.offsets[s + 2 :] - (end - begin)]),
            times=np.delete(self.times, slice(begin, end)),
            values=np.delete(self.values, slice(begin, end), axis=0),
        )


class Joined:
    """Rows in order, of parts with different series in each; for so many rows at most there is room, in memory or in
    files in a `folder`.
    """

    def __init__(self, room: int, folder: str | None = None) -> None:
        self._room, self._rows, self._folder = room, 0, folder
        self._first: Ordered | None = None
        self._ids, self._lengths = list[str](), list[Ints]()

    def add(self, found: Ordered) -> None:
        """A further part."""
        if self._first is None:
            self._first = replace(found, ids=[], times=found.times[:0], values=found.values[:0], folder=self._folder)
            self._times: Ints = array(self._folder, (self._room,), "int64")
            self._values: Floats = array(self._folder, (self._room, found.values.shape[1]))
        end = self._rows + len(found.times)
        self._times[self._rows : end], self._values[self._rows : end] = found.times, found.values
        self._ids += found.ids
        self._lengths.append(found.lengths)
        self._rows = end

    def ordered(self) -> Ordered:
        """All parts, one after the other; there was one at least."""
        assert self._first is not None
        times, values = self._times[: self._rows], self._values[: self._rows]
        return replace(
            self._first, ids=self._ids, offsets=offsets_of(np.concatenate(self._lengths)), times=times, values=values
        )


def ordered(rows: Rows, zone: str | None, notes: Notes) -> Ordered:
    """Rows with times in UTC, in order. InputRefused or SeriesRefused with the place of what is wrong."""
    refuse_wild(rows)
    refuse_tiny(rows)
    notes.extend(rows.notes)
    order, offsets = sorted_rows(rows, notes)
    order, offsets = without_duplicates(rows, order, offsets, zone, notes)
    ids = [rows.ids[code] for code in rows.codes[order[offsets[:-1]]].tolist()]
    times, values = rows.times[order], rows.values[order]
    return Ordered(ids, offsets, times, values, rows.columns, rows.channels, rows.tables.name, rows.several_offsets)


def refuse_wild(rows: Rows) -> None:
    """SeriesRefused with the place of the first value that cannot be computed with."""
    wild = np.abs(rows.values) > LARGEST
    if not wild.any():
        return
    row, channel = (int(place) for place in np.argwhere(wild)[0])
    series = rows.ids[int(rows.codes[row])]
    raise SeriesRefused(
        f"the value in column {rows.column(row, channel)!r} is infinite,"
        f" or too large to compute with (beyond {LARGEST:g})",
        series,
        where=rows.where(row),
        hint="correct it, or leave it empty where it is not known",
    )


def refuse_tiny(rows: Rows) -> None:
    """SeriesRefused for a series of which no target is large enough to compute with, but some are not 0."""
    size = np.abs(rows.values[:, 0])
    tiny = (size > 0) & (size < SMALLEST)
    if not tiny.any():
        return
    largest = np.zeros(len(rows.ids))
    np.fmax.at(largest, rows.codes, size)
    of_tiny = np.flatnonzero(tiny & (largest[rows.codes] < SMALLEST))
    if of_tiny.size:
        row = int(of_tiny[0])
        raise SeriesRefused(
            f"all values are too small to compute with (none reaches {SMALLEST:g})",
            rows.ids[int(rows.codes[row])],
            where=rows.where(row),
            hint="give them in a unit in which the numbers are larger",
        )


def sorted_rows(rows: Rows, notes: Notes) -> tuple[Ints, Ints]:
    """The order that puts rows series after series (as they first appear) and by time, and the series' offsets."""
    different, first = np.unique(rows.codes, return_index=True)
    rank = np.empty(int(different.max()) + 1, np.int64)
    rank[different[np.argsort(first)]] = np.arange(len(different))
    place = rank[rows.codes]
    counts = np.bincount(place)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    grouped = bool((np.diff(place) >= 0).all())
    order = np.arange(len(place)) if grouped else np.argsort(place, kind="stable")
    times = rows.times[order]
    back = np.diff(times) < 0
    back[offsets[1:-1] - 1] = False
    if back.any():
        row = int(np.argmax(back)) + 1
        series = int(np.searchsorted(offsets, row, side="right")) - 1
        name = rows.ids[int(different[np.argsort(first)][series])]
        notes.add("rows were not in the order of time and were sorted (the first: series {first!r})", first=name)
        order = np.lexsort((np.arange(len(place)), rows.times, place))
    return order, offsets


def without_duplicates(rows: Rows, order: Ints, offsets: Ints, zone: str | None, notes: Notes) -> tuple[Ints, Ints]:
    """Rows that repeat another in full are dropped; InputRefused where two rows of one time differ."""
    codes, times = rows.codes[order], rows.times[order]
    again = (codes[1:] == codes[:-1]) & (times[1:] == times[:-1])
    if not again.any():
        return order, offsets
    second = np.flatnonzero(again) + 1
    one, other = rows.values[order[second - 1]], rows.values[order[second]]
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    differs = ~same.all(axis=1)
    if differs.any():
        row = int(np.argmax(differs))
        at = order[second[row]]
        whole = rows.columns.time_type == "integer"
        place = 0 if rows.channels[0].role == "target" else int(np.argmax(~same[row]))
        values = " and ".join(_cell(float(found[row, place]), rows.channels[place]) for found in (one, other))
        series = rows.ids[int(rows.codes[at])]
        raise SeriesRefused(
            f"series {series!r} has two different rows at {shown(int(rows.times[at]), zone, whole)} ({values})",
            series,
            where=rows.where(int(max(at, order[second[row] - 1]))),
            hint=_why_twice(int(rows.times[at]), zone, whole=whole),
        )
    notes.add("{count:,} rows that repeat another row were dropped", rows.in_tables(order[second]))
    keep = np.ones(len(order), np.bool_)
    keep[second] = False
    kept = np.add.reduceat(keep.astype(np.int64), offsets[:-1])
    return order[keep], np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])


def _cell(value: float, channel: Channel) -> str:
    """A value of a channel as messages write it."""
    return repr(channel.vocabulary[int(value)]) if channel.kind == "category" and value >= 0 else repr(value)


def _why_twice(time: int, zone: str | None, *, whole: bool) -> str:
    """What to do about two rows of one time: the clock may have shown it twice."""
    somewhere = None if whole or zone is not None else shown_twice_in(time)
    if somewhere is not None:
        return f"if a clock that was put back shows this hour twice, say whose it is: --zone {somewhere}, or another"
    return "keep one of them; if a column tells series apart, say so: --id NAME"
