"""Series on the grid of steps that the clock on the wall shows, for what repeats by day or week in a zone whose clock
changes.

Row u of a series, which lies at UTC time u step + phase, is in slot floor(wall(u step + phase) / step). Where the clock
skips an hour, its slots have no row; where it shows one twice, two rows share each slot. Everything else about the data
stays on the UTC grid: forecasts are made on this one, and each UTC row takes that of its slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import DAY, SIZES, Calendar
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.zones import changes, is_fixed

AT_ONCE = 1 << 20  # rows


class WallCalendar(Calendar):
    """A calendar whose ordinals count the steps that the clock of its zone shows; it is never saved."""

    def ordinals(self, times: Ints) -> tuple[Ints, Ints]:
        """Slot and phase of each time."""
        return self.local(times) // self.fixed_step, times % self.fixed_step

    def times(self, ordinal: Ints, phase: Ints) -> Ints:
        """The time of the first row of each slot; of one that the clock skips, of the row so long after the change."""
        step = self.fixed_step
        first = -((phase - self.from_local(ordinal * step)) // step)
        first = first - (slots(self, first - 1, phase) == ordinal)  # where the clock jumps by a part of a step
        return np.asarray(first * step + phase)


def follows(calendar: Calendar, seasons: Sequence[int]) -> bool:
    """Whether series of this calendar with one of these seasons (in steps) are to be laid on the wall clock's grid: a
    season is of whole days, a step a whole part of an hour and a minute at least, and the clock of the zone may change.
    """
    step = calendar.fixed_step
    if calendar.zone is None or calendar.frequency.unit not in SIZES or isinstance(calendar, WallCalendar):
        return False
    suits = SIZES["hour"] % step == 0 and step >= SIZES["minute"] and any(m * step % DAY == 0 for m in seasons)
    return suits and not is_fixed(calendar.zone)


def on_the_wall(calendar: Calendar) -> WallCalendar:
    """The calendar of the wall clock's grid."""
    return WallCalendar(**{field.name: getattr(calendar, field.name) for field in fields(calendar)})


