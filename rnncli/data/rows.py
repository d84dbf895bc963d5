"""From sources to flat rows: a series code, a time and the channels of each row, with the way back to its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnncli.data import arrow
from rnncli.data import columns as roles
from rnncli.data.limits import Limits, limits_of
from rnncli.data.readers.parquet import read_arrow
from rnncli.data.readers.table import NUMERIC, Kind, Opened, kind_of
from rnncli.data.source import Source
from rnncli.data.timetext import Moments, Unreadable, read_times, readable, whole_numbers
from rnncli.errors import InputRefused
from rnncli.registry import READERS, find
from rnncli.spec import ColumnChoices, Columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NO_TIME, BAD_TIME, OTHER_ZONE = "time-missing", "time-unreadable", "zone-mixed"
NO_ID, UGLY_ID = "id-missing", "id-unusable"
CATEGORIES = 64  # of a categorical covariate; the rarer ones are OTHER
OTHER = -1.0  # the code of a category that is none of those known
_NAMED = 3  # new categories in a note


@dataclass(frozen=True)
class Rows:
    """`codes` [n] into `ids`, `times` [n] as they were written (UTC if `zone`), `values` [n, channels]; row i came from
    the place `where(i)`. `categories` are the texts behind the codes of categorical channels.
    """

    codes: Ints
    ids: list[str]
    times: Ints
    values: Floats
    channels: tuple[str, ...]
    columns: Columns
    zone: str | None
    categories: dict[str, tuple[str, ...]]
    tables: Tables
    notes: tuple[str, ...]
    places: Ints | None = None
    several_offsets: bool = False

    def where(self, row: int) -> str:
        """The place of a row, file:line, or the file alone where rows have no lines."""
        place = row if self.places is None else int(self.places[row])
        return self.tables.where(place // (len(self.ids) if self.columns.wide else 1))

    def kept(self, rows: NDArray[np.bool_]) -> Rows:
        """Some of the rows, which remember their places."""
        places = np.flatnonzero(rows) if self.places is None else self.places[rows]
        return replace(self, codes=self.codes[rows], times=self.times[rows], values=self.values[rows], places=places)


@dataclass(frozen=True)
class Fault:
    """Rows of the tables that cannot be used, and the error about the first of them."""

    id: str
    rows: Flags
    error: InputRefused


class Faults:
    """What becomes of rows that cannot be used: the first raises its error; `tolerant`, all are noted and left out."""

    def __init__(self, *, tolerant: bool = False) -> None:
        self.tolerant = tolerant
        self.found: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Raise its error, or note it."""
        if not self.tolerant:
            raise fault.error from None
        self.found.append(fault)

    def usable(self, rows: int) -> Flags:
        """Which rows have no fault; ids that are only ugly stay."""
        bad = [fault.rows for fault in self.found if fault.id != UGLY_ID]
        return np.asarray(~np.logical_or.reduce([np.zeros(rows, np.bool_), *bad]))


