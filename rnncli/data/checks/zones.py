"""Zones and daylight saving: times with and without a zone, hours that do not exist, hours that come twice."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data import tables as reading
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.seen import Seen
from rnncli.data.frequency import shown
from rnncli.data.zones import TYPICAL, from_wall, to_wall

HOUR = 3_600_000_000


def zone_mixed(seen: Seen) -> Finding | None:
    """Times with a zone among times without, or the other way round."""
    faults = [fault for fault in seen.faults if fault.id == reading.OTHER_ZONE]
    if not faults:
        return None
    rows = np.flatnonzero(np.logical_or.reduce([fault.rows for fault in faults]))
    has, others = ("no", "a") if seen.columns.time_zoned else ("a", "no")
    return Finding(
        "error",
        f"times have {has} zone, and most have {others} zone",
        len(rows),
        tuple(Example(where=seen.rows.tables.where(int(row))) for row in rows[:SHOWN]),
        "give all times a zone, or none and say it: --zone NAME",
    )


def zone_offsets(seen: Seen) -> Finding | None:
    """Times with several offsets for which no zone was named."""
    if not seen.rows.several_offsets or seen.zone != "UTC":
        return None
    return Finding(
        "warning",
        "times have several offsets, so days are counted in UTC",
        1,
        (seen.example(0),),
        "say whose offsets they are: --zone NAME, such as Europe/Berlin",
    )


def hour_skipped(seen: Seen) -> Finding | None:
    """Wall times that the zone's clock skips in spring."""
    if not _on_the_wall(seen):
        return None
    absent = to_wall(from_wall(seen.written, seen.zone), seen.zone) != seen.written
    if not absent.any():
        return None
    rows = np.flatnonzero(absent)
    return Finding(
        "warning",
        f"times do not exist in {seen.zone}: the clock skips them",
        len(rows),
        _as_written(seen, rows),
        "look at --zone: such times are read as so far after the change",
    )


def hour_twice(seen: Seen) -> Finding | None:
    """Wall times that the zone's clock shows twice in autumn."""
    if not _on_the_wall(seen):
        return None
    rows = np.flatnonzero(_ambiguous(seen))
    if not len(rows):
        return None
    return Finding(
        "note",
        f"times come twice in {seen.zone}: which of the two is meant is told by the order of rows",
        len(rows),
        _as_written(seen, rows),
        "write times with their offset, such as 2024-10-27 02:30+01:00",
    )


def _ambiguous(seen: Seen) -> Bools:
    first = from_wall(seen.written, seen.zone)
    exists = to_wall(first, seen.zone) == seen.written
    return np.asarray(exists & (to_wall(first + HOUR, seen.zone) == seen.written))


def _on_the_wall(seen: Seen) -> bool:
    """Whether times were written without a zone, and the zone is known."""
    return seen.zone is not None and not seen.columns.time_zoned and not seen.whole


def _as_written(seen: Seen, rows: Ints) -> tuple[Example, ...]:
    ids, codes = seen.rows.ids, seen.rows.codes
    return tuple(
        Example(ids[int(codes[row])], shown(int(seen.written[row]), None, whole=False), seen.rows.where(int(row)))
        for row in rows[:SHOWN]
    )


def clock_change(seen: Seen) -> Finding | None:
    """Times without a zone that leave out an hour whenever some clock does."""
    return None if seen.zone is not None or seen.whole else left_out_hours(np.unique(seen.times))


def left_out_hours(times: Ints) -> Finding | None:
    """The finding about wall times, each once and in order, that leave out an hour whenever some clock does."""
    if len(times) < 48 or np.median(np.diff(times)) > HOUR:
        return None
    for zone in TYPICAL:
        jumps = _jumps(zone, times)
        if len(jumps) and all(_left_out(times, jump) for jump in jumps.tolist()):
            return Finding(
                "warning",
                f"hours are left out whenever the clock is put forward in {zone} or like it",
                len(jumps),
                tuple(Example(time=shown(jump, None, whole=False)) for jump in jumps[:SHOWN].tolist()),
                "say the zone that the times are from: --zone NAME",
            )
    return None


def _jumps(zone: str, times: Ints) -> Ints:
    """Wall times at which the zone's clock skips an hour while the data last."""
    hours = np.arange(times[0] // HOUR * HOUR, times[-1], HOUR)
    wall = to_wall(hours, zone)
    forward = np.flatnonzero(np.diff(wall) == 2 * HOUR)
    at = wall[forward] + HOUR
    return np.asarray(at[(at > times[0] + HOUR) & (at < times[-1] - 2 * HOUR)])


def _left_out(times: Ints, jump: int) -> bool:
    """No row in the hour after `jump`, and rows in the hours around it."""
    edges = np.searchsorted(times, [jump - HOUR, jump, jump + HOUR, jump + 2 * HOUR])
    before, inside, after = np.diff(edges).tolist()
    return bool(before > 0 and inside == 0 and after > 0)
