"""Data as checks see them: every row that could be read, sorted, on a grid where there is one; nothing is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, repeat

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.channel import Channel
from rnncli.data.checks.finding import SHOWN, Example
from rnncli.data.frequency import check_frequency, infer_frequency, shown
from rnncli.data.known import Known
from rnncli.data.load import to_panel
from rnncli.data.noted import Notes
from rnncli.data.ordered import LARGEST, sorted_rows
from rnncli.data.panel import Panel
from rnncli.data.rows import Rows
from rnncli.data.statistics import Statistics
from rnncli.data.tables import Fault
from rnncli.errors import InputRefused
from rnncli.spec import Columns


@dataclass(frozen=True)
class Trained:
    """What a model knows of its data: `cutoffs` are the last ordinals of its series."""

    columns: Columns
    calendar: Calendar
    channels: tuple[Channel, ...]
    horizon: int
    cutoffs: Mapping[str, int]
    statistics: Statistics | None

    @cached_property
    def places(self) -> dict[str, int]:
        """The row of each series in the statistics."""
        return {name: row for row, name in enumerate(self.cutoffs)}


@dataclass(frozen=True)
class Change:
    """A column, or the way times are written, that is not what it was in training."""

    id: str
    says: str


@dataclass(frozen=True)
class Seen:
    """`rows` with times in UTC and, as they were written, `written` [n]; `faults` are rows that could not be used.

    `changes` are what a model does not find again, `known` what is left of it to hold the rows against.
    """

    rows: Rows
    written: Ints
    zone: str | None
    faults: tuple[Fault, ...] = ()
    changes: tuple[Change, ...] = ()
    trained: Trained | None = None
    known: Known | None = None
    horizon: int | None = None

    @property
    def columns(self) -> Columns:
        """What the columns are."""
        return self.rows.columns

    @property
    def whole(self) -> bool:
        """Whether times are whole numbers."""
        return self.columns.time_type == "integer"

    @cached_property
    def wild(self) -> Bools:
        """Values that are infinite, or too large to compute with [n, channels]."""
        return np.asarray(np.abs(self.rows.values) > LARGEST)

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints, bool]:
        notes = Notes()
        order, offsets = sorted_rows(self.rows, notes)
        return order, offsets, bool(notes.lines())

    @property
    def unsorted(self) -> bool:
        """Whether rows are not in the order of time."""
        return self._sorted[2]

    @cached_property
    def repeats(self) -> tuple[Ints, Ints]:
        """Rows whose series and time are those of an earlier row: that are equal to it, that contradict it."""
        order, _, _ = self._sorted
        codes, times = self.rows.codes[order], self.rows.times[order]
        second = np.flatnonzero((codes[1:] == codes[:-1]) & (times[1:] == times[:-1])) + 1
        one, other = self.rows.values[order[second - 1]], self.rows.values[order[second]]
        equal = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)
        return order[second[equal]], order[second[~equal]]

    @cached_property
    def _kept(self) -> tuple[Ints, Ints]:
        """Rows series after series and by time, of those of one time the last; a wide series from its first value."""
        order, _, _ = self._sorted
        codes, times = self.rows.codes[order], self.rows.times[order]
        last = np.append((codes[1:] != codes[:-1]) | (times[1:] != times[:-1]), True)  # an element
        if self.columns.wide:
            last &= self._born(order, codes)
        order = order[last]
        edges = np.flatnonzero(np.diff(self.rows.codes[order])) + 1
        return order, np.concatenate([np.zeros(1, np.int64), edges, [len(order)]]).astype(np.int64)

    def _born(self, order: Ints, codes: Ints) -> Bools:
        """Which rows come after the first value of their series, or are it."""
        seen = np.concatenate([[0], np.cumsum(~np.isnan(self.rows.values[order, 0]))])
        first = np.append(True, codes[1:] != codes[:-1])
        begins = np.flatnonzero(first)[np.cumsum(first) - 1]
        return np.asarray(seen[1:] > seen[begins])

    @property
    def order(self) -> Ints:
        """Rows series after series and by time, one a time [k]."""
        return self._kept[0]

    @property
    def offsets(self) -> Ints:
        """Where each series begins in `order`, and its end [S + 1]."""
        return self._kept[1]

    @cached_property
    def owner(self) -> Ints:
        """The series of each row of `order`."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @cached_property
    def times(self) -> Ints:
        """Their times."""
        return self.rows.times[self.order]

    @cached_property
    def values(self) -> Floats:
        """Their values [k, channels], NaN where they cannot be computed with."""
        values = self.rows.values[self.order]
        return np.where(self.wild[self.order], np.nan, values) if self.wild.any() else values

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The names of the series."""
        return tuple(self.rows.ids[code] for code in self.rows.codes[self.order[self.offsets[:-1]]].tolist())

    @cached_property
    def calendar(self) -> Calendar | InputRefused:
        """The grid that the rows are on (the model's, where there is one), or why there is none."""
        try:
            if self.known is not None:
                check_frequency(self.times, self.offsets, self.known.calendar, self.ids)
                return self.known.calendar
            return Calendar(infer_frequency(self.times, self.offsets, self.zone, self.ids, self.whole), (1,), self.zone)
        except InputRefused as error:
            return error

    @cached_property
    def ordinals(self) -> Ints | None:
        """The step of each row of `order`; None without a grid."""
        return self.calendar.ordinals(self.times)[0] if isinstance(self.calendar, Calendar) else None

    @cached_property
    def panel(self) -> Panel | InputRefused:
        """The rows on their grid, with what can be repaired repaired; or why training refuses them even so."""
        repaired = replace(self.rows, values=np.where(self.wild, np.nan, self.rows.values))
        keep = np.zeros(len(repaired.codes), np.bool_)
        keep[self.order] = True
        return self._loaded(repaired.kept(keep))

    @cached_property
    def as_it_is(self) -> Panel | InputRefused:
        """The rows as training would read them."""
        equal, different = self.repeats
        if not (self.wild.any() or len(equal) or len(different) or self.columns.wide):
            return self.panel
        return self._loaded(self.rows)

    def _loaded(self, rows: Rows) -> Panel | InputRefused:
        try:
            return to_panel(rows, self.zone, self.known)
        except InputRefused as error:
            return error

    def shown(self, time: int) -> str:
        """A time as messages write it."""
        return shown(time, self.zone, self.whole)

    def example(self, row: int, says: str = "", weight: float = 0.0) -> Example:
        """A row as an example."""
        where = self.rows.where(row)
        series = self.rows.ids[int(self.rows.codes[row])]
        return Example(series, self.shown(int(self.rows.times[row])), where, says, weight)

    def examples(self, rows: Iterable[int]) -> tuple[Example, ...]:
        """The first rows as examples."""
        return tuple(self.example(int(row)) for row, _ in zip(rows, range(SHOWN), strict=False))

    def of_series(
        self, series: Iterable[int], says: Iterable[str] = (), weights: Iterable[float] = ()
    ) -> tuple[Example, ...]:
        """The first of these series, by their number, as examples."""
        names = (self.ids[int(s)] for s, _ in zip(series, range(SHOWN), strict=False))
        each = zip(names, chain(says, repeat("")), chain(weights, repeat(0.0)), strict=False)
        return tuple(Example(name, None, None, text, float(weight)) for name, text, weight in each)