@dataclass(frozen=True)
class Tables:
    """The opened sources and, once read, their Arrow tables."""

    sources: Sequence[Source]
    opened: Sequence[Opened]
    read: Sequence[pa.Table] = ()

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(table.num_rows for table in self.read)

    @property
    def name(self) -> str:
        """What messages call them."""
        return (
            self.sources[0].name
            if len(self.sources) == 1
            else f"{self.sources[0].name} and {len(self.sources) - 1} more"
        )

    def kinds(self) -> dict[str, Kind]:
        """The kind of every column; one that is empty in some tables is what it is in the others."""
        found: dict[str, Kind] = {}
        for opened in self.opened:
            for name, kind in opened.kinds.items():
                found[name] = _merged(found.get(name, "empty"), kind)
        return found

    def loaded(self, wanted: Mapping[str, Kind], limits: Limits) -> Tables:
        """The wanted columns of every table. InputRefused naming a table that lacks one, or is too large."""
        for source, opened in zip(self.sources, self.opened, strict=True):
            for name in wanted:
                if name not in opened.kinds:
                    raise source.refused(
                        f"there is no column {name!r}, which other files have", hint="give files with the same columns"
                    )
        sizes = [opened.size(wanted, limits) for opened in self.opened]
        limits.check(sizes, [source.name for source in self.sources], self.name)
        return replace(self, read=[opened.read(wanted) for opened in self.opened])

    def column(self, name: str) -> list[pa.ChunkedArray]:
        """A column of every table."""
        return [table.column(name) for table in self.read]

    def codes(self, name: str) -> tuple[Ints, list[str]]:
        """A column as codes into different texts, over all tables; -1 where it is null."""
        place: dict[str, int] = {}
        parts = []
        for column in self.column(name):
            found, texts = arrow.codes(column)
            known = np.array([place.setdefault(text, len(place)) for text in texts] + [-1], np.int64)
            parts.append(known[found])
        return np.concatenate([np.zeros(0, np.int64), *parts]), list(place)

    def floats(self, name: str) -> Floats:
        """A column of numbers over all tables; NaN where it is null. InputRefused if it holds none."""
        try:
            return np.concatenate([np.zeros(0), *map(arrow.floats, self.column(name))])
        except (pa.ArrowInvalid, TypeError) as error:
            kind = self.column(name)[0].type
            held = "text" if kind_of(kind) == "text" else str(kind).split("<", maxsplit=1)[0]
            raise InputRefused(
                f"column {name!r} holds values of type {held}, which are no numbers",
                where=self.name,
                hint="name a column of numbers, or convert this one",
            ) from error

    def where(self, row: int) -> str:
        """The place of a row: file and line."""
        for source, opened, table in zip(self.sources, self.opened, self.read, strict=True):
            if row < table.num_rows:
                line = opened.line_of(row)
                return f"{source.name}:{line}" if line else source.name
            row -= table.num_rows
        return self.name

    def by_source(self) -> tuple[Ints, list[str]]:
        """Each row's file as its series."""
        counts = [table.num_rows for table in self.read]
        names = [source.stem or source.name for source in self.sources]
        return np.repeat(np.arange(len(counts)), counts), names


def _merged(one: Kind, other: Kind) -> Kind:
    if one in ("empty", other):
        return other
    if other == "empty":
        return one
    if one in NUMERIC and other in NUMERIC:
        return "number"
    return "text"


def open_tables(sources: Sequence[Source], choices: ColumnChoices) -> Tables:
    """Every source opened by its reader."""
    return Tables(sources, [_open(source, choices) for source in sources])


def _open(source: Source, choices: ColumnChoices) -> Opened:
    reader = read_arrow if source.table is not None else find(READERS, source.format, "format")
    opened: Opened = reader(source, choices)
    return opened


def read_rows(
    sources: Sequence[Source],
    choices: ColumnChoices,
    known: Columns | None,
    categories: Mapping[str, tuple[str, ...]] | None,
    faults: Faults | None = None,
) -> Rows:
    """The rows of all sources, in their order. `known` and `categories` are those of a model, where there is one.

    Without `faults` that are tolerant, the first row that cannot be used is refused.
    """
    return rows_of(open_tables(sources, choices), choices, known, categories, faults or Faults())


def read_ahead(
    sources: Sequence[Source], choices: ColumnChoices, known: Columns, categories: Mapping[str, tuple[str, ...]]
) -> Rows:
    """The rows of sources that only hold what is known ahead: a target, if they have one, is not looked at."""
    tables = open_tables(sources, choices)
    named = roles.ahead_columns(tables.kinds(), known, choices, tables.name)
    kinds = {name: kind for name, kind in tables.kinds().items() if name != named.target}
    return _long_rows(tables, kinds, named, choices, known, categories, Faults())


def rows_of(
    tables: Tables,
    choices: ColumnChoices,
    known: Columns | None,
    categories: Mapping[str, tuple[str, ...]] | None,
    faults: Faults,
) -> Rows:
    """The same of tables that are open."""
    kinds = tables.kinds()
    named = _named(kinds, choices, known, tables.name)
    if named.wide:
        rows = _wide_rows(tables, kinds, named, choices, faults)
    else:
        rows = _long_rows(tables, kinds, named, choices, known, categories, faults)
    if not faults.found:
        return rows
    return rows.kept(np.repeat(faults.usable(rows.tables.rows), len(rows.ids) if named.wide else 1))


def _named(kinds: dict[str, Kind], choices: ColumnChoices, known: Columns | None, where: str) -> Columns:
    """Columns with time and target settled; the id may still be open."""
    roles.named_columns(kinds, choices, where)
    if known is not None:
        return roles.known_columns(kinds, known, choices, where)
    time = roles.time_column(kinds, choices, where)
    target = choices.target or roles.TARGET
    return Columns(
        time=time,
        id=choices.id,
        target=target if choices.wide else roles.target_column(kinds, [time, roles.ID], choices, where),
        past=choices.past,
        future=choices.future,
        static=choices.static,
        wide=choices.wide,
        time_format=choices.time_format,
    )


