"""Opened sources and what is read of them: the kinds of columns, their values, and the way back to a row's place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data import arrow
from rnncli.data.limits import Limits
from rnncli.data.readers.parquet import read_arrow
from rnncli.data.readers.table import NUMERIC, Kind, Look, Opened, kind_of
from rnncli.data.source import Source
from rnncli.errors import InputRefused
from rnncli.registry import READERS, find
from rnncli.spec import ColumnChoices

NO_TIME, BAD_TIME, OTHER_ZONE = "time-missing", "time-unreadable", "zone-mixed"
NO_ID, UGLY_ID = "id-missing", "id-unusable"
BAD_NUMBER, TWO_WAYS = "number-unreadable", "number-ambiguous"
_LEAVE_ROWS = (UGLY_ID, BAD_NUMBER, TWO_WAYS)  # faults of rows that can be told by series and time all the same


@dataclass(frozen=True)
class Fault:
    """Rows of the tables that cannot be used, or a cell of each, and the error about the first of them."""

    id: str
    rows: Bools
    error: InputRefused
    column: str | None = None


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

    def usable(self, rows: int) -> Bools:
        """Which rows have no fault; ids that are only ugly stay, and rows in which a number is missing."""
        bad = [fault.rows for fault in self.found if fault.id not in _LEAVE_ROWS]
        return np.asarray(~np.logical_or.reduce([np.zeros(rows, np.bool_), *bad]))


@dataclass(frozen=True)
class Tables:
    """The opened sources and, once read, their Arrow tables."""

    sources: Sequence[Source]
    opened: Sequence[Opened]
    read: Sequence[pa.Table] = ()
    refused: tuple[InputRefused, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows that were read."""
        return sum(table.num_rows for table in self.read)

    @property
    def name(self) -> str:
        """The name that messages call them by."""
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

    def styles(self) -> dict[str, str]:
        """How times are written in columns where that is not ISO's way."""
        return {name: style for opened in self.opened for name, style in opened.styles.items()}

    def mark(self, name: str) -> str:
        """The currency or percent sign of a column; "" if it has none."""
        return next((opened.marks[name] for opened in self.opened if name in opened.marks), "")

    def looks(self) -> dict[str, Look]:
        """What columns look like beside their kind, in any of the tables."""
        return {name: look for opened in self.opened for name, look in opened.looks.items()}

    def loaded(self, wanted: Mapping[str, Kind], limits: Limits, faults: Faults | None = None) -> Tables:
        """The wanted columns of every table. InputRefused naming a table that lacks one, or is too large.

        Where `faults` are tolerant, what would be refused of numbers is kept in `refused`, and they are read as texts.
        """
        self.refuse_lacking(wanted)
        sizes = [opened.size(wanted, limits) for opened in self.opened]
        limits.check(sizes, [source.name for source in self.sources], self.name)
        tolerant = faults is not None and faults.tolerant
        found = [_read(opened, wanted, tolerant=tolerant) for opened in self.opened]
        refused = tuple(error for _, error in found if error is not None)
        return replace(self, read=[table for table, _ in found], refused=refused)

    def refuse_lacking(self, wanted: Collection[str]) -> None:
        """InputRefused naming a table that lacks one of these columns."""
        for source, opened in zip(self.sources, self.opened, strict=True):
            for name in wanted:
                if name not in opened.kinds:
                    raise source.refused(
                        f"there is no column {name!r}, which other files have", hint="give files with the same columns"
                    )

    def column(self, name: str) -> list[pa.ChunkedArray]:
        """A column of every table."""
        return [table.column(name) for table in self.read]

    def codes(self, name: str, what: str = "texts") -> tuple[Ints, list[str]]:
        """A column as codes into different texts, over all tables; -1 where it is null. InputRefused if it has none."""
        place: dict[str, int] = {}
        parts = []
        for column in self.column(name):
            try:
                found, texts = arrow.codes(column)
            except TypeError as error:
                raise self._unfit(name, str(error), what) from None
            known = np.array([place.setdefault(text, len(place)) for text in texts] + [-1], np.int64)
            parts.append(known[found])
        return np.concatenate([np.zeros(0, np.int64), *parts]), list(place)

    def is_text(self, name: str) -> bool:
        """Whether a column holds cells of a table: no lists, and no bytes that are not text in UTF-8."""
        try:
            self.codes(name)
        except InputRefused:
            return False
        return True

    def _unfit(self, name: str, held: str, what: str) -> InputRefused:
        return InputRefused(
            f"column {name!r} holds values of type {held}, which are no {what}",
            where=self.name,
            hint="name another column, or convert this one",
        )

    def refuse_nested(self, name: str, what: str) -> None:
        """InputRefused if the column holds lists, structures or something else that no cell of a table is."""
        for column in self.column(name):
            if kind_of(column.type) == "other":
                raise self._unfit(name, str(column.type).split("<", maxsplit=1)[0], what)

    def floats(self, name: str, faults: Faults | None = None) -> Floats:
        """A column of numbers over all tables; NaN where it is null. InputRefused if it holds none.

        Texts that are no numbers are faults of tolerant `faults`, and NaN.
        """
        parts, first = [np.zeros(0)], 0
        for opened, table in zip(self.opened, self.read, strict=True):
            column = table.column(name)
            if faults is not None and faults.tolerant and opened.number is not None and kind_of(column.type) == "text":
                parts.append(self._from_texts(name, column, opened, faults, first))
            else:
                parts.append(self._numbers(name, column))
            first += table.num_rows
        return np.concatenate(parts)

    def _numbers(self, name: str, column: pa.ChunkedArray) -> Floats:
        try:
            return arrow.floats(column)
        except (pa.ArrowInvalid, TypeError) as error:
            if _blank(column):
                return np.full(len(column), np.nan)
            held = "text" if kind_of(column.type) == "text" else str(column.type).split("<", maxsplit=1)[0]
            raise InputRefused(
                f"column {name!r} holds values of type {held}, which are no numbers",
                where=self.name,
                hint="name a column of numbers, or convert this one",
            ) from error

    def _from_texts(self, name: str, column: pa.ChunkedArray, opened: Opened, faults: Faults, first: int) -> Floats:
        """The numbers of texts; `first` is the place of the column's first row among all rows."""
        assert opened.number is not None
        codes, texts = arrow.codes(column)
        found = [opened.number(name, text) for text in texts]
        bad = np.array([isinstance(value, InputRefused) for value in found] + [False], np.bool_)
        values = np.array([np.nan if isinstance(value, InputRefused) else value for value in found] + [np.nan])
        if bad[codes].any():
            rows = np.zeros(self.rows, np.bool_)
            rows[first : first + len(codes)] = bad[codes]
            row = int(np.argmax(rows))
            error = found[int(codes[row - first])]
            assert isinstance(error, InputRefused)
            error.where = self.where(row)
            faults.add(Fault(BAD_NUMBER, rows, error, name))
        return np.asarray(values[codes])

    def ambiguous(self, faults: Faults) -> None:
        """Note why numbers were refused, where no text is to blame: all can be read, but in two ways."""
        if self.refused and not any(fault.id == BAD_NUMBER for fault in faults.found):
            faults.add(Fault(TWO_WAYS, np.zeros(self.rows, np.bool_), self.refused[0]))

    def where(self, row: int) -> str:
        """The place of a row: file and line."""
        for source, opened, table in zip(self.sources, self.opened, self.read, strict=True):
            if row < table.num_rows:
                if opened.place is not None:
                    return opened.place(row)
                line = opened.line_of(row)
                return f"{source.name}:{line}" if line else source.name
            row -= table.num_rows
        return self.name

    def by_source(self) -> tuple[Ints, list[str]]:
        """Each row's file as its series. InputRefused if two files would be one."""
        self.refuse_same_names()
        counts = [table.num_rows for table in self.read]
        return np.repeat(np.arange(len(counts)), counts), [source.stem or source.name for source in self.sources]

    def refuse_same_names(self) -> None:
        """InputRefused if two files would be one series."""
        names = [source.stem or source.name for source in self.sources]
        twice = next((place for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            first = self.sources[names.index(names[twice])].name
            raise InputRefused(
                f"{first} and {self.sources[twice].name} would both be series {names[twice]!r}",
                where=self.sources[twice].name,
                hint="rename one of the files, or give every row its id in a column: --id NAME",
            )


def _blank(column: pa.ChunkedArray) -> bool:
    """Whether a column of texts says nothing."""
    try:
        return kind_of(column.type) == "text" and not any(text.strip() for text in arrow.codes(column)[1])
    except TypeError:
        return False


def _merged(one: Kind, other: Kind) -> Kind:
    if one in ("empty", other):
        return other
    if other == "empty":
        return one
    if one in NUMERIC and other in NUMERIC:
        return "number"
    return "text"


def _read(opened: Opened, wanted: Mapping[str, Kind], *, tolerant: bool) -> tuple[pa.Table, InputRefused | None]:
    try:
        return opened.read(wanted), None
    except InputRefused as error:
        if not tolerant or opened.number is None:
            raise
        return opened.read(dict.fromkeys(wanted, "text")), error


def open_tables(sources: Sequence[Source], choices: ColumnChoices) -> Tables:
    """Every source opened by its reader."""
    return Tables(sources, [_open(source, choices) for source in sources])


def _open(source: Source, choices: ColumnChoices) -> Opened:
    usual = read_arrow if source.table is not None else None
    reader = source.reader or usual or find(READERS, source.format, "format")
    opened: Opened = reader(source, choices)
    return opened