def slots(calendar: Calendar, ordinal: Ints, phase: Ints) -> Ints:
    """The slot of each row of the UTC grid."""
    step = calendar.fixed_step
    return np.asarray(calendar.local(ordinal * step + phase) // step)


def earliest(calendar: Calendar, ordinal: Ints, phase: Ints) -> Ints:
    """The earliest slot of a row and all after it: within an hour that comes twice, where the clock will go back to."""
    here, change, place = _changes(calendar, ordinal, phase)
    following = change[np.minimum(place, len(change) - 1)] if len(change) else here
    return np.where(place < len(change), np.minimum(here, _slot_from(calendar, following, phase)), here)


def latest(calendar: Calendar, ordinal: Ints, phase: Ints) -> Ints:
    """The latest slot of a row and all before it."""
    here, change, place = _changes(calendar, ordinal, phase)
    before = change[np.maximum(place - 1, 0)] if len(change) else here
    return np.where(place > 0, np.maximum(here, _slot_from(calendar, before, phase, rows=-1)), here)


def _changes(calendar: Calendar, ordinal: Ints, phase: Ints) -> tuple[Ints, Ints, Ints]:
    """The slot of each row, the clock changes about them, and how many of these are before or at each row."""
    times = ordinal * calendar.fixed_step + phase
    change = changes(calendar.zone, times)
    return slots(calendar, ordinal, phase), change, np.searchsorted(change, times, side="right")


def _slot_from(calendar: Calendar, change: Ints, phase: Ints, rows: int = 0) -> Ints:
    """The slot of the first row at or after each change, or so many rows later."""
    return slots(calendar, -((phase - change) // calendar.fixed_step) + rows, phase)


@dataclass(frozen=True)
class Laid:
    """A panel on the wall clock's grid, and how many rows of each of its series come before its forecast.

    `origin` [series] is the UTC ordinal of the first row to forecast.
    """

    panel: Panel
    ends: Ints
    origin: Ints
    calendar: Calendar

    def past(self) -> tuple[Floats, Ints]:
        """The target before the forecasts, flat [rows], and its offsets [series + 1]."""
        panel = self.panel
        row = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
        return panel.targets[row < np.repeat(self.ends, panel.lengths)], offsets_of(self.ends)

    def ahead(self, steps: int) -> Ints:
        """Which step after `ends`, counted from 0, each of the `steps` UTC rows to forecast is: [series, steps]."""
        ordinal = self.origin[:, None] + np.arange(steps)
        slot = slots(self.calendar, ordinal, np.broadcast_to(self.panel.phases[:, None], ordinal.shape))
        return np.maximum(slot - (self.panel.starts + self.ends)[:, None], 0)


def at_steps(made: Floats, step: Ints) -> Floats:
    """Some steps [series, n] of forecasts of every step [series, steps, ...]: [series, n, ...]."""
    return made[np.arange(len(step))[:, None], step]


def laid(panel: Panel, ends: Ints) -> Laid:
    """The panel on the wall clock's grid, where a forecast follows the first ends[s] rows of each series.

    A slot that the clock skips has no target, and the other channels of the row before; one with two rows has the mean
    of what is observed of their targets (of counts a count), and the other channels of the later. An origin in an hour
    that comes twice lies before that hour, which is not whole yet.
    """
    calendar, phases, origin = panel.calendar, panel.phases, panel.starts + ends
    first, stop = earliest(calendar, panel.starts, phases), earliest(calendar, origin, phases)
    kept = np.where(ends > 0, np.maximum(stop - first, 1), 0)
    clock = on_the_wall(calendar)
    if np.array_equal(kept, ends) and not _change_within(panel, origin):
        return Laid(replace(panel, starts=first, calendar=clock), ends, origin, calendar)
    least = np.maximum(stop, first + kept)
    parts = [
        _filled(panel.select(some), ends[some], first[some], least[some]) for some in _blocks(panel.offsets)
    ]  # what they need beside their values is then never there for all rows at once
    lengths, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    wall = replace(panel, offsets=offsets_of(lengths), values=values, starts=first, calendar=clock)
    return Laid(wall, kept, origin, calendar)


def _blocks(offsets: Ints) -> list[Ints]:
    """The places of all series, in groups of about `AT_ONCE` rows."""
    begins = np.unique(np.searchsorted(offsets[:-1], np.arange(0, offsets[-1] + 1, AT_ONCE)))
    return np.split(np.arange(len(offsets) - 1), begins[(begins > 0) & (begins < len(offsets) - 1)])


def _change_within(panel: Panel, origin: Ints) -> bool:
    """Whether the clock changes between the first row and the last, or the first to forecast."""
    if not len(panel):
        return False
    step, last = panel.calendar.fixed_step, np.maximum(panel.ends(), origin)
    edges = np.array([(panel.starts * step + panel.phases).min(), (last * step + panel.phases).max()], np.int64)
    begin, end = np.searchsorted(changes(panel.calendar.zone, edges), edges, side="right")
    return bool(begin < end)


def _filled(panel: Panel, ends: Ints, first: Ints, stop: Ints) -> tuple[Ints, Floats]:
    """The number of slots of each series from first[s] on, at least up to stop[s], and all channels of them."""
    row = np.arange(len(panel.values))
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    at = slots(panel.calendar, row + (panel.starts - panel.offsets[:-1])[owner], panel.phases[owner])
    most = stop.copy()
    np.maximum.at(most, owner, at + 1)
    lengths = most - first
    offsets = offsets_of(lengths)
    at += (offsets[:-1] - first)[owner]
    count = np.bincount(at, minlength=int(offsets[-1]))
    source = np.full(len(count), -1, np.int64)
    source[at] = row
    twice = np.flatnonzero(count[at] > 1)
    np.maximum.at(source, at[twice], twice)
    some = lengths > 0
    begin = offsets[:-1][some]
    source[begin] = np.maximum(source[begin], panel.offsets[:-1][some])
    empty = count == 0
    source[empty] = np.maximum.accumulate(source)[empty]
    values = panel.values[source]
    values[empty, 0] = np.nan
    later = twice - panel.offsets[:-1][owner[twice]] >= ends[owner[twice]]
    target = np.where(later, np.nan, panel.targets[twice])
    values[at[twice], 0] = _means(target, at[twice])
    return lengths, values


def _means(values: Floats, group: Ints) -> Floats:
    """The mean of what is observed in the group of each value, NaN where nothing is; of whole numbers a whole one."""
    if not len(values):
        return values
    _, place = np.unique(group, return_inverse=True)
    seen = ~np.isnan(values)
    count = np.bincount(place, seen)[place]
    parts = np.where(seen, values, 0.0) / np.maximum(count, 1.0)  # divided first: no sum is too large
    mean = np.where(count > 0, np.bincount(place, parts)[place], np.nan)
    broken = np.bincount(place, seen & (values != np.round(values)))[place] > 0
    return np.where(broken, mean, np.round(mean))
