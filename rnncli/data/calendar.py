"""Time as whole steps: frequencies, zones, the ordinal of a row, and the calendar a network sees.

Times are int64: microseconds since 1970 in UTC, or the whole numbers that the data count in. Frequencies up to hours
run in UTC, days and longer in the wall time of the zone, so that a day of 23 or 25 hours is one step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.holidays import DAYS_AROUND, DAYS_WITHIN, Holidays
from rnncli.data.zones import DAY, from_wall, skipped, to_wall, zone_info
from rnncli.errors import InputRefused
from rnncli.spec import Spec, added

__all__ = ["DAY", "DAYS", "MONTHS", "SIZES", "UNITS", "Calendar", "Frequency", "zone_info"]


SIZES = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
}
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNITS = ("step", *SIZES, "day", "business day", "week", "month", "quarter", "year")
MONDAY = 4 * DAY  # the first one after the epoch
YEAR = 365.2425
LENGTHS = {"day": DAY, "week": 7 * DAY, "year": 365 * DAY}  # of cycles
_LARGEST_STEP = 1 << 60  # a step is no longer: the times of a few must fit an int64
_LENGTHS = SIZES | {unit: days * DAY for unit, days in {**DAYS, "business day": 1}.items()}
_LENGTHS |= {unit: months * 31 * DAY for unit, months in MONTHS.items()}
_EPOCH = np.datetime64("1970-01-01", "D")
_MONTH_SLOT = 64  # days between the phases of two months of a quarter or year


@dataclass(frozen=True)
class Frequency(Spec):
    """One step is `multiple` units; `month_end` if rows lie on the last day of a month."""

    unit: str
    multiple: int = 1
    month_end: bool = False

    def __post_init__(self) -> None:
        if self.unit not in UNITS or not 1 <= self.multiple <= _LARGEST_STEP // _LENGTHS.get(self.unit, 1):
            raise InputRefused(f"there is no frequency of {self.multiple} {self.unit}s")

    def __str__(self) -> str:
        plural = f"{self.multiple} {self.unit}s" if self.multiple > 1 else f"1 {self.unit}"
        return f"{plural}, at month end" if self.month_end else plural


@dataclass(frozen=True)
class Calendar(Spec):
    """A frequency, the seasons in steps ((1,) if there is none; the first is MASE's), the time zone, the holidays, and
    the `cycles` in which a network sees the place of a row: of those of the frequency (None: all), in their order.

    A row's time is an ordinal, one more each step, and a phase, its place within the step, constant in a series:
    half past, Saturdays, the 15th.
    """

    frequency: Frequency
    seasons: tuple[int, ...] = (1,)
    zone: str | None = None
    holidays: Holidays | None = added(None, since=3)
    cycles: tuple[str, ...] | None = added(None, since=4)

    def __post_init__(self) -> None:
        if not self.seasons or min(self.seasons) < 1:
            raise InputRefused(f"seasons must be at least 1 step: {self.seasons}")
        if self.cycles is not None and self.cycles != tuple(c for c in _cycles(self.frequency) if c in self.cycles):
            raise InputRefused(f"no rows of {self.frequency} have the cycles {self.cycles}")
        if self.holidays is not None and self.counts:
            raise InputRefused("there are no holidays where time is whole numbers")

    def ordinals(self, times: Ints) -> tuple[Ints, Ints]:
        """Ordinal and phase of each time. A row off the grid differs from its series in phase."""
        if self.fixed_step:
            return _divided(times, self.fixed_step)
        local = self.local(times)
        ordinal, phase = _on_the_wall(local, self.frequency)
        jump = skipped(local, self.zone)
        if jump.any():
            _undo_jumps(ordinal, phase, jump > 0, *_on_the_wall(local - jump, self.frequency))
        return ordinal, phase

    def times(self, ordinal: Ints, phase: Ints) -> Ints:
        """The time of each ordinal: the inverse of `ordinals`. A day that a month lacks is its last."""
        if self.fixed_step:
            return np.asarray(ordinal * self.fixed_step + phase)
        return self.from_local(_wall_time(ordinal, phase, self.frequency))

    @property
    def counts(self) -> bool:
        """Whether times are whole numbers, which count steps, and no moments."""
        return self.frequency.unit == "step"

    @property
    def fixed_step(self) -> int:
        """Length of a step that is always the same (whole steps, microseconds of UTC); 0 for days and longer."""
        unit = self.frequency.unit
        return self.frequency.multiple * (1 if unit == "step" else SIZES.get(unit, 0))

    def local(self, times: Ints) -> Ints:
        """UTC -> wall time in the zone."""
        return to_wall(times, self.zone)

    def from_local(self, local: Ints) -> Ints:
        """Wall time -> UTC: of two such times the earlier, and where the clock skips one, as if it had not."""
        return from_wall(local, self.zone)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Sine and cosine of each cycle that the frequency can see, and holidays."""
        cycles = tuple(f"{function} {name}" for name in self._seen_cycles for function in ("sin", "cos"))
        return cycles + (() if self.holidays is None else DAYS_AROUND if self.within_days else DAYS_WITHIN)

    @property
    def _seen_cycles(self) -> tuple[str, ...]:
        return _cycles(self.frequency) if self.cycles is None else self.cycles

    def cycles_within(self, span: int) -> tuple[str, ...]:
        """The cycles that rows over `span` microseconds pass through once at least: of others they show a part."""
        return tuple(name for name in _cycles(self.frequency) if LENGTHS[name] <= span)

    @property
    def within_days(self) -> bool:
        """Whether a step is a day, or a part of one."""
        unit, multiple = self.frequency.unit, self.frequency.multiple
        return unit == "business day" or (unit == "day" and multiple == 1) or 0 < self.fixed_step <= DAY

    def features(self, ordinal: Ints, phase: Ints) -> NDArray[np.float32]:
        """[...] -> [..., F]: place in the day, week and year, each as sine and cosine, and holidays; F may be 0."""
        cycles = self._places(ordinal, phase)
        if self.holidays is None:
            return cycles
        day = self._day(ordinal, phase)
        if self.within_days:
            off = self.holidays.on(day)
        else:
            off = self.holidays.within(self._day(ordinal - 1, phase), day, self._day(ordinal + 1, phase))
        return np.concatenate([cycles, off], axis=-1, dtype=np.float32)

    def _day(self, ordinal: Ints, phase: Ints) -> Ints:
        """The day on the wall in which each time lies."""
        return np.asarray(self.local(self.times(ordinal, phase)) // DAY)

    def _places(self, ordinal: Ints, phase: Ints) -> NDArray[np.float32]:
        cycles = self._seen_cycles
        if not cycles:
            return np.zeros((*ordinal.shape, 0), np.float32)
        local = self.local(self.times(ordinal, phase))
        places = {
            "day": lambda: local % DAY / DAY,
            "week": lambda: (local - MONDAY) % (7 * DAY) / (7 * DAY),
            "year": lambda: _place_in_year(local // DAY),
        }
        angles = [2 * np.pi * places[name]() for name in cycles]
        return np.stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)], axis=-1).astype(np.float32)


