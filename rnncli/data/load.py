"""Files and tables to a panel: sorted, on one grid of time, with gaps as missing steps; or one clear refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.channel import Channel
from rnncli.data.frequency import check_frequency, infer_frequency, shown
from rnncli.data.isotime import Unreadable
from rnncli.data.known_ahead import join_ahead
from rnncli.data.objects import Data
from rnncli.data.panel import Panel, ranges
from rnncli.data.rows import Rows, read_ahead, read_rows
from rnncli.data.source import sources
from rnncli.data.targets import never_observed
from rnncli.data.timetext import read_times, whole_numbers
from rnncli.data.zones import from_wall, shown_twice_in, to_wall, zone_info
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, Columns, FrameChoices, LabelChoices, TokenChoices

LARGEST, SMALLEST = 1e150, 1e-150  # their squares are still numbers
GAP_LIMIT, GAP_ALLOWANCE = 50, 100_000  # grid rows for each row given, and how many more are no matter


@dataclass(frozen=True)
class Known:
    """What a model knows about its data: nothing of it is inferred again. `channels` have the vocabularies of training.
    With `waiting`, rows behind the last target are no surprise.
    """

    columns: Columns
    calendar: Calendar
    channels: tuple[Channel, ...]
    waiting: bool = False


@dataclass(frozen=True)
class Loaded:
    """A panel, what its columns are, and one line for each thing noticed.

    `skipped` are the refusals of series that were left out because that was asked for. Labelled rows are on no grid of
    time: their `times` [rows] (UTC microseconds, or whole numbers) are kept beside, None where they have none, and so
    are the `groups` of their sequences, if a column says which belong together; `labels` is how they were read.
    Documents of tokens may have `times`, too; `tokens` is how they were read, and `text_bytes` [documents] how many
    bytes of UTF-8 their texts have. So may frames, of which `frames` is how they were read, and `frame_form` in what
    they came.
    """

    panel: Panel
    columns: Columns
    notes: tuple[str, ...]
    skipped: tuple[SeriesRefused, ...] = ()
    times: Ints | None = None
    groups: tuple[str, ...] | None = None
    labels: LabelChoices | None = None
    tokens: TokenChoices | None = None
    text_bytes: Ints | None = None
    frames: FrameChoices | None = None
    frame_form: str = ""

    def select(self, chosen: Ints) -> Loaded:
        """The data of the chosen series alone, in that order."""
        panel, times, groups, sizes = self.panel, self.times, self.groups, self.text_bytes
        if times is not None:
            times = times[ranges(panel.offsets[chosen], panel.lengths[chosen])]
        if groups is not None:
            groups = tuple(groups[s] for s in chosen.tolist())
        sizes = None if sizes is None else sizes[chosen]
        return replace(self, panel=panel.select(chosen), times=times, groups=groups, text_bytes=sizes)


def load_panel(
    given: Data,
    choices: ColumnChoices | None = None,
    known: Known | None = None,
    ahead: Data | None = None,
) -> Loaded:
    """Read every source in `given` (paths, folders, globs, "-", Arrow tables) as one panel.

    With `known`, columns and calendar are those of a model, and are verified; else they are inferred, but for seasons.
    `ahead` are sources of what is known after the last targets, for columns that are `known`.
    Raises InputRefused with the place of what is wrong; see data/source.py for what is read.
    """
    choices = choices or ColumnChoices()
    usual = known.columns.format if known else None
    rows = read_rows(
        sources(given, choices, usual),
        choices,
        known.columns if known else None,
        known.channels if known else None,
        zone=known.calendar.zone if known else None,
    )
    zone = zone_of(rows, choices, known)
    rows = in_utc(rows, zone, choices)
    rows = rows if choices.as_of is None else seen_as_of(rows, choices.as_of, zone)
    rows = rows if choices.until is None else seen_as_of(rows, choices.until, zone, "--until")
    later = None if ahead is None or known is None else _read_ahead(ahead, choices, known, zone)
    return of_usable_series(
        rows,
        choices,
        lambda some: to_panel(some if later is None else join_ahead(some, later, zone), zone, known),
    )


def of_usable_series(rows: Rows, choices: ColumnChoices, made: Callable[[Rows], Loaded]) -> Loaded:
    """What is `made` of rows; series that are refused are left out of them, if that was chosen."""
    skipped: list[SeriesRefused] = []
    while True:
        try:
            loaded = made(rows)
        except SeriesRefused as error:
            if choices.on_bad_series != "skip":
                raise
            skipped.append(error)
            rows = _without(rows, error)
        else:
            return replace(loaded, skipped=tuple(skipped))


def _read_ahead(given: Data, choices: ColumnChoices, known: Known, zone: str | None) -> Rows:
    """The rows of a table of what is known ahead, with times in UTC, read as the model's data are."""
    found = sources(given, choices, known.columns.format)
    rows = read_ahead(found, choices, known.columns, known.channels, known.calendar.zone)
    zone_of(rows, choices, known)
    return in_utc(rows, zone, choices)


