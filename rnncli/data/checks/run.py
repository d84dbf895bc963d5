"""Every check in turn, on data that are read once and refused nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from rnncli.data import columns as roles
from rnncli.data import tables as reading
from rnncli.data.channel import vocabularies
from rnncli.data.checks.changed import COLUMN_MISSING, COLUMN_RETYPED, TIME_CHANGED, of_changes
from rnncli.data.checks.finding import Example, Finding
from rnncli.data.checks.in_parts import Whole, looked_at
from rnncli.data.checks.seen import Change, Seen, Trained
from rnncli.data.instants import in_utc, seen_as_of, zone_of
from rnncli.data.known import Known
from rnncli.data.limits import limits_of
from rnncli.data.parts import parts_of
from rnncli.data.readers.table import NUMERIC, Kind
from rnncli.data.rows import Rows, rows_of
from rnncli.data.source import sources
from rnncli.data.tables import Faults, Tables, open_tables
from rnncli.errors import InputRefused
from rnncli.near import near
from rnncli.registry import CHECKS, find
from rnncli.spec import ColumnChoices, Columns

REFUSED = "refused"
OF_CHANGES = (COLUMN_MISSING, COLUMN_RETYPED, TIME_CHANGED)
OF_FAULTS = (reading.NO_TIME, reading.BAD_TIME, reading.OTHER_ZONE, reading.NO_ID, reading.UGLY_ID, reading.BAD_NUMBER)


@dataclass(frozen=True)
class Looked:
    """What was found in how many rows and series, what the columns are (None where those are not there that rows are
    told by, or no row could be read), and the frequency; what was `seen` of the data, where it was read as one.
    """

    findings: tuple[Finding, ...]
    rows: int = 0
    series: int = 0
    columns: Columns | None = None
    frequency: str = ""
    seen: Seen | None = None


def look(
    given: Any, choices: ColumnChoices, trained: Trained | None, horizon: int | None, *, in_parts: bool = False
) -> Looked:
    """Read what can be read, and look at it from all sides: `in_parts`, some series of large tables at a time, with
    the same result. InputRefused where a file cannot be read at all.
    """
    usual = None if trained is None else trained.columns.format
    files = sources(given, choices, usual)
    tables = open_tables(files, choices if trained is None else choices.as_told(trained.columns))
    known, changes = (None, ()) if trained is None else _found_again(tables, choices, trained)
    if trained is not None and known is None:
        return Looked(tuple(found for id in OF_CHANGES if (found := of_changes(changes, id))))  # noqa: A001
    seen_of = partial(_seen, choices, trained, known, changes, horizon)
    whole = _in_parts(tables, choices, known, seen_of) if in_parts else None
    if whole is not None:
        return Looked(tuple(whole.findings), whole.rows, whole.series, whole.columns, whole.frequency)
    seen = _read(tables, choices, known, seen_of)
    every = tuple(findings(seen))
    if not len(seen.rows.codes):
        return Looked(every, seen=seen)
    frequency = "" if isinstance(seen.calendar, InputRefused) else str(seen.calendar.frequency)
    return Looked(every, len(seen.rows.codes), len(seen.ids), seen.columns, frequency, seen)


def _in_parts(
    tables: Tables, choices: ColumnChoices, known: Known | None, seen_of: Callable[[Rows, Faults], Seen]
) -> Whole | None:
    parts = parts_of(tables, choices, known)
    if parts is None:
        return None
    guessed = known is None and not (choices.id or parts.columns.by_file)
    fits = limits_of(choices).allow(parts.at_once)
    return looked_at(parts, choices.cache, seen_of, findings, guessed=guessed, fits=fits)


def findings(seen: Seen) -> list[Finding]:
    """Every finding, in the order of the registry."""
    names = CHECKS if len(seen.rows.codes) else OF_FAULTS
    found: list[Finding] = []
    for name in names:
        finding = find(CHECKS, name, "check")(seen) if name != REFUSED else _refused(seen, found)
        if finding is not None:
            found.append(replace(finding, id=name))
    return found


def refused(seen: Seen) -> Finding | None:
    """The error with which training would refuse these rows, where no check has a finding about it."""
    error = seen.as_it_is
    if not isinstance(error, InputRefused):
        return None
    return Finding("error", error.message, 1, (Example(where=error.where or None),), error.hint)


def _refused(seen: Seen, found: list[Finding]) -> Finding | None:
    return None if any(finding.severity == "error" for finding in found) else refused(seen)


def _read(tables: Tables, choices: ColumnChoices, known: Known | None, seen_of: Callable[[Rows, Faults], Seen]) -> Seen:
    faults = Faults(tolerant=True)
    if known is None:
        return seen_of(rows_of(tables, choices, None, None, faults), faults)
    return seen_of(rows_of(tables, choices, known.columns, known.channels, faults, known.calendar.zone), faults)


def _seen(
    choices: ColumnChoices,
    trained: Trained | None,
    known: Known | None,
    changes: tuple[Change, ...],
    horizon: int | None,
    rows: Rows,
    faults: Faults,
) -> Seen:
    zone, known, changes = _zone(rows, choices, known, changes)
    moved = in_utc(rows, zone, choices)
    written = rows.times
    if choices.as_of is not None:
        moved = seen_as_of(moved, choices.as_of, zone)
        written = in_wall(moved, rows)
    horizon = horizon or (trained.horizon if trained else None)
    return Seen(moved, written, zone, tuple(faults.found), changes, trained, known, horizon)


def in_wall(moved: Rows, rows: Rows) -> Any:
    """The times as they were written of the rows that stay."""
    if moved.places is None:
        return rows.times
    places = np.arange(len(rows.times)) if rows.places is None else rows.places
    return rows.times[np.searchsorted(places, moved.places)]


def _zone(
    rows: Rows, choices: ColumnChoices, known: Known | None, changes: tuple[Change, ...]
) -> tuple[str | None, Known | None, tuple[Change, ...]]:
    """The zone; a model whose times are of another kind is no measure for the rows."""
    if known is None:
        return zone_of(rows, choices, None), None, changes
    try:
        return zone_of(rows, choices, known), known, changes
    except InputRefused as error:
        return zone_of(rows, choices, None), None, (*changes, Change(TIME_CHANGED, error.message))


def _found_again(tables: Tables, choices: ColumnChoices, trained: Trained) -> tuple[Known | None, tuple[Change, ...]]:
    """The model's columns as far as they are there, and what is not."""
    kinds = tables.kinds()
    columns = roles.renamed(trained.columns, roles.resolved(kinds, choices))
    changes = [Change(COLUMN_MISSING, _lost(name, kinds)) for name in roles.needed(columns) if name not in kinds]
    texts = vocabularies(trained.channels)
    changes += _retyped(kinds, columns, texts)
    lost = {name for name in roles.needed(columns) if name not in kinds or _other_kind(name, kinds, columns, texts)}
    if lost & {*columns.times, *columns.ids, *columns.target_columns}:
        return None, tuple(changes)
    left = replace(columns, past=_without(columns.past, lost), future=_without(columns.future, lost))
    left = replace(left, static=_without(columns.static, lost))
    channels = tuple(channel for channel in trained.channels if channel.name not in lost)
    return Known(left, trained.calendar, channels), tuple(changes)


def _without(names: tuple[str, ...], lost: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in lost)


def _lost(name: str, kinds: Mapping[str, Kind]) -> str:
    close = near(name, kinds)
    return f"column {name!r}" + (f"; is it {close!r} now?" if close else "")


def _retyped(kinds: Mapping[str, Kind], columns: Columns, categories: Mapping[str, tuple[str, ...]]) -> list[Change]:
    names = [name for name in roles.needed(columns) if name in kinds and _other_kind(name, kinds, columns, categories)]
    was = {True: "text", False: "numbers"}
    return [
        Change(COLUMN_RETYPED, f"column {n!r} was {was[n in categories]}, now it is {_called(kinds[n])}") for n in names
    ]


def _other_kind(
    name: str, kinds: Mapping[str, Kind], columns: Columns, categories: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether a column of numbers holds none now, or a categorical one numbers; flags can be either."""
    if name in (*columns.times, *columns.ids) or kinds.get(name, "empty") in ("empty", "flag"):
        return False
    return (kinds[name] in NUMERIC) == (name in categories)


def _called(kind: Kind) -> str:
    return {"time": "times", "whole": "whole numbers", "number": "numbers", "flag": "flags"}.get(kind, kind)
