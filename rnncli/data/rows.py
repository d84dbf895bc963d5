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
from rnncli.data.timetext import Moments, Unreadable, read_times, whole_numbers
from rnncli.errors import InputRefused
from rnncli.registry import READERS, find
from rnncli.spec import ColumnChoices, Columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CATEGORIES = 64  # of a categorical covariate; the rarer ones are "other"


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

    def where(self, row: int) -> str:
        """The place of a row, file:line, or the file alone where rows have no lines."""
        place = row if self.places is None else int(self.places[row])
        return self.tables.where(place // (len(self.ids) if self.columns.wide else 1))

    def kept(self, rows: NDArray[np.bool_]) -> Rows:
        """Some of the rows, which remember their places."""
        places = np.flatnonzero(rows) if self.places is None else self.places[rows]
        return replace(self, codes=self.codes[rows], times=self.times[rows], values=self.values[rows], places=places)


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
) -> Rows:
    """The rows of all sources, in their order. `known` and `categories` are those of a model, where there is one."""
    tables = open_tables(sources, choices)
    kinds = tables.kinds()
    named = _named(kinds, choices, known, tables.name)
    if named.wide:
        return _wide_rows(tables, kinds, named, choices)
    return _long_rows(tables, kinds, named, choices, known, categories)


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
) -> Rows:
    taken = [named.time, named.target]
    candidates = [named.id] if named.id else [] if known else roles.id_candidates(kinds, taken, choices)
    covariates = (*named.past, *named.future, *named.static)
    wanted = _wanted(kinds, named, candidates, covariates, categories)
    tables = tables.loaded(wanted, limits_of(choices))
    if not tables.rows:
        raise InputRefused("there are no rows", where=tables.name, hint="a table has a header and rows")
    times, moments = _times(tables, kinds, named)
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
    _check_ids(codes, ids, chosen, tables)
    values = [tables.floats(named.target)]
    found: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for name in covariates:
        channel, texts = _covariate(tables, name, wanted[name], None if categories is None else categories.get(name))
        values.append(channel)
        if texts is not None:
            found[name] = texts
    fresh = replace(named, id=chosen, by_file=by_file, **_time_style(tables, kinds, named, moments))
    zone = moments.zone
    if zone == "mixed":
        zone = "UTC"
        notes.append("times have several offsets: days are counted in UTC, unless --zone says otherwise")
    channels = (named.target, *covariates)
    return Rows(codes, ids, times, np.stack(values, axis=1), channels, fresh, zone, found, tables, tuple(notes))


def _wanted(
    kinds: dict[str, Kind],
    named: Columns,
    candidates: Sequence[str],
    covariates: Sequence[str],
    categories: Mapping[str, tuple[str, ...]] | None,
) -> dict[str, Kind]:
    """How each column is to be read."""
    wanted: dict[str, Kind] = {named.time: "text", **dict.fromkeys(candidates, "text"), named.target: "number"}
    for name in covariates:
        numeric = kinds[name] in (*NUMERIC, "empty") if categories is None else name not in categories
        wanted[name] = "number" if numeric else "text"
    return wanted


def _wide_rows(tables: Tables, kinds: dict[str, Kind], named: Columns, choices: ColumnChoices) -> Rows:
    series = roles.wide_columns(kinds, named.time, choices, tables.name)
    tables = tables.loaded({named.time: "text", **dict.fromkeys(series, "number")}, limits_of(choices))
    times, moments = _times(tables, kinds, named)
    values = np.stack([tables.floats(name) for name in series], axis=1)
    codes = np.tile(np.arange(len(series)), len(times))
    fresh = replace(named, **_time_style(tables, kinds, named, moments))
    zone = "UTC" if moments.zone == "mixed" else moments.zone
    flat = values.reshape(-1, 1)
    _check_ids(codes, series, None, tables)
    return Rows(codes, series, np.repeat(times, len(series)), flat, (named.target,), fresh, zone, {}, tables, ())


def _times(tables: Tables, kinds: dict[str, Kind], named: Columns) -> tuple[Ints, Moments]:
    """The time of every row, and how times are written. InputRefused with the place of one that cannot be read."""
    columns = tables.column(named.time)
    if all(pa.types.is_timestamp(column.type) or pa.types.is_date(column.type) for column in columns):
        return _typed_times(tables, columns, named)
    if all(pa.types.is_integer(column.type) for column in columns) and named.time_format is None:
        _refuse_nulls(np.concatenate([arrow.observed(column) for column in columns]), tables, named.time)
        return np.concatenate([arrow.integers(column) for column in columns]), Moments(np.zeros(0, np.int64))
    codes, texts = tables.codes(named.time)
    stripped = [text.strip() for text in texts]
    _refuse_nulls((codes >= 0) & np.array([bool(text) for text in stripped] + [False])[codes], tables, named.time)
    try:
        if named.time_type == "integer" or (kinds[named.time] == "whole" and named.time_format is None):
            found = Moments(whole_numbers(stripped))
        else:
            found = read_times(stripped, named.time_format)
    except Unreadable as error:
        row = int(np.argmax(codes == error.position))
        raise InputRefused(
            f"{error.message} (column {named.time!r})",
            where=tables.where(row),
            hint=error.hint or "one style for all rows",
        ) from None
    return found.times[codes], found


def _typed_times(tables: Tables, columns: Sequence[pa.ChunkedArray], named: Columns) -> tuple[Ints, Moments]:
    _refuse_nulls(np.concatenate([arrow.observed(column) for column in columns]), tables, named.time)
    zones = {column.type.tz if pa.types.is_timestamp(column.type) else None for column in columns}
    if len(zones) > 1 and None in zones:
        raise InputRefused(
            "some tables have times with a zone and some without", where=tables.name, hint="give all a zone, or none"
        )
    try:
        times = np.concatenate([arrow.microseconds(column) for column in columns])
    except OverflowError as error:
        raise InputRefused(
            f"{error} (column {named.time!r})", where=tables.name, hint="round them to microseconds"
        ) from None
    zone = zones.pop() if len(zones) == 1 else "mixed"
    dates = all(pa.types.is_date(column.type) for column in columns)
    return times, Moments(np.zeros(0, np.int64), dates=dates, zone=zone)


def _refuse_nulls(seen: NDArray[np.bool_], tables: Tables, name: str) -> None:
    if not seen.all():
        row = int(np.argmin(seen))
        raise InputRefused(
            f"there is no time (column {name!r})", where=tables.where(row), hint="every row needs its time"
        )


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


def _check_ids(codes: Ints, ids: Sequence[str], name: str | None, tables: Tables) -> None:
    """Ids are text without control characters, and every row has one."""
    if codes.size and codes.min() < 0:
        raise InputRefused(
            f"there is no id (column {name!r})",
            where=tables.where(int(np.argmin(codes))),
            hint="every row needs its id",
        )
    for code, text in enumerate(ids):
        what = _wrong(text)
        if what:
            raise InputRefused(what, where=tables.where(int(np.argmax(codes == code))), hint="rename this series")


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
    """A channel and, for text, the categories that its numbers stand for; rare and unknown ones are missing."""
    if kind == "number" and known is None:
        return tables.floats(name), None
    codes, texts = tables.codes(name)
    if known is None:
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        most = sorted(range(len(texts)), key=lambda code: (-counts[code], texts[code]))[:CATEGORIES]
        known = tuple(sorted(texts[code] for code in most))
    place = {text: float(number) for number, text in enumerate(known)}
    return np.array([*(place.get(text, np.nan) for text in texts), np.nan])[codes], known