def _cycles(frequency: Frequency) -> tuple[str, ...]:
    if frequency.unit in SIZES:
        step = SIZES[frequency.unit] * frequency.multiple
        return ("day", "week", "year") if step >= SIZES["minute"] else ("day", "week")
    whole_days = frequency.unit == "business day" or (frequency.unit == "day" and frequency.multiple < 7)
    return {True: ("week", "year")}.get(whole_days, ("year",) if frequency.unit not in ("step", "year") else ())


def _place_in_year(day: Ints) -> Floats:
    return np.asarray((day - _first_day(_month(day) // 12 * 12)) / YEAR)


def _divided(times: Ints, length: int) -> tuple[Ints, Ints]:
    ordinal = times // length
    return ordinal, times - ordinal * length


def _on_the_wall(local: Ints, frequency: Frequency) -> tuple[Ints, Ints]:
    if frequency.unit == "business day":
        return _business_days(local)
    if frequency.unit in MONTHS:
        return _months(local, frequency)
    return _divided(local, DAYS[frequency.unit] * frequency.multiple * DAY)


def _business_days(local: Ints) -> tuple[Ints, Ints]:
    day, clock = _divided(local, DAY)
    weekend = np.maximum((day + 3) % 7 - 4, 0)  # 1 on Saturdays, 2 on Sundays, which are off the grid
    ordinal = np.asarray(np.busday_count(_EPOCH, _dates(day)), np.int64)
    return ordinal - (weekend > 0), clock + weekend * DAY


def _months(local: Ints, frequency: Frequency) -> tuple[Ints, Ints]:
    """The phase of a month end is counted from the month's last day, so that only last days agree."""
    month = _month(local // DAY)
    anchor = _first_day(month + 1) - 1 if frequency.month_end else _first_day(month)
    ordinal, within = _divided(month, MONTHS[frequency.unit] * frequency.multiple)
    phase = local + (within * _MONTH_SLOT - anchor) * DAY
    if not frequency.month_end:
        _undo_shortening(phase, local // DAY == _first_day(month + 1) - 1)
    return ordinal, phase


def _wall_time(ordinal: Ints, phase: Ints, frequency: Frequency) -> Ints:
    if frequency.unit == "business day":
        return np.asarray(_days(np.busday_offset(_EPOCH, ordinal, roll="forward")) * DAY + phase)
    if frequency.unit in DAYS:
        return np.asarray(ordinal * (DAYS[frequency.unit] * frequency.multiple * DAY) + phase)
    within, rest = _divided(phase, _MONTH_SLOT * DAY)
    month = ordinal * (MONTHS[frequency.unit] * frequency.multiple) + within
    first, final = _first_day(month), _first_day(month + 1) - 1
    if frequency.month_end:
        return np.asarray(final * DAY + rest)
    day, clock = _divided(rest, DAY)
    return np.asarray(np.minimum(first + day, final) * DAY + clock)


def _undo_jumps(ordinal: Ints, phase: Ints, late: Bools, ordinal_meant: Ints, phase_meant: Ints) -> None:
    """A daily row at 00:00 is at 01:00 on the day on which the clock skips midnight: its neighbours say so."""
    where = np.flatnonzero(late)
    flat, meant = phase.reshape(-1), phase_meant.reshape(-1)
    before, after = flat[np.maximum(where - 1, 0)], flat[np.minimum(where + 1, flat.size - 1)]
    where = where[(before == meant[where]) | (after == meant[where])]
    ordinal.reshape(-1)[where] = ordinal_meant.reshape(-1)[where]
    flat[where] = meant[where]


def _undo_shortening(phase: Ints, last: Bools) -> None:
    """A row of the 30th is at the 28th in February: its neighbours say so of this last day of a month."""
    where, flat = np.flatnonzero(last), phase.reshape(-1)
    around = np.concatenate([[-1], flat, [-1]])
    missing = np.stack([around[where], around[where + 2]]) - flat[where]
    short = (missing > 0) & (missing <= 3 * DAY) & (missing % DAY == 0) & (missing != 0).all(axis=0)
    flat[where] += np.where(short, missing, 0).max(axis=0)


def _dates(day: Ints) -> NDArray[np.datetime64]:
    return day.astype("datetime64[D]")


def _days(dates: NDArray[np.datetime64]) -> Ints:
    return dates.astype("datetime64[D]").astype(np.int64)


def _month(day: Ints) -> Ints:
    return _dates(day).astype("datetime64[M]").astype(np.int64)


def _first_day(month: Ints) -> Ints:
    return _days(month.astype("datetime64[M]"))