def to_panel(rows: Rows, zone: str | None, known: Known | None) -> Loaded:
    """Rows with times in UTC as a panel. InputRefused or SeriesRefused with the place of what is wrong."""
    refuse_wild(rows)
    _refuse_tiny(rows)
    notes = list(rows.notes)
    order, offsets = sorted_rows(rows, notes)
    order, offsets = without_duplicates(rows, order, offsets, zone, notes)
    codes = rows.codes[order[offsets[:-1]]]
    ids = tuple(rows.ids[code] for code in codes.tolist())
    times = rows.times[order]
    with _offsets_explained(rows, zone):
        calendar = _calendar(times, offsets, ids, zone, rows.columns, known)
    panel = _on_grid(rows.values[order], times, offsets, ids, calendar, rows, notes)
    if rows.columns.wide:
        panel = _born(panel, notes)
    _refuse_changing_statics(panel, rows.columns)
    _spread_statics(panel, rows.columns, notes)
    if known is None:
        panel = replace(panel, calendar=replace(calendar, cycles=calendar.cycles_within(_span(panel))))
        _refuse_nothing(panel, rows)
    if not rows.columns.future and not (known and known.waiting):
        _note_missing(panel, notes)
    return Loaded(panel, rows.columns, tuple(notes))


def _span(panel: Panel) -> int:
    """From the first row of any series to the last of any."""
    first = panel.calendar.times(panel.starts, panel.phases).min()
    return int(panel.future_times(1).max() - first)


def _without(rows: Rows, error: SeriesRefused) -> Rows:
    """The rows of all other series. The error itself if there are none."""
    others = rows.codes != rows.ids.index(error.series)
    if not others.any():
        raise error
    return rows.kept(others)


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


def refuse_wild(rows: Rows) -> None:
    """SeriesRefused with the place of the first value that cannot be computed with."""
    wild = np.abs(rows.values) > LARGEST
    if not wild.any():
        return
    row, channel = (int(place) for place in np.argwhere(wild)[0])
    series = rows.ids[int(rows.codes[row])]
    raise SeriesRefused(
        f"the value in column {rows.column(row, channel)!r} is infinite,"
        f" or too large to compute with (beyond {LARGEST:g})",
        series,
        where=rows.where(row),
        hint="correct it, or leave it empty where it is not known",
    )


def _refuse_tiny(rows: Rows) -> None:
    """SeriesRefused for a series of which no target is large enough to compute with, but some are not 0."""
    size = np.abs(rows.values[:, 0])
    tiny = (size > 0) & (size < SMALLEST)
    if not tiny.any():
        return
    largest = np.zeros(len(rows.ids))
    np.fmax.at(largest, rows.codes, size)
    of_tiny = np.flatnonzero(tiny & (largest[rows.codes] < SMALLEST))
    if of_tiny.size:
        row = int(of_tiny[0])
        raise SeriesRefused(
            f"all values are too small to compute with (none reaches {SMALLEST:g})",
            rows.ids[int(rows.codes[row])],
            where=rows.where(row),
            hint="give them in a unit in which the numbers are larger",
        )


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


def sorted_rows(rows: Rows, notes: list[str]) -> tuple[Ints, Ints]:
    """The order that puts rows series after series (as they first appear) and by time, and the series' offsets."""
    different, first = np.unique(rows.codes, return_index=True)
    rank = np.empty(int(different.max()) + 1, np.int64)
    rank[different[np.argsort(first)]] = np.arange(len(different))
    place = rank[rows.codes]
    counts = np.bincount(place)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    grouped = bool((np.diff(place) >= 0).all())
    order = np.arange(len(place)) if grouped else np.argsort(place, kind="stable")
    times = rows.times[order]
    back = np.diff(times) < 0
    back[offsets[1:-1] - 1] = False
    if back.any():
        row = int(np.argmax(back)) + 1
        series = int(np.searchsorted(offsets, row, side="right")) - 1
        name = rows.ids[int(different[np.argsort(first)][series])]
        notes.append(f"rows were not in the order of time and were sorted (the first: series {name!r})")
        order = np.lexsort((np.arange(len(place)), rows.times, place))
    return order, offsets


