"""Rows in order to a panel: one grid of time for all series, with gaps as missing steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.calendar import Calendar
from rnncli.data.frequency import check_frequency, infer_frequency
from rnncli.data.known import Known
from rnncli.data.noted import Notes, escaped
from rnncli.data.on_disk import array
from rnncli.data.ordered import Ordered
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.targets import never_observed
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.spec import Columns

GAP_LIMIT, GAP_ALLOWANCE = 50, 100_000  # grid rows for each row given, and how many more are no matter
AT_ONCE = 1 << 20  # rows whose places on the grid are in memory


def gridded(found: Ordered, zone: str | None, known: Known | None, notes: Notes) -> Panel:
    """Rows in order as a panel; with `known`, on the grid of a model. InputRefused or SeriesRefused with the place of
    what is wrong.
    """
    ids = tuple(found.ids)
    with _offsets_explained(found, zone):
        calendar = _calendar(found, ids, zone, known)
    panel = _on_grid(found, ids, calendar, notes)
    if found.columns.wide:
        panel = _born(panel, notes)
    _refuse_changing_statics(panel, found.columns)
    _spread_statics(panel, found.columns, notes)
    if known is None:
        panel = replace(panel, calendar=replace(calendar, cycles=calendar.cycles_within(_span(panel))))
        _refuse_nothing(panel, found)
    if not found.columns.future and not (known and known.waiting):
        _note_missing(panel, notes)
    return panel


def _span(panel: Panel) -> int:
    """From the first row of any series to the last of any."""
    first = panel.calendar.times(panel.starts, panel.phases).min()
    return int(panel.future_times(1).max() - first)


@contextmanager
def _offsets_explained(found: Ordered, zone: str | None) -> Iterator[None]:
    """Give a refusal a better hint where times have several offsets and no zone was named."""
    try:
        yield
    except InputRefused as error:
        if found.several_offsets and zone == "UTC":
            error.hint = "the times have several offsets: say whose they are, as in --zone Europe/Berlin"
        raise


def _calendar(found: Ordered, ids: tuple[str, ...], zone: str | None, known: Known | None) -> Calendar:
    if known is not None:
        check_frequency(found.times, found.offsets, known.calendar, ids)
        return known.calendar
    whole = found.columns.time_type == "integer"
    return Calendar(infer_frequency(found.times, found.offsets, zone, ids, whole), (1,), zone)


def _on_grid(found: Ordered, ids: tuple[str, ...], calendar: Calendar, notes: Notes) -> Panel:
    """One row a step: gaps become rows of NaN."""
    values, offsets = found.values, found.offsets
    starts, phases = calendar.ordinals(found.times[offsets[:-1]])
    last, _ = calendar.ordinals(found.times[offsets[1:] - 1])
    lengths = last - starts + 1
    _refuse_chasms(lengths, found.lengths, ids, calendar)
    grid = offsets_of(lengths)
    gaps = int(grid[-1]) - len(found.times)
    if gaps:
        notes.add("{count:,} steps are absent from the data and count as missing", gaps)
        values = array(found.folder, (int(grid[-1]), values.shape[1]))
        values[:] = np.nan
        for begin in range(0, len(found.times), AT_ONCE):
            rows = slice(begin, begin + AT_ONCE)
            ordinal, _ = calendar.ordinals(found.times[rows])
            series = np.searchsorted(offsets, np.arange(begin, begin + len(ordinal)), side="right") - 1
            values[ordinal + (grid[:-1] - starts)[series]] = found.values[rows]
    return Panel(ids, grid, values, starts, phases, calendar, found.channels)


def _spread_statics(panel: Panel, columns: Columns, notes: Notes) -> None:
    """What is constant in a series holds in each of its rows, if it is given in one."""
    for name in columns.static:
        channel = panel.of(name)
        given = np.append(np.flatnonzero(~np.isnan(channel)), len(channel))
        first = given[np.searchsorted(given, panel.offsets[:-1])]
        lacking = np.flatnonzero(first >= panel.offsets[1:])
        value = np.append(channel, np.nan)[first]
        value[lacking] = np.nan
        channel[:] = np.repeat(value, panel.lengths)
        if len(lacking):
            series = panel.ids[int(lacking[0])]
            notes.add(
                f"{{count:,}} series have no value of the static column {escaped(repr(name))} (the first: {{first!r}});"
                " they count as the average one",
                len(lacking),
                series,
            )


def _refuse_chasms(lengths: Ints, given: Ints, ids: tuple[str, ...], calendar: Calendar) -> None:
    """A gap so long that filling it would eat the machine's memory is a mistake in the data."""
    if lengths.sum() <= GAP_LIMIT * given.sum() + GAP_ALLOWANCE:
        return
    worst = int(np.argmax(lengths / given))
    raise SeriesRefused(
        f"its {given[worst]:,} rows span {lengths[worst]:,} steps of {calendar.frequency}",
        ids[worst],
        where=f"series {ids[worst]!r}",
        hint="look for a wrong year or a wrong unit of time; or aggregate to longer steps",
    )


def _born(panel: Panel, notes: Notes) -> Panel:
    """In a wide table a series begins at its first value."""
    seen = ~np.isnan(panel.targets)
    first = np.full(len(panel), -1, np.int64)
    for s in range(len(panel)):
        here = seen[panel.offsets[s] : panel.offsets[s + 1]]
        first[s] = int(np.argmax(here)) if here.any() else -1
    empty = [panel.ids[s] for s in np.flatnonzero(first < 0)]
    if len(empty) == len(panel):
        raise InputRefused("no column has a value", hint="look at --decimal and at what the columns hold")
    if empty:
        notes.add("{count:,} columns have no value and are left out (the first: {first!r})", len(empty), empty[0])
    alive = np.flatnonzero(first >= 0)
    keep = np.concatenate([np.arange(panel.offsets[s] + first[s], panel.offsets[s + 1]) for s in alive])
    lengths = panel.lengths[alive] - first[alive]
    return replace(
        panel,
        ids=tuple(panel.ids[s] for s in alive),
        offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        values=panel.values[keep],
        starts=panel.starts[alive] + first[alive],
        phases=panel.phases[alive],
    )


def _refuse_changing_statics(panel: Panel, columns: Columns) -> None:
    for name in columns.static:
        channel = panel.of(name)
        for s in range(len(panel)):
            here = channel[panel.offsets[s] : panel.offsets[s + 1]]
            if np.unique(here[~np.isnan(here)]).size > 1:
                raise SeriesRefused(
                    f"column {name!r} is declared static but changes",
                    panel.ids[s],
                    where=f"series {panel.ids[s]!r}",
                    hint=f"declare it with --past or --future: --past {name}",
                )


def _refuse_nothing(panel: Panel, found: Ordered) -> None:
    """A target without any value is a mistake: the wrong column, or numbers that were not recognised."""
    empty = found.columns.target if np.isnan(panel.targets).all() else never_observed(panel, found.columns)
    if empty is not None:
        raise InputRefused(
            f"column {empty!r} has no value",
            where=found.name,
            hint="look at the column and at how missing values are written; or name another: --target NAME",
        )


def _note_missing(panel: Panel, notes: Notes) -> None:
    """Trailing missing values matter to who forecasts: the forecast starts after them."""
    if not len(panel.values):
        return
    trailing = np.flatnonzero(np.isnan(panel.targets[panel.offsets[1:] - 1]))
    if len(trailing):
        first = panel.ids[int(trailing[0])]
        notes.add("{count:,} series end in missing values (the first: {first!r})", len(trailing), first)
