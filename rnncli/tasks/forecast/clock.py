"""A stream on the wall clock's grid: rows of the UTC grid enter it, and the rows to forecast are found on it again.

A slot is consumed when no later row will share it. Until an hour that the clock shows twice is over, its rows wait in
the state, so that a history in pieces is what it is as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Ints
from rnncli.data.calendar import Calendar
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.data.wall import earliest, laid, latest, on_the_wall, slots
from rnncli.inference.kept_rows import KeptRows
from rnncli.tasks.forecast.extras import ForecastState


@dataclass(frozen=True)
class Entered:
    """Rows that go on from a state: on the wall clock's grid, how many of each series are whole, and how many UTC rows
    are missing between the state and the data; the same rows on the UTC grid, with those that waited before them, how
    many of each series come before its forecast, and whether these reach as far as the state at least.
    """

    wall: Panel
    ends: Ints
    behind: Ints
    rows: Panel
    before: Ints
    newer: NDArray[np.bool_]


def on_its_starts(panel: Panel) -> Panel:
    """The panel with the slots at which its series begin: what a state of them begins with."""
    starts = earliest(panel.calendar, panel.starts, panel.phases)
    return replace(panel, starts=starts, calendar=on_the_wall(panel.calendar))


def entered(carried: ForecastState, panel: Panel, ends: Ints) -> Entered:
    """The panel's rows, of which the first ends[s] come before the forecast, as they follow what is kept of them."""
    due = _due(carried, panel.calendar)
    behind = np.where(carried.begun, np.maximum(panel.starts - due, 0), 0)
    rows, added = _with_waiting(carried, panel)
    wall, before = laid(rows, ends + added).panel, ends + added
    whole = earliest(panel.calendar, rows.starts + before, rows.phases) - wall.starts
    wall, whole = _without_part_of_an_hour(carried, rows, wall, whole)
    return Entered(wall, whole, behind, rows, before, newer=rows.starts + before >= due)


def left_waiting(carried: ForecastState, found: Entered) -> KeptRows:
    """The rows that wait when the whole slots of `found` were consumed, after which the state is `carried`."""
    assert carried.extras.waiting is not None
    panel = found.rows
    first = _first_row(panel.calendar, carried.ends, panel.phases)
    old, newer = carried.extras.waiting, found.newer
    stop = panel.starts + found.before
    count = np.where(newer, np.maximum(stop - first, 0), 0)
    place = ranges(first - panel.starts, count)  # before the first row of a series, the row is missing
    values = panel.values[np.maximum(place, 0) + np.repeat(panel.offsets[:-1], count)]
    values[place < 0] = np.nan
    new = KeptRows(count, values)
    return new if newer.all() else new.beside(old).at(np.where(newer, 0, len(panel)) + np.arange(len(panel)))


def back_on_utc(carried: ForecastState, kept: Panel, found: Entered) -> Panel:
    """The rows that are kept (`kept` on the wall clock's grid) and, behind them, those that were given, on the UTC
    grid; it ends where the data do, or where the state does if that is later.
    """
    given = found.rows
    first = _first_row(given.calendar, kept.starts, given.phases)
    stop = np.maximum(given.starts + given.lengths, _due(carried, given.calendar))
    offsets = offsets_of(stop - first)
    owner = np.repeat(np.arange(len(given)), stop - first)
    row = np.arange(len(owner)) - offsets[:-1][owner]
    at = slots(given.calendar, first[owner] + row, given.phases[owner]) - kept.starts[owner]
    inside = (at >= 0) & (at < kept.lengths[owner])
    values = kept.values[np.where(inside, at + kept.offsets[:-1][owner], 0)]
    values[~inside] = np.nan
    begin = np.maximum(given.starts, first)
    length = np.maximum(given.starts + given.lengths - begin, 0)
    here = ranges(offsets[:-1] + begin - first, length)
    values[here] = given.values[ranges(given.offsets[:-1] + begin - given.starts, length)]
    return replace(given, offsets=offsets, values=values, starts=first)


def steps_ahead(carried: ForecastState, panel: Panel, ends: Ints, steps: int) -> Ints:
    """Which step after what was consumed, counted from 0, each of the `steps` UTC rows after row ends[s] - 1 of the
    panel is: [series, steps].
    """
    ordinal = (panel.starts + ends)[:, None] + np.arange(steps)
    slot = slots(panel.calendar, ordinal, np.broadcast_to(panel.phases[:, None], ordinal.shape))
    return np.asarray(np.maximum(slot - carried.ends[:, None], 0))


def _first_row(calendar: Calendar, slot: Ints, phase: Ints) -> Ints:
    """The UTC ordinal of the first row of each slot."""
    return np.asarray(on_the_wall(calendar).times(slot, phase) // calendar.fixed_step)


def _due(carried: ForecastState, calendar: Calendar) -> Ints:
    """The UTC ordinal of the first row of each series that the state has not seen."""
    assert carried.extras.waiting is not None
    return _first_row(calendar, carried.ends, carried.phases) + carried.extras.waiting.rows


def _with_waiting(carried: ForecastState, panel: Panel) -> tuple[Panel, Ints]:
    """The panel with the rows that waited before its first, and how many these are of each series; of a series that
    does not go on from them, none.
    """
    assert carried.extras.waiting is not None
    waiting, due = carried.extras.waiting, _due(carried, panel.calendar)
    added = np.clip(panel.starts - due + waiting.rows, 0, waiting.rows)
    added = np.where(panel.starts <= due, added, 0)
    if not added.any():
        return panel, added
    offsets = offsets_of(panel.lengths + added)
    values = np.empty((int(offsets[-1]), panel.values.shape[1]))
    values[ranges(offsets[:-1], added)] = waiting.values[ranges(offsets_of(waiting.rows)[:-1], added)]
    values[ranges(offsets[:-1] + added, panel.lengths)] = panel.values
    return replace(panel, offsets=offsets, values=values, starts=panel.starts - added), added


def _without_part_of_an_hour(carried: ForecastState, rows: Panel, wall: Panel, ends: Ints) -> tuple[Panel, Ints]:
    """Without slots at the beginning of a series that rows before it share, where these were consumed."""
    whole_from = latest(rows.calendar, rows.starts - 1, rows.phases) + 1
    less = np.where(carried.ends >= whole_from, np.maximum(whole_from - wall.starts, 0), 0)
    less = np.minimum(less, wall.lengths)
    if not less.any():
        return wall, ends
    left = wall.lengths - less
    values = wall.values[ranges(wall.offsets[:-1] + less, left)]
    later = replace(wall, offsets=offsets_of(left), values=values, starts=wall.starts + less)
    return later, np.maximum(ends - less, 0)