def without_duplicates(rows: Rows, order: Ints, offsets: Ints, zone: str | None, notes: list[str]) -> tuple[Ints, Ints]:
    """Rows that repeat another in full are dropped; InputRefused where two rows of one time differ."""
    codes, times = rows.codes[order], rows.times[order]
    again = (codes[1:] == codes[:-1]) & (times[1:] == times[:-1])
    if not again.any():
        return order, offsets
    second = np.flatnonzero(again) + 1
    one, other = rows.values[order[second - 1]], rows.values[order[second]]
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    differs = ~same.all(axis=1)
    if differs.any():
        row = int(np.argmax(differs))
        at = order[second[row]]
        whole = rows.columns.time_type == "integer"
        place = 0 if rows.channels[0].role == "target" else int(np.argmax(~same[row]))
        values = " and ".join(_cell(float(found[row, place]), rows.channels[place]) for found in (one, other))
        series = rows.ids[int(rows.codes[at])]
        raise SeriesRefused(
            f"series {series!r} has two different rows at {shown(int(rows.times[at]), zone, whole)} ({values})",
            series,
            where=rows.where(int(max(at, order[second[row] - 1]))),
            hint=_why_twice(int(rows.times[at]), zone, whole=whole),
        )
    notes.append(f"{rows.in_tables(order[second]):,} rows that repeat another row were dropped")
    keep = np.ones(len(order), np.bool_)
    keep[second] = False
    kept = np.add.reduceat(keep.astype(np.int64), offsets[:-1])
    return order[keep], np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])


def _cell(value: float, channel: Channel) -> str:
    """A value of a channel as messages write it."""
    return repr(channel.vocabulary[int(value)]) if channel.kind == "category" and value >= 0 else repr(value)


def _why_twice(time: int, zone: str | None, *, whole: bool) -> str:
    """What to do about two rows of one time: the clock may have shown it twice."""
    somewhere = None if whole or zone is not None else shown_twice_in(time)
    if somewhere is not None:
        return f"if a clock that was put back shows this hour twice, say whose it is: --zone {somewhere}, or another"
    return "keep one of them; if a column tells series apart, say so: --id NAME"


@contextmanager
def _offsets_explained(rows: Rows, zone: str | None) -> Iterator[None]:
    """Give a refusal a better hint where times have several offsets and no zone was named."""
    try:
        yield
    except InputRefused as error:
        if rows.several_offsets and zone == "UTC":
            error.hint = "the times have several offsets: say whose they are, as in --zone Europe/Berlin"
        raise


def _calendar(
    times: Ints, offsets: Ints, ids: tuple[str, ...], zone: str | None, columns: Columns, known: Known | None
) -> Calendar:
    if known is not None:
        check_frequency(times, offsets, known.calendar, ids)
        return known.calendar
    whole = columns.time_type == "integer"
    return Calendar(infer_frequency(times, offsets, zone, ids, whole), (1,), zone)


def _on_grid(
    values: Floats, times: Ints, offsets: Ints, ids: tuple[str, ...], calendar: Calendar, rows: Rows, notes: list[str]
) -> Panel:
    """One row a step: gaps become rows of NaN."""
    ordinal, phase = calendar.ordinals(times)
    starts, last = ordinal[offsets[:-1]], ordinal[offsets[1:] - 1]
    lengths = last - starts + 1
    _refuse_chasms(lengths, np.diff(offsets), ids, calendar)
    grid = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    phases = phase[offsets[:-1]]
    gaps = int(grid[-1]) - len(times)
    if gaps:
        notes.append(f"{gaps:,} steps are absent from the data and count as missing")
        filled = np.full((int(grid[-1]), values.shape[1]), np.nan)
        filled[ordinal + np.repeat(grid[:-1] - starts, np.diff(offsets))] = values
        values = filled
    return Panel(ids, grid, values, starts, phases, calendar, rows.channels)


def _spread_statics(panel: Panel, columns: Columns, notes: list[str]) -> None:
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
            notes.append(
                f"{len(lacking):,} series have no value of the static column {name!r} (the first: {series!r});"
                " they count as the average one"
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


def _born(panel: Panel, notes: list[str]) -> Panel:
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
        notes.append(f"{len(empty):,} columns have no value and are left out (the first: {empty[0]!r})")
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


def _refuse_nothing(panel: Panel, rows: Rows) -> None:
    """A target without any value is a mistake: the wrong column, or numbers that were not recognised."""
    empty = rows.columns.target if np.isnan(panel.targets).all() else never_observed(panel, rows.columns)
    if empty is not None:
        raise InputRefused(
            f"column {empty!r} has no value",
            where=rows.tables.name,
            hint="look at the column and at how missing values are written; or name another: --target NAME",
        )


def _note_missing(panel: Panel, notes: list[str]) -> None:
    """Trailing missing values matter to who forecasts: the forecast starts after them."""
    if not len(panel.values):
        return
    trailing = np.flatnonzero(np.isnan(panel.targets[panel.offsets[1:] - 1]))
    if len(trailing):
        name = panel.ids[int(trailing[0])]
        notes.append(f"{len(trailing):,} series end in missing values (the first: {name!r})")