def _long_rows(
    tables: Tables,
    kinds: dict[str, Kind],
    named: Columns,
    choices: ColumnChoices,
    known: Columns | None,
    categories: Mapping[str, tuple[str, ...]] | None,
    faults: Faults,
) -> Rows:
    taken = [named.time, named.target]
    candidates = [named.id] if named.id else [] if known else roles.id_candidates(kinds, taken, choices)
    covariates = (*named.past, *named.future, *named.static)
    wanted = _wanted(kinds, named, candidates, covariates, categories)
    tables = tables.loaded(wanted, limits_of(choices))
    if not tables.rows:
        raise InputRefused("there are no rows", where=tables.name, hint="a table has a header and rows")
    times, moments = _times(tables, kinds, named, faults)
    by_file = named.by_file if known else len(tables.sources) > 1 and not candidates
    coded = {name: tables.codes(name) for name in candidates}
    if by_file:
        codes, ids = tables.by_source()
        chosen = None
    else:
        chosen = roles.id_column(
            candidates,
            named.id,
            lambda name: _repeats(times, coded.get(name) if name else None),
            tables.name,
        )
        codes, ids = coded[chosen] if chosen else (np.zeros(len(times), np.int64), [named.target])
    _check_ids(codes, ids, chosen, tables, faults)
    values = [tables.floats(named.target) if named.target in wanted else np.full(len(times), np.nan)]
    found: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for name in covariates:
        channel, texts = _covariate(tables, name, wanted[name], None if categories is None else categories.get(name))
        values.append(channel)
        if texts is not None:
            found[name] = texts
            if categories is not None:
                notes += _new_categories(tables, name, texts, codes)
    fresh = replace(named, id=chosen, by_file=by_file, **_time_style(tables, kinds, named, moments))
    zone = moments.zone
    if zone == "mixed":
        zone = "UTC"
        notes.append("times have several offsets: days are counted in UTC, unless --zone says otherwise")
    channels = (named.target, *covariates)
    flat, mixed = np.stack(values, axis=1), moments.zone == "mixed"
    return Rows(codes, ids, times, flat, channels, fresh, zone, found, tables, tuple(notes), several_offsets=mixed)


def _wanted(
    kinds: dict[str, Kind],
    named: Columns,
    candidates: Sequence[str],
    covariates: Sequence[str],
    categories: Mapping[str, tuple[str, ...]] | None,
) -> dict[str, Kind]:
    """How each column is to be read."""
    wanted: dict[str, Kind] = {named.time: "text", **dict.fromkeys(candidates, "text")}
    if named.target in kinds:
        wanted[named.target] = "number"
    for name in covariates:
        numeric = kinds[name] in (*NUMERIC, "empty") if categories is None else name not in categories
        wanted[name] = "number" if numeric else "text"
    return wanted


def _wide_rows(tables: Tables, kinds: dict[str, Kind], named: Columns, choices: ColumnChoices, faults: Faults) -> Rows:
    series = roles.wide_columns(kinds, named.time, choices, tables.name)
    tables = tables.loaded({named.time: "text", **dict.fromkeys(series, "number")}, limits_of(choices))
    times, moments = _times(tables, kinds, named, faults)
    values = np.stack([tables.floats(name) for name in series], axis=1)
    codes = np.tile(np.arange(len(series)), len(times))
    fresh = replace(named, **_time_style(tables, kinds, named, moments))
    zone = "UTC" if moments.zone == "mixed" else moments.zone
    flat = values.reshape(-1, 1)
    _check_ids(codes, series, None, tables, faults)
    flat_times, mixed = np.repeat(times, len(series)), moments.zone == "mixed"
    return Rows(codes, series, flat_times, flat, (named.target,), fresh, zone, {}, tables, (), several_offsets=mixed)


