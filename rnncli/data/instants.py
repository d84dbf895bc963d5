"""The moments of rows: in UTC, in the zone whose days are counted, up to one that an option says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.frequency import shown
from rnncli.data.isotime import Unreadable
from rnncli.data.known import Known
from rnncli.data.rows import Rows
from rnncli.data.timetext import read_times, whole_numbers
from rnncli.data.zones import from_wall, to_wall, zone_info
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices


def as_seen(rows: Rows, choices: ColumnChoices, zone: str | None) -> Rows:
    """The rows as they were at the moments that were chosen."""
    rows = rows if choices.as_of is None else seen_as_of(rows, choices.as_of, zone)
    return rows if choices.until is None else seen_as_of(rows, choices.until, zone, "--until")


def seen_as_of(rows: Rows, text: str, zone: str | None, option: str = "--as-of") -> Rows:
    """The rows as they were at a moment that an option says: of later ones only what is known ahead, where that was
    declared, is seen.
    """
    whole = rows.columns.time_type == "integer"
    seen = rows.times <= read_moment(option, text, zone, whole=whole)
    if not seen.any():
        raise InputRefused(
            f"no row is as old as {text}",
            where=rows.tables.name,
            hint=f"the first is of {shown(int(rows.times.min()), zone, whole)}",
        )
    if not rows.columns.future:
        return rows.kept(seen)
    started = np.zeros(len(rows.ids), np.bool_)
    started[rows.codes[seen]] = True
    ahead = (*rows.columns.future, *rows.columns.static)
    unknown = [place for place, name in enumerate(rows.channel_names) if name not in ahead]
    values = rows.values.copy()
    for channel in unknown:
        values[~seen, channel] = np.nan
    return replace(rows, values=values).kept(started[rows.codes])


def read_moment(option: str, text: str, zone: str | None, *, whole: bool = False) -> int:
    """A time as an option gives it: a date or a time of day in the data's zone (UTC where they have none), or a whole
    number. UsageError, which names the option, if it is none.
    """
    try:
        if whole:
            return int(whole_numbers([text])[0])
        found = read_times([text])
    except Unreadable as error:
        hint = (
            "write a whole number, as the data have them" if whole else "write it like 2024-05-01 or '2024-05-01 06:00'"
        )
        raise UsageError(f"{option}: {error.message}", hint=hint) from None
    return int((found.times if found.zone is not None else from_wall(found.times, zone))[0])


def zone_of(rows: Rows, choices: ColumnChoices, known: Known | None) -> str | None:
    """The zone in which days are counted; at prediction the model's."""
    if known is None:
        zone = choices.zone or rows.zone
        if zone is not None and rows.columns.time_type != "integer":
            zone_info(zone)
        return zone if rows.columns.time_type != "integer" else None
    whole = known.calendar.counts
    if whole != (rows.columns.time_type == "integer"):
        kinds = ("whole numbers", "dates")
        raise InputRefused(
            f"the model was trained on times that are {kinds[not whole]}, these are {kinds[whole]}",
            where=rows.tables.name,
            hint="give times of the same kind, or train again",
        )
    if rows.columns.time_zoned != known.columns.time_zoned and choices.zone is None:
        now, then = ("a", "no") if rows.columns.time_zoned else ("no", "a")
        raise InputRefused(
            f"these times have {now} time zone, those of the training had {then} zone",
            where=rows.tables.name,
            hint="write them in the same way, or say the zone: --zone NAME",
        )
    return known.calendar.zone


def in_utc(rows: Rows, zone: str | None, choices: ColumnChoices) -> Rows:
    """Times without a zone are wall times in the zone that was named; an hour that comes twice is told by its order."""
    if rows.zone is not None or (zone is None and choices.zone is None) or rows.columns.time_type == "integer":
        return rows
    named = choices.zone or zone
    times = from_wall(rows.times, named)
    if rows.fixed is not None:
        times = np.where(rows.fixed, rows.times, times)
    return replace(rows, times=_second_hour(rows, times, named), fixed=None)


def _second_hour(rows: Rows, times: Ints, zone: str | None) -> Ints:
    """Rows that repeat a wall time in the hour that a clock change repeats are of its second pass."""
    order = np.lexsort((np.arange(len(times)), times, rows.codes))
    same = (rows.codes[order][1:] == rows.codes[order][:-1]) & (times[order][1:] == times[order][:-1])
    again = order[1:][same]
    if rows.fixed is not None:  # these say themselves which pass they are of
        again = again[~rows.fixed[again]]
    if not again.size:
        return times
    hour = 3_600_000_000
    shifted = times[again] + hour
    ambiguous = to_wall(shifted, zone) == rows.times[again]
    result = times.copy()
    result[again[ambiguous]] = shifted[ambiguous]
    return result
