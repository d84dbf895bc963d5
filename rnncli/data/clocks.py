"""Times in two columns: a date in the one, the time of day in the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from rnncli.arrays import Bools, Ints
from rnncli.data import arrow
from rnncli.data.clocktext import DAY, STYLES, since_midnight, style_of
from rnncli.data.readers.table import Kind
from rnncli.data.tables import BAD_TIME, NO_TIME, Fault, Faults, Tables
from rnncli.data.times import WHAT, Times, Wall, times_in_column
from rnncli.data.timestyle import has_clock, refined
from rnncli.errors import InputRefused
from rnncli.spec import Columns


def times_of(tables: Tables, kinds: dict[str, Kind], named: Columns, faults: Faults, wall: Wall) -> Times:
    """The time of every row, from one column or from two, of which each keeps its style; see `times_in_column`."""
    if named.clock is None:
        return times_in_column(tables, kinds, named, faults, wall)
    if not all(pa.types.is_time(column.type) for column in tables.column(named.clock)):
        tables.refuse_nested(named.clock, "times of day")
    date_style, clock_style = _styles(named)
    alone = replace(named, clock=None, time_format=date_style)
    days = times_in_column(tables, kinds, alone, faults, wall)
    _refuse_no_dates(days, tables, named)
    clock, style = _clock(tables, named.clock, clock_style, faults)
    unlike = days.times < -(1 << 61)
    times = np.where(unlike, days.times, days.times + clock)
    return Times(times, replace(days.moments, dates=False), days.style | {"clock_format": style})


def _styles(named: Columns) -> tuple[str | None, str | None]:
    """The styles of both columns; the user says them with a comma between."""
    if named.clock_format is not None or named.time_format is None:
        return named.time_format, named.clock_format
    date, _, clock = named.time_format.rpartition(",")
    return (date, clock) if has_clock(clock) and date else (named.time_format, None)


def _refuse_no_dates(days: Times, tables: Tables, named: Columns) -> None:
    dates = days.moments.dates or not (days.times[days.times > -(1 << 61)] % DAY).any()
    if days.style["time_type"] == "integer" or not dates:
        raise InputRefused(
            f"column {named.time!r} holds no dates, to which the times of day in {named.clock!r} could be added",
            where=tables.name,
            hint=f"name one column of times: --time {named.time}",
        )


def _clock(tables: Tables, name: str, style: str | None, faults: Faults) -> tuple[Ints, str]:
    """Microseconds since midnight of each row, and their style."""
    columns = tables.column(name)
    if all(pa.types.is_time(column.type) for column in columns):
        return _typed(columns, tables, name, faults)
    codes, texts = tables.codes(name, WHAT)
    texts = [text.strip() for text in texts]
    if not any(texts):
        texts, codes = ["00:00"], np.full(len(codes), -1)
    style = style or _style(texts, tables, codes, name)
    found = [since_midnight(text, style) for text in texts]
    missing = np.array([not text for text in texts] + [True])[codes]
    bad = np.array([value is None for value in found] + [False])[codes] & ~missing
    _fault(NO_TIME, "there is no time of day", missing, tables, name, faults)
    _fault(BAD_TIME, f"a time of day is not of the form {style!r}", bad, tables, name, faults)
    return np.array([value or 0 for value in found] + [0], np.int64)[codes], refined(style, texts)


def _typed(columns: Sequence[pa.ChunkedArray], tables: Tables, name: str, faults: Faults) -> tuple[Ints, str]:
    seen = np.concatenate([arrow.observed(column) for column in columns])
    _fault(NO_TIME, "there is no time of day", ~seen, tables, name, faults)
    sizes = {"s": 1_000_000, "ms": 1_000, "us": 1}
    parts = [
        arrow.integers(column) // 1_000
        if column.type.unit == "ns"
        else arrow.integers(column) * sizes[column.type.unit]
        for column in columns
    ]
    return np.where(seen, np.concatenate(parts), 0), "%H:%M:%S%-f"


def _style(texts: Sequence[str], tables: Tables, codes: Ints, name: str) -> str:
    some = [text for text in texts if text]
    found = style_of(some)
    if found is not None:
        return found
    bad = next((text for text in some if all(since_midnight(text, style) is None for style in STYLES)), some[0])
    raise InputRefused(
        f"{bad[:40]!r} is no time of day that is known (column {name!r})",
        where=tables.where(int(np.argmax(codes == texts.index(bad)))),
        hint="hours are 0 to 23; say how both are written: --time-format '%Y-%m-%d,%H%M'",
    )


def _fault(id: str, what: str, rows: Bools, tables: Tables, name: str, faults: Faults) -> None:  # noqa: A002  # as a finding calls it
    if not rows.any():
        return
    error = InputRefused(
        f"{what} (column {name!r})", where=tables.where(int(np.argmax(rows))), hint="every row needs its time of day"
    )
    faults.add(Fault(id, rows, error))