def _times(tables: Tables, kinds: dict[str, Kind], named: Columns, faults: Faults) -> tuple[Ints, Moments]:
    """The time of every row, and how times are written; rows whose time cannot be read are faults."""
    columns = tables.column(named.time)
    if all(pa.types.is_timestamp(column.type) or pa.types.is_date(column.type) for column in columns):
        return _typed_times(tables, columns, named, faults)
    if all(pa.types.is_integer(column.type) for column in columns) and named.time_format is None:
        seen = _seen(np.concatenate([arrow.observed(column) for column in columns]), tables, named.time, faults)
        times = np.concatenate([arrow.integers(column) for column in columns])
        return _unlike_any(times, seen), Moments(np.zeros(0, np.int64))
    codes, texts = tables.codes(named.time)
    texts = [text.strip() for text in texts]
    seen = (codes >= 0) & np.array([bool(text) for text in texts] + [False])[codes]
    _seen(seen, tables, named.time, faults)
    whole = named.time_type == "integer" or (kinds[named.time] == "whole" and named.time_format is None)
    try:
        found = _read(texts, whole, named.time_format)
    except Unreadable as error:
        refused = _refused_time(error, codes, tables, named.time)
        if not faults.tolerant:
            raise refused from None
        return _readable_times((codes, texts, seen), whole, named, refused, faults)
    return found.times[codes], found


def _read(texts: Sequence[str], whole: bool, style: str | None) -> Moments:  # noqa: FBT001  # what the times are
    return Moments(whole_numbers(texts)) if whole else read_times(texts, style)


def _refused_time(error: Unreadable, codes: Ints, tables: Tables, name: str) -> InputRefused:
    return InputRefused(
        f"{error.message} (column {name!r})",
        where=tables.where(int(np.argmax(codes == error.position))),
        hint=error.hint or "one style for all rows",
    )


def _readable_times(
    coded: tuple[Ints, list[str], Flags],
    whole: bool,  # noqa: FBT001  # likewise
    named: Columns,
    refused: InputRefused,
    faults: Faults,
) -> tuple[Ints, Moments]:
    """The times in the style that most rows share; the other rows are faults."""
    codes, texts, seen = coded
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    good, astray = (np.append(flags, False) for flags in readable(texts, counts, named.time_format, whole=whole))
    if not good.any():
        raise refused
    for id, rows in ((BAD_TIME, ~good & ~astray), (OTHER_ZONE, astray)):  # noqa: A001  # as a finding calls it
        if (rows[codes] & seen).any():
            faults.add(Fault(id, rows[codes] & seen, refused))
    kept = np.flatnonzero(good)
    try:
        found = _read([texts[code] for code in kept.tolist()], whole, named.time_format)
    except Unreadable:
        raise refused from None
    times = np.zeros(len(texts) + 1, np.int64)
    times[kept] = found.times
    return _unlike_any(times[codes], good[codes]), found


def _typed_times(
    tables: Tables, columns: Sequence[pa.ChunkedArray], named: Columns, faults: Faults
) -> tuple[Ints, Moments]:
    seen = _seen(np.concatenate([arrow.observed(column) for column in columns]), tables, named.time, faults)
    zones = {column.type.tz if pa.types.is_timestamp(column.type) else None for column in columns}
    if len(zones) > 1 and None in zones:
        naive = [pa.types.is_date(column.type) or column.type.tz is None for column in columns]
        error = InputRefused(
            "some tables have times with a zone and some without", where=tables.name, hint="give all a zone, or none"
        )
        faults.add(Fault(OTHER_ZONE, np.repeat(naive, [len(column) for column in columns]), error))
        zones.discard(None)
    try:
        times = np.concatenate([arrow.microseconds(column) for column in columns])
    except OverflowError as error:
        raise InputRefused(
            f"{error} (column {named.time!r})", where=tables.name, hint="round them to microseconds"
        ) from None
    zone = zones.pop() if len(zones) == 1 else "mixed"
    dates = all(pa.types.is_date(column.type) for column in columns)
    return _unlike_any(times, seen), Moments(np.zeros(0, np.int64), dates=dates, zone=zone)


def _seen(seen: Flags, tables: Tables, name: str, faults: Faults) -> Flags:
    """Which rows have a time; the others are faults."""
    if not seen.all():
        row = int(np.argmin(seen))
        error = InputRefused(
            f"there is no time (column {name!r})", where=tables.where(row), hint="every row needs its time"
        )
        faults.add(Fault(NO_TIME, ~seen, error))
    return seen


def _unlike_any(times: Ints, seen: Flags) -> Ints:
    """The times, with one of its own for every row that has none: such rows repeat no other's."""
    if not seen.all():
        times = times.copy()
        times[~seen] = np.arange(np.count_nonzero(~seen)) - (1 << 62)
    return times


