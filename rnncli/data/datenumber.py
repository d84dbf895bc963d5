"""Whole numbers that are dates: 20240131, 202401, 20241, 2024013106, or a count of seconds since 1970."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data.timestyle import EPOCHS, STEP

_YEARS = (1900, 2100)
_ENOUGH = 8  # different numbers, of which chance makes no dates
_SINCE, _UNTIL = 946_684_800, 4_102_444_800  # 2000 and 2100, in seconds: counts below are hardly ever times
_CLOCKS = {"%Y%m%d%H%M%S": 1_000_000, "%Y%m%d%H%M": 10_000, "%Y%m%d%H": 100, "%Y%m%d": 1}


def styles_of(values: Ints) -> tuple[str, ...]:
    """The styles in which most of these different whole numbers are times; none for numbers that count steps.

    Where several are named, nobody can tell which is meant.
    """
    if not len(values):
        return ()
    for style, size in _CLOCKS.items():
        if _most(_dated(values, size)):
            return (style,)
    for style, unit in EPOCHS.items():
        low, high = _bounds(unit)
        if _most((values >= low) & (values < high)):
            return (style,)
    return _period(np.unique(values))


def _most(fits: Bools) -> bool:
    return bool(2 * np.count_nonzero(fits) > len(fits))


def _bounds(unit: int) -> tuple[int, int]:
    """From when to when, in counts that are `unit` microseconds long (below 0: that part of one)."""
    parts = 1_000_000 // unit if unit > 0 else 1_000_000 * -unit
    return _SINCE * parts, _UNTIL * parts


def _dated(values: Ints, size: int) -> Bools:
    """Which are a date of eight digits with `size` for a clock of two digits a part behind it."""
    date, clock = np.divmod(values, size)
    year, rest = np.divmod(date, 10_000)
    month, day = np.divmod(rest, 100)
    good = (year >= _YEARS[0]) & (year < _YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1)
    good &= day <= _days_in(np.where(good, year, 2000), np.where(good, month, 1))
    limit = 24
    while size > 1:
        size //= 100
        part, clock = np.divmod(clock, size)
        good &= part < limit
        limit = 60
    return np.asarray(good)


def _days_in(year: Ints, month: Ints) -> Ints:
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return np.asarray(((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64))


def _period(values: Ints) -> tuple[str, ...]:
    """Months, weeks or quarters behind a year. Numbers of one year alone may as well be a count."""
    months, weeks, quarters = (_parts(values, *of) for of in ((100, 12), (100, 53), (10, 4)))
    if quarters:
        return ("%Y%q",) if _several_years(values, 10) else ("%Y%q", STEP)
    if months:
        return ("%Y%m",) if _several_years(values, 100) else ("%Y%m", "%G%V", STEP)
    if weeks:
        return ("%G%V",) if _several_years(values, 100) else ("%G%V", STEP)
    if _parts(values, 1_000, 366):
        return ("%Y%j", STEP)
    return ("%y%m%d", STEP) if len(values) >= _ENOUGH and _short_dates(values) else ()


def _short_dates(values: Ints) -> bool:
    """Whether all are dates whose years have two digits."""
    return bool((values >= 10_101).all() and (values < 1_000_000).all() and _dated(20_000_000 + values, 1).all())


def _parts(values: Ints, size: int, last: int) -> bool:
    """Whether all are a year with a part from 1 to `last` behind it."""
    year, part = np.divmod(values, size)
    return bool(((year >= _YEARS[0]) & (year < _YEARS[1]) & (part >= 1) & (part <= last)).all())


def _several_years(values: Ints, size: int) -> bool:
    return bool(values[-1] // size > values[0] // size)


def from_epoch(values: Ints, style: str) -> Ints:
    """Counts since 1970 as microseconds. ValueError (what is wrong, the position) where that cannot be."""
    size = EPOCHS[style]
    if size < 0:
        fine = values % -size != 0
        if fine.any():
            raise ValueError("is finer than a microsecond", int(np.argmax(fine)))
        return np.asarray(values // -size)
    far = np.abs(values) > (1 << 62) // size
    if far.any():
        raise ValueError("is too far from 1970", int(np.argmax(far)))
    return np.asarray(values * size)
