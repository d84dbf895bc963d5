"""Between UTC and the time on the wall, vectorised. Times are int64 microseconds since 1970-01-01."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.errors import InputRefused

Times = Ints

SECOND = 1_000_000
DAY = 86_400 * SECOND
TYPICAL = ("Europe/Berlin", "Europe/London", "America/New_York", "Australia/Sydney", "America/Santiago")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "GMT", "Z", "+00:00"})
_FIXED = re.compile(r"([+-])(\d\d):?(\d\d)")
_FIRST_YEAR, _LAST_YEAR = 2, 9998  # what datetime can hold with a day to spare on both sides


@dataclass(frozen=True)
class Transitions:
    """The clock changes of a zone: at UTC instant `at[i]` the offset goes from `offset[i]` to `offset[i + 1]`."""

    at: Times
    offset: Times

    @property
    def wall(self) -> Times:
        """Wall time from which the new offset alone holds; the hour that comes twice is read as its first."""
        return self.at + np.maximum(self.offset[:-1], self.offset[1:])


def to_wall(times: Times, zone: str | None) -> Times:
    """UTC microseconds to microseconds on the wall of `zone`; no zone changes nothing. InputRefused if unknown."""
    if zone is None or not times.size:
        return times
    changes = _transitions(zone, times)
    return times + changes.offset[np.searchsorted(changes.at, times, side="right")]


def from_wall(wall: Times, zone: str | None) -> Times:
    """The inverse of `to_wall`; a time that the clock skips in spring is the moment so far after the change."""
    if zone is None or not wall.size:
        return wall
    changes = _transitions(zone, wall)
    return wall - changes.offset[np.searchsorted(changes.wall, wall, side="right")]


def ambiguous(times: Times, zone: str | None) -> Bools:
    """Which moments, in UTC, have a wall time that the clock shows a second time."""
    if zone is None or not times.size:
        return np.zeros(times.shape, np.bool_)
    changes = _transitions(zone, times)
    if not len(changes.at):
        return np.zeros(times.shape, np.bool_)
    back = np.maximum(changes.offset[:-1] - changes.offset[1:], 0)
    place = np.searchsorted(changes.at, times, side="right")
    since = times - np.concatenate([times.ravel()[:1] * 0, changes.at])[place]
    until = np.concatenate([changes.at, times.ravel()[:1] * 0])[place] - times
    after = (place > 0) & (since < np.concatenate([back[:1] * 0, back])[place])
    before = (place < len(changes.at)) & (until <= np.concatenate([back, back[:1] * 0])[place])
    return np.asarray(after | before)


def shown_twice_in(wall: int) -> str | None:
    """The first of some typical zones whose clock shows a wall time twice."""
    for zone in TYPICAL:
        first = from_wall(np.array([wall], np.int64), zone)
        if to_wall(first + 3_600 * SECOND, zone)[0] == wall:
            return zone
    return None


def skipped(wall: Times, zone: str | None) -> Times:
    """How far the clock jumped just before these wall times, where it jumped over no more than `wall` lies behind it.

    0 nearly everywhere. Daily rows at 00:00 are at 01:00 on the day when the clock skips midnight.
    """
    if zone is None or not wall.size:
        return np.zeros_like(wall)
    changes = _transitions(zone, wall)
    jump = np.diff(changes.offset, prepend=changes.offset[:1])
    place = np.searchsorted(changes.wall, wall, side="right")
    begin = np.concatenate([wall.ravel()[:1] * 0, changes.wall])[place]
    return np.where((place > 0) & (wall < begin + jump[place]), jump[place], 0)


def changes(zone: str | None, times: Times) -> Times:
    """UTC moments at which the clock of a zone changes, from a year before the first time to one after the last."""
    return np.zeros(0, np.int64) if zone is None or not times.size else _transitions(zone, times).at


def is_fixed(zone: str) -> bool:
    """Whether a zone is UTC or an offset, whose clock never changes. InputRefused if there is no such zone."""
    return isinstance(zone_info(zone), timezone)


@cache
def zone_info(zone: str) -> tzinfo:
    """The named zone, or a fixed offset such as "+01:00". InputRefused if there is none."""
    if zone in _UTC_NAMES:
        return UTC
    fixed = _FIXED.fullmatch(zone)
    try:
        if fixed is not None:
            return timezone(int(fixed[1] + "1") * timedelta(hours=int(fixed[2]), minutes=int(fixed[3])))
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise InputRefused(
            f"there is no time zone {zone!r} on this machine",
            hint="use a name such as Europe/Berlin or UTC; where zone data are missing: pip install tzdata",
        ) from None


def _transitions(zone: str, times: Times) -> Transitions:
    ends = np.array([times.min(), times.max()], np.int64).view("datetime64[us]").astype("datetime64[Y]")
    first, last = np.clip(ends.astype(np.int64) + 1970 + [-1, 1], _FIRST_YEAR, _LAST_YEAR).tolist()
    return _between(zone, first, last)


@lru_cache(maxsize=64)
def _between(zone: str, first: int, last: int) -> Transitions:
    """The changes from the start of year `first` to the end of year `last`."""
    begin = _seconds(first)
    at = [change for year in range(first, last + 1) for change in _changes_in(zone, year)]
    offsets = [_offset_seconds(zone, second) for second in [begin, *at]]
    return Transitions(np.array(at, np.int64) * SECOND, np.array(offsets, np.int64) * SECOND)


@cache
def _changes_in(zone: str, year: int) -> tuple[int, ...]:
    """UTC seconds in `year` at which the offset of `zone` changes."""
    weeks = [*range(_seconds(year), _seconds(year + 1), 7 * 86_400), _seconds(year + 1)]
    offsets = [_offset_seconds(zone, week) for week in weeks]
    pairs = zip(weeks, weeks[1:], offsets, offsets[1:], strict=False)
    return tuple(_bisect(zone, low, high) for low, high, before, after in pairs if before != after)


def _bisect(zone: str, low: int, high: int) -> int:
    before = _offset_seconds(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_seconds(zone, middle) == before else (low, middle)
    return high


def _seconds(year: int) -> int:
    return int((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())


def _offset_seconds(zone: str, second: int) -> int:
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone_info(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0
