"""What is known ahead from a table of its own, joined to the rows of the data behind each series' last target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.channel import vocabularies
from rnncli.data.frequency import shown
from rnncli.data.rows import Rows
from rnncli.data.tables import Tables
from rnncli.errors import SeriesRefused


def join_ahead(rows: Rows, ahead: Rows, zone: str | None) -> Rows:
    """`rows` and what `ahead` says of the time after each series' last target; times of both in UTC.

    Up to the last target the data themselves say what was, and `ahead` is not looked at: what was measured replaces
    what had been expected. After it both may speak, but not contradict each other: SeriesRefused with the place.
    """
    place = {name: code for code, name in enumerate(rows.ids)}
    codes = np.array([place.get(name, -1) for name in ahead.ids], np.int64)[ahead.codes]
    last = _last_targets(rows)
    present = np.bincount(rows.codes, minlength=len(rows.ids)) > 0
    known = (codes >= 0) & present[codes]
    used = known & (ahead.times > last[codes])
    notes = (*ahead.notes, *_notes(ahead, codes < 0, known & ~used))
    later = replace(ahead.kept(used), codes=codes[used])
    return replace(_joined(rows, later, np.flatnonzero(rows.times > last[rows.codes]), zone), notes=rows.notes + notes)


def _last_targets(rows: Rows) -> Ints:
    """The time of each series' last observed target, before all times where there is none: [ids]."""
    last = np.full(len(rows.ids), np.iinfo(np.int64).min)
    seen = ~np.isnan(rows.values[:, 0])
    np.maximum.at(last, rows.codes[seen], rows.times[seen])
    return last


def _notes(ahead: Rows, unknown: Bools, past: Bools) -> list[str]:
    notes = []
    if unknown.any():
        names = [ahead.ids[code] for code in np.unique(ahead.codes[unknown]).tolist()]
        notes.append(f"{len(names):,} series of the future data are not in the data (the first: {names[0]!r})")
    if past.any():
        count = ahead.in_tables(past)
        notes.append(f"{count:,} rows of the future data are not after their series' last target, and not looked at")
    return notes


def _joined(rows: Rows, later: Rows, waiting: Ints, zone: str | None) -> Rows:
    """The rows, of which `waiting` are after the last target, with the values and the rows of `later`."""
    channels = [rows.channel_names.index(name) for name in rows.columns.future]
    theirs = later.values[:, [later.channel_names.index(name) for name in rows.columns.future]]
    values = np.concatenate([rows.values[waiting][:, channels], theirs])
    codes = np.concatenate([rows.codes[waiting], later.codes])
    times = np.concatenate([rows.times[waiting], later.times])
    if not len(codes):
        return rows
    order = np.lexsort((times, codes))  # stable: of one time, a row of the data comes first
    first = np.append(True, (np.diff(codes[order]) != 0) | (np.diff(times[order]) != 0))
    starts = np.flatnonzero(first)
    least, most = (extreme.reduceat(values[order], starts, axis=0) for extreme in (np.fmin, np.fmax))
    if (least < most).any():
        raise _contradiction(rows, later, order, starts, (least, most), zone)
    agreed = np.empty_like(values)
    agreed[order] = least[np.cumsum(first) - 1]
    new = order[starts][order[starts] >= len(waiting)] - len(waiting)
    filled = rows.values.copy()
    filled[waiting[:, None], channels] = agreed[: len(waiting)]
    added = np.full((len(new), filled.shape[1]), np.nan)
    added[:, channels] = agreed[len(waiting) + new]
    return _with_rows(replace(rows, values=filled), later, new, added)


def _with_rows(rows: Rows, later: Rows, new: Ints, values: Floats) -> Rows:
    """The rows and, behind them, some of `later`, all of which remember their places."""
    one, other = rows.tables, later.tables
    both = Tables([*one.sources, *other.sources], [*one.opened, *other.opened], [*one.read, *other.read])
    places = np.arange(len(rows.codes)) if rows.places is None else rows.places
    assert later.places is not None
    return replace(
        rows,
        codes=np.concatenate([rows.codes, later.codes[new]]),
        times=np.concatenate([rows.times, later.times[new]]),
        values=np.concatenate([rows.values, values]),
        tables=both,
        places=np.concatenate([places, later.places[new] + one.rows * rows.per_row]),
    )


def _contradiction(
    rows: Rows, later: Rows, order: Ints, starts: Ints, values: tuple[Floats, Floats], zone: str | None
) -> SeriesRefused:
    """The error about the first time of which two rows say different things."""
    group, channel = (int(place) for place in np.argwhere(values[0] < values[1])[0])
    members = order[starts[group] : np.append(starts, len(order))[group + 1]]
    row = int(members[-1]) - (len(order) - len(later.codes))  # of one time, rows of the future data come last
    series, name = rows.ids[int(later.codes[row])], rows.columns.future[channel]
    texts = vocabularies(rows.channels).get(name)
    one, other = (_said(float(value[group, channel]), texts) for value in values)
    when = shown(int(later.times[row]), zone, rows.columns.time_type == "integer")
    return SeriesRefused(
        f"series {series!r} has two values of {name!r} at {when} ({one} and {other})",
        series,
        where=later.where(row),
        hint="correct one of them: the data and the future data must agree after the last target",
    )


def _said(value: float, texts: tuple[str, ...] | None) -> str:
    return repr(value) if texts is None else repr(texts[int(value)]) if value >= 0 else "another"