def _time_style(tables: Tables, kinds: dict[str, Kind], named: Columns, moments: Moments) -> dict[str, Any]:
    """What Columns says of the time."""
    arrow_type = tables.column(named.time)[0].type
    zoned = moments.zone is not None
    if pa.types.is_integer(arrow_type) and named.time_format is None:
        return {"time_type": "integer", "time_arrow": str(arrow_type), "time_format": None, "time_zoned": False}
    if pa.types.is_timestamp(arrow_type) or pa.types.is_date(arrow_type):
        kind = "date" if moments.dates else "timestamp"
        return {"time_type": kind, "time_arrow": str(arrow_type), "time_format": None, "time_zoned": zoned}
    from_file = pa.types.is_dictionary(arrow_type) and tables.sources[0].format in ("csv", "tsv")
    if moments.zone is None and kinds[named.time] == "whole" and named.time_format is None:
        return {"time_type": "integer", "time_arrow": "int64", "time_format": None, "time_zoned": False}
    stamp = f"timestamp[us, tz={'UTC' if moments.zone == 'mixed' else moments.zone}]" if zoned else "timestamp[us]"
    text_arrow = ("date32[day]" if moments.dates and moments.style is None else stamp) if from_file else "string"
    kind = ("date" if moments.dates and moments.style is None else "timestamp") if from_file else "text"
    return {"time_type": kind, "time_arrow": text_arrow, "time_format": moments.style, "time_zoned": zoned}


def _repeats(times: Ints, coded: tuple[Ints, list[str]] | None) -> int:
    """How many rows have the time of an earlier row of their series."""
    codes = np.zeros(len(times), np.int64) if coded is None else coded[0]
    order = np.lexsort((times, codes))
    codes, times = codes[order], times[order]
    return int(np.count_nonzero((codes[1:] == codes[:-1]) & (times[1:] == times[:-1])))


def _check_ids(codes: Ints, ids: Sequence[str], name: str | None, tables: Tables, faults: Faults) -> None:
    """Ids are text without control characters, and every row has one."""
    missing = codes < 0
    if missing.any():
        error = InputRefused(
            f"there is no id (column {name!r})",
            where=tables.where(int(np.argmax(missing))),
            hint="every row needs its id",
        )
        faults.add(Fault(NO_ID, missing, error))
    for code, text in enumerate(ids):
        what = _wrong(text)
        if what:
            rows = codes == code
            error = InputRefused(what, where=tables.where(int(np.argmax(rows))), hint="rename this series")
            faults.add(Fault(UGLY_ID if text or name is None else NO_ID, rows, error))


def _wrong(text: str) -> str:
    """What is wrong with an id; empty if nothing is."""
    if not text:
        return "an id is empty"
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
        return f"the id {text[:40]!r} has control characters"
    if any(0xD800 <= ord(letter) < 0xE000 for letter in text):  # how Python shows bytes of a file name
        return f"the id {text[:40]!r} is not text in UTF-8"
    return ""


def _covariate(
    tables: Tables, name: str, kind: Kind, known: tuple[str, ...] | None
) -> tuple[Floats, tuple[str, ...] | None]:
    """A channel and, for text, the categories that its numbers stand for; rare and unknown ones are OTHER."""
    if kind == "number" and known is None:
        return tables.floats(name), None
    codes, texts = tables.codes(name)
    if known is None:
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        most = sorted(filter(texts.__getitem__, range(len(texts))), key=lambda code: (-counts[code], texts[code]))
        known = tuple(sorted(texts[code] for code in most[:CATEGORIES]))
    place = {"": np.nan} | {text: float(number) for number, text in enumerate(known)}
    return np.array([*(place.get(text, OTHER) for text in texts), np.nan])[codes], known


def _new_categories(tables: Tables, name: str, known: tuple[str, ...], series: Ints) -> list[str]:
    """A line about the texts that training did not have, the commonest first; none where it had rare ones too."""
    if len(known) >= CATEGORIES:
        return []
    codes, texts = tables.codes(name)
    pairs = np.unique(np.stack([codes, series])[:, codes >= 0], axis=1)
    counts = np.bincount(pairs[0], minlength=len(texts))
    fresh = [code for code, text in enumerate(texts) if text and text not in known and counts[code]]
    if not fresh:
        return []
    fresh.sort(key=lambda code: (-counts[code], texts[code]))
    named = ", ".join(f"{texts[code][:40]!r} ({counts[code]:,} series)" for code in fresh[:_NAMED])
    more = f" and {len(fresh) - _NAMED:,} more" if len(fresh) > _NAMED else ""
    return [f"column {name!r} has categories that training did not have: {named}{more}; they count as the average one"]
