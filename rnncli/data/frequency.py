"""Which frequency the rows of a panel have, found once, at training: one grid for all series, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.calendar import DAY, MONTHS, SIZES, Calendar, Frequency
from rnncli.data.zones import to_wall, zone_info
from rnncli.errors import InputRefused, SeriesRefused

_BLOCK = 1_000_000  # rows looked at in one piece, so that a large panel needs little memory
_REGULAR = 7  # a series of at least so many rows, nearly all of them the same way apart, has a frequency of its own


def infer_frequency(
    times: Ints, offsets: Ints, zone: str | None, ids: Sequence[str] = (), whole: bool = False
) -> Frequency:
    """The one frequency of all series; times ascend within each. `whole`: times are whole numbers, not moments.

    The commonest difference between neighbours decides, and every series is held to it: rows may be missing, but
    none may lie between two steps. A panel of single rows is daily, or has steps of 1. Raises InputRefused naming the
    series that have different frequencies, or the row that lies off the grid.
    """
    if zone is not None:
        zone_info(zone)
    rows = _Rows(times, offsets, zone, tuple(ids), whole)
    if not (np.diff(offsets) > 1).any():
        return Frequency("step" if whole else "day")
    tried = rows.sample().candidates()
    for frequency in tried:
        if rows.first_misfit(frequency) is None:
            rows.refuse_a_sparser_series(frequency)
            return frequency
    raise rows.refusal(tried)


def check_frequency(times: Ints, offsets: Ints, calendar: Calendar, ids: Sequence[str] = ()) -> None:
    """Hold the rows of all series to a frequency that is known. InputRefused naming the first row that is off it."""
    frequency = calendar.frequency
    rows = _Rows(times, offsets, calendar.zone, tuple(ids), frequency.unit == "step")
    misfit = rows.first_misfit(frequency)
    if misfit is not None:
        raise rows.off_the_grid(misfit, f"the model's rows are {frequency} apart, but this one is off that grid")
    rows.refuse_a_sparser_series(frequency)


def off_grid(times: Ints, offsets: Ints, zone: str | None, *, whole: bool = False) -> Ints:
    """Positions of the rows that are off the grid of the frequency that fits most, or not after the row before."""
    rows = _Rows(times, offsets, zone, (), whole)
    return min((rows.misfits(frequency) for frequency in rows.sample().candidates()), key=len)


@dataclass(frozen=True)
class _Rows:
    """The rows of a panel while its frequency is being found."""

    times: Ints
    offsets: Ints
    zone: str | None
    ids: tuple[str, ...]
    whole: bool

    def edges(self) -> Ints:
        """Positions in np.diff of all rows that lie between two series."""
        edges = self.offsets[1:-1] - 1
        return edges[(edges >= 0) & (edges < len(self.times) - 1)]

    def changes(self, values: Ints) -> Ints:
        """Differences between neighbours in the same series."""
        return np.delete(np.diff(values), self.edges())

    def part(self, first: int, end: int) -> _Rows:
        """Series `first` to `end` - 1, a view."""
        begin = self.offsets[first]
        times = self.times[begin : self.offsets[end]]
        return _Rows(times, self.offsets[first : end + 1] - begin, self.zone, self.ids[first:end], self.whole)

    def blocks(self) -> Iterator[tuple[int, _Rows]]:
        """The panel in parts of about _BLOCK rows, each with its first series."""
        marks = np.searchsorted(self.offsets, np.arange(0, len(self.times), _BLOCK), side="right") - 1
        cuts = np.unique([*marks.tolist(), len(self.offsets) - 1]).tolist()
        return ((first, self.part(first, end)) for first, end in pairwise(cuts))

    def sample(self) -> _Rows:
        """About _BLOCK rows of series from all over the panel, some of them longer than one row."""
        lengths = np.diff(self.offsets)
        long = np.flatnonzero(lengths > 1)
        chosen = long[:: max(1, int(lengths[long].sum()) // _BLOCK)]
        if len(chosen) == len(lengths):
            return self
        times = np.concatenate([self.part(series, series + 1).times for series in chosen.tolist()])
        return _Rows(times, np.concatenate([[0], np.cumsum(lengths[chosen])]), self.zone, (), self.whole)

    def name(self, series: int) -> str:
        return repr(self.ids[series]) if series < len(self.ids) else f"number {series + 1}"

    def candidates(self) -> list[Frequency]:
        """What to try, the likeliest first: the commonest difference decides."""
        mode = _mode(self.changes(self.times))
        if self.whole:
            return [_steps(mode), *self._finer(_steps)]
        if mode % DAY:
            return [_below_a_day(mode), *self._finer(_below_a_day)]
        return [*self._of_days(mode // DAY), _below_a_day(mode)]

    def _finer(self, build: Callable[[int], Frequency]) -> list[Frequency]:
        """The common divisor of all differences, if at least every second place on its grid is taken."""
        changes = self.changes(self.times)
        common = int(np.gcd.reduce(changes))
        return [build(common)] if 0 < changes.sum() <= 2 * common * changes.size else []

    def _of_days(self, days: int) -> list[Frequency]:
        daily = [Frequency("business day")] if self._rests_at_weekends() else []
        daily.append(Frequency("day"))
        if days == 1:
            return daily
        spaced = Frequency("week", days // 7) if days % 7 == 0 else Frequency("day", days)
        sparse = daily if self.changes(self.times).sum() <= 2 * DAY * (len(self.times) - len(self.offsets) + 2) else []
        return [*(self._of_months() if days >= 28 else []), spaced, *sparse]

    def _of_months(self) -> list[Frequency]:
        day = (to_wall(self.times, self.zone) // DAY).astype("datetime64[D]")
        month = day.astype("datetime64[M]")
        size = _mode(self.changes(month.astype(np.int64)))
        unit = next(unit for unit in reversed(MONTHS) if size % MONTHS[unit] == 0)
        last = bool(((day + 1).astype("datetime64[M]") > month).all())
        return [Frequency(unit, size // MONTHS[unit], end) for end in (last, not last)] if size else []

    def _rests_at_weekends(self) -> bool:
        """No row on Saturday or Sunday, and some series goes on after a weekend."""
        weekday = (to_wall(self.times, self.zone) // DAY + 3) % 7
        return bool(weekday.max() < 5) and bool((self.changes(weekday) < 0).any())

    def first_misfit(self, frequency: Frequency) -> int | None:
        """Position of the first row that is off the frequency's grid, or not after the row before it."""
        grid = Calendar(frequency, zone=self.zone)
        for first, block in self.blocks():
            ordinal, phase = grid.ordinals(block.times)
            off = (np.diff(ordinal) < 1) | (np.diff(phase) != 0)
            off[block.edges()] = False
            if off.any():
                return int(self.offsets[first] + np.argmax(off) + 1)
        return None

    def misfits(self, frequency: Frequency) -> Ints:
        """Positions of all rows whose place in the step is not the commonest of their series."""
        ordinal, phase = Calendar(frequency, zone=self.zone).ordinals(self.times)
        owner = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        order = np.lexsort((phase, owner))
        begins = np.flatnonzero(np.concatenate([[1], np.diff(owner[order]) | np.diff(phase[order])]))
        counts = np.diff(np.append(begins, len(order)))
        ranked = np.lexsort((-counts, owner[order[begins]]))
        first = np.unique(owner[order[begins[ranked]]], return_index=True)[1]
        usual = phase[order[begins[ranked[first]]]]
        again = np.concatenate([[False], (np.diff(ordinal) < 1) & (np.diff(owner) == 0)])
        return np.flatnonzero((phase != usual[owner]) | again)

    def refuse_a_sparser_series(self, frequency: Frequency) -> None:
        """InputRefused if a series keeps to a longer step of the same grid, as weekly rows in a daily panel do."""
        grid = Calendar(frequency, zone=self.zone)
        for first, block in self.blocks():
            step = np.diff(grid.ordinals(block.times)[0], append=0)
            step[block.offsets[1:] - 1] = 0
            total = np.concatenate([[0], np.cumsum(step == 1)])
            single, lengths = np.diff(total[block.offsets]), np.diff(block.offsets)
            for series in np.flatnonzero((lengths >= _REGULAR) & (single < 0.1 * lengths)).tolist():
                own = step[block.offsets[series] : block.offsets[series + 1] - 1]
                if np.mean(own == _mode(own)) >= 0.9 or own.max() <= 1.2 * own.min():  # months are 28 to 31 days
                    raise self._mixed(self._example_of(frequency), first + series)

    def _example_of(self, frequency: Frequency) -> int:
        """A series that has this frequency by itself."""
        return next((s for s in range(len(self.offsets) - 1) if self._own(s) == frequency), 0)

    def refusal(self, tried: list[Frequency]) -> InputRefused:
        """Why no frequency fits: two frequencies, or a row that is off any grid."""
        misfits = [(self.first_misfit(frequency) or 0, frequency) for frequency in tried]
        row, frequency = max(misfits, key=lambda misfit: misfit[0])
        series = int(np.searchsorted(self.offsets, row, side="right")) - 1
        own = self._own(series) if len(self.offsets) > 2 else None
        others = range(min(len(self.offsets) - 1, 100)) if own else ()
        other = next((s for s in others if self._own(s) not in (own, None)), None)
        if other is not None:
            return self._mixed(other, series)
        return self.off_the_grid(
            row, f"the times are not regular: most rows are {frequency} apart, but this one is off that grid"
        )

    def off_the_grid(self, row: int, message: str) -> InputRefused:
        """The error about one row."""
        series = int(np.searchsorted(self.offsets, row, side="right")) - 1
        return self._of_series(
            series,
            message,
            hint="aggregate the rows to regular times (hours, days ...), or number them with whole steps",
            where=f"series {self.name(series)} at {shown(int(self.times[row]), self.zone, self.whole)}",
        )

    def _of_series(self, series: int, message: str, **places: str) -> InputRefused:
        """The error about one series, which can be left out if it has a name."""
        if series >= len(self.ids):
            return InputRefused(message, **places)
        return SeriesRefused(message, self.ids[series], **places)

    def _own(self, series: int) -> Frequency | None:
        """The frequency that a series has by itself, None if it has none."""
        rows = self.part(series, series + 1)
        if len(rows.times) < 4:  # says too little
            return None
        try:
            return infer_frequency(rows.times, rows.offsets, self.zone, rows.ids, self.whole)
        except InputRefused:
            return None

    def _mixed(self, one: int, other: int) -> InputRefused:
        return self._of_series(
            other,
            f"mixed frequencies: the rows of series {self.name(one)} are {self._own(one)} apart, "
            f"those of series {self.name(other)} {self._own(other)}",
            hint="train one model for each frequency, or resample the rows to a common step",
        )


def _mode(values: Ints) -> int:
    """The commonest value above 0, the smallest of several, else 0; of very many values a sample decides."""
    found, counts = np.unique(values[:: max(1, values.size // 200_000)], return_counts=True)
    counts = counts * (found > 0)
    return int(found[np.argmax(counts)]) if counts.any() else 0


def _steps(length: int) -> Frequency:
    return Frequency("step", max(length, 1))


def _below_a_day(length: int) -> Frequency:
    unit = next(unit for unit in reversed(SIZES) if length % SIZES[unit] == 0)
    return Frequency(unit, max(length // SIZES[unit], 1))


def shown(time: int, zone: str | None, whole: bool) -> str:
    """A time as messages write it."""
    if whole:
        return str(time)
    wall = int(to_wall(np.array([time], np.int64), zone)[0])
    try:
        moment = datetime(1970, 1, 1) + timedelta(microseconds=wall)  # noqa: DTZ001  # wall time
    except OverflowError:
        return f"{time} microseconds after 1970"
    return moment.isoformat(" ").removesuffix(" 00:00:00")
