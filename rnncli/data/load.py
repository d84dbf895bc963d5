"""Files and tables to a panel: sorted, on one grid of time, with gaps as missing steps; or one clear refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from rnncli.arrays import Ints
from rnncli.data.grid import gridded
from rnncli.data.instants import as_seen, in_utc, zone_of
from rnncli.data.known import Known
from rnncli.data.known_ahead import join_ahead
from rnncli.data.limits import limits_of
from rnncli.data.noted import Notes
from rnncli.data.objects import Data
from rnncli.data.ordered import Joined, Ordered, ordered
from rnncli.data.panel import Panel, ranges
from rnncli.data.parts import Parts, SeriesApart, parts_of
from rnncli.data.rows import Rows, read_ahead, rows_of
from rnncli.data.source import sources
from rnncli.data.tables import Faults, Tables, open_tables
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.spec import ColumnChoices, Columns, FrameChoices, LabelChoices, TokenChoices

S = TypeVar("S")
T = TypeVar("T")


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
    tables = _tables(given, choices, known)
    parts = None if ahead is not None else parts_of(tables, choices, known)
    found = None if parts is None else _parted(parts, choices, known)
    return _as_one(tables, choices, known, ahead) if found is None else found


def _tables(given: Data, choices: ColumnChoices, known: Known | None) -> Tables:
    """The tables of what was given, opened."""
    found = sources(given, choices, known.columns.format if known else None)
    return open_tables(found, choices if known is None else choices.as_told(known.columns))


def _as_one(tables: Tables, choices: ColumnChoices, known: Known | None, ahead: Data | None) -> Loaded:
    """The panel of tables that are in memory at once."""
    notes, skipped = Notes(), list[SeriesRefused]()
    columns, channels, zone = (known.columns, known.channels, known.calendar.zone) if known else (None, None, None)
    rows = rows_of(tables, choices, columns, channels, Faults(), zone)
    zone = zone_of(rows, choices, known)
    rows = as_seen(in_utc(rows, zone, choices), choices, zone)
    later = None if ahead is None or known is None else _read_ahead(ahead, choices, known, zone)
    found = usable(rows, choices, partial(_in_order, zone, later), notes, skipped)
    if found is None:
        raise skipped[-1]
    del rows, later
    return _on_grid(found, zone, known, choices, notes, skipped)


def _parted(parts: Parts, choices: ColumnChoices, known: Known | None) -> Loaded | None:
    """The panel of parts; None where it is better read as one. InputRefused."""
    folder = _folder(parts, choices)
    try:
        return _together(parts, folder, choices, known)
    except SeriesApart:
        return None
    except InputRefused:  # columns were guessed from the first rows: all of them say better what is wrong
        if known is not None or not limits_of(choices).allow(parts.at_once):
            raise
        return None


def _together(parts: Parts, folder: str | None, choices: ColumnChoices, known: Known | None) -> Loaded:
    """The panel of parts, whose series are gathered on disk where that must and can be. SeriesApart, InputRefused."""
    try:
        return _in_parts(parts, folder, choices, known)
    except SeriesApart:
        if choices.cache is None:
            raise
    return _in_parts(parts.gathered(choices.cache), folder, choices, known)


def _in_parts(parts: Parts, folder: str | None, choices: ColumnChoices, known: Known | None) -> Loaded:
    """The panel of parts with whole series in each, which are in memory one at a time."""
    notes, skipped, whole = Notes(), list[SeriesRefused](), Joined(parts.rows, folder)
    zone: str | None = None  # the same in all parts
    for found, zone in _ordered(parts, choices, known, notes, skipped):  # noqa: B007
        whole.add(found)
    return _on_grid(whole.ordered(), zone, known, choices, notes, skipped)


def _folder(parts: Parts, choices: ColumnChoices) -> str | None:
    """The folder in which rows are kept, None where there is memory for them. InputRefused if there is neither."""
    fits = limits_of(choices).keep(parts.bytes, choices.cache, parts.tables.name)
    return None if fits else choices.cache


def load_parts(
    given: Data,
    choices: ColumnChoices,
    known: Known,
    notes: Notes | None = None,
    skipped: list[SeriesRefused] | None = None,
) -> Iterator[Loaded] | None:
    """What `load_panel` reads, some series at a time; None where it is better read as one. What is noticed in a part
    is added to the `notes` and the `skipped` series, which are those of all parts in the end.

    What is yielded raises as `load_panel` does, and SeriesApart where it cannot be read so.
    """
    tables = _tables(given, choices, known)
    parts = parts_of(tables, choices, known)
    if parts is None:
        return None
    notes, skipped = Notes() if notes is None else notes, [] if skipped is None else skipped
    return _gridded_parts(parts, choices, known, notes, skipped)


def _gridded_parts(
    parts: Parts, choices: ColumnChoices, known: Known, notes: Notes, skipped: list[SeriesRefused]
) -> Iterator[Loaded]:
    some = False
    for found, zone in _ordered(parts, choices, known, notes, skipped):
        try:
            yield _on_grid(found, zone, known, choices, notes, skipped)
        except SeriesRefused:
            if choices.on_bad_series != "skip":
                raise
        else:
            some = True
    if not some:
        raise skipped[-1]


def _ordered(
    parts: Parts, choices: ColumnChoices, known: Known | None, notes: Notes, skipped: list[SeriesRefused]
) -> Iterator[tuple[Ordered, str | None]]:
    """The usable series of each part in order, and the zone of their times."""
    unseen: InputRefused | None = None
    some = False
    for rows in parts:
        zone = zone_of(rows, choices, known)
        try:
            seen = as_seen(in_utc(rows, zone, choices), choices, zone)
        except InputRefused as error:  # all of it is later
            unseen = error
            continue
        found = usable(seen, choices, partial(_in_order, zone, None), notes, skipped)
        if found is not None:
            some = True
            yield found, zone
    if not some:
        raise unseen or skipped[-1]


def _in_order(zone: str | None, later: Rows | None, rows: Rows, notes: Notes) -> Ordered:
    return ordered(rows if later is None else join_ahead(rows, later, zone), zone, notes)


def usable(
    rows: Rows,
    choices: ColumnChoices,
    made: Callable[[Rows, Notes], Ordered],
    notes: Notes,
    skipped: list[SeriesRefused],
) -> Ordered | None:
    """What is `made` of rows; series that are refused are left out of them and `skipped`, if that was chosen. None
    where none is left.
    """
    try:
        found, noticed = _left(rows, _noticing(made), _without, choices, skipped)
    except SeriesRefused:
        if choices.on_bad_series != "skip":
            raise
        return None
    notes.take(noticed)
    return found


def _on_grid(
    found: Ordered,
    zone: str | None,
    known: Known | None,
    choices: ColumnChoices,
    notes: Notes,
    skipped: list[SeriesRefused],
) -> Loaded:
    """The panel of rows in order, without series that are refused, if that was chosen."""

    def made(rows: Ordered, noticed: Notes) -> Panel:
        return gridded(rows, zone, known, noticed)

    panel, noticed = _left(found, _noticing(made), Ordered.without, choices, skipped)
    notes.take(noticed)
    return Loaded(panel, found.columns, notes.lines(), tuple(skipped))


def of_usable_series(rows: Rows, choices: ColumnChoices, made: Callable[[Rows], Loaded]) -> Loaded:
    """What is `made` of rows; series that are refused are left out of them, if that was chosen."""
    skipped: list[SeriesRefused] = []
    return replace(_left(rows, made, _without, choices, skipped), skipped=tuple(skipped))


def _left(
    rows: S,
    made: Callable[[S], T],
    without: Callable[[S, SeriesRefused], S],
    choices: ColumnChoices,
    skipped: list[SeriesRefused],
) -> T:
    """What is `made` of rows, `without` each series that is refused, if that was chosen; these are `skipped`. The
    refusal of the last series if none is left.
    """
    while True:
        try:
            return made(rows)
        except SeriesRefused as error:
            if choices.on_bad_series != "skip":
                raise
            skipped.append(error)
            rows = without(rows, error)


def _noticing(made: Callable[[S, Notes], T]) -> Callable[[S], tuple[T, Notes]]:
    """What is made, with what was noticed meanwhile: of an attempt that failed nothing is kept."""

    def work(rows: S) -> tuple[T, Notes]:
        noticed = Notes()
        return made(rows, noticed), noticed

    return work


def _read_ahead(given: Data, choices: ColumnChoices, known: Known, zone: str | None) -> Rows:
    """The rows of a table of what is known ahead, with times in UTC, read as the model's data are."""
    found = sources(given, choices, known.columns.format)
    rows = read_ahead(found, choices, known.columns, known.channels, known.calendar.zone)
    zone_of(rows, choices, known)
    return in_utc(rows, zone, choices)


def to_panel(rows: Rows, zone: str | None, known: Known | None) -> Panel:
    """Rows with times in UTC as a panel. InputRefused or SeriesRefused with the place of what is wrong."""
    notes = Notes()
    return gridded(ordered(rows, zone, notes), zone, known, notes)


def _without(rows: Rows, error: SeriesRefused) -> Rows:
    """The rows of all other series. The error itself if there are none."""
    others = rows.codes != rows.ids.index(error.series)
    if not others.any():
        raise error
    return rows.kept(others)
