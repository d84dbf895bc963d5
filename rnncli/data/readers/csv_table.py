"""The columns of a CSV file, once its header is known: their kinds, their size, and their values.

Each column that is read is given an explicit type, so that ids stay text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.arrays import Floats
from rnncli.data import arrow
from rnncli.data.limits import VALUE, Limits, Size
from rnncli.data.numbertext import (
    MISSING,
    Notation,
    all_numbers,
    grouped_by,
    hint_for,
    notation_of,
    other_notation,
)
from rnncli.data.readers.csv_lines import BLOCK, not_in, of_other_length, rows_of, text_lines
from rnncli.data.readers.looks import Shown, shown_by_numbers, shown_by_texts
from rnncli.data.readers.table import Kind, Look
from rnncli.data.source import Source, storage_error
from rnncli.data.timetext import looks_like_time
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices

TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
MOSTLY = 0.8  # of the texts of a column that has numbers, but for some
_BLANK = re.compile(rb"\A\r?\n|\n\r?\n|\r(?!\n)")  # lines that are no rows, or end in some other way
WHOLE = re.compile(r"[+-]?\d+")
_LEADING_ZERO = re.compile(r"[+-]?0\d+")


class _Unexplained(InputRefused):
    """Arrow cannot read a file in which nothing is wrong."""


@dataclass(frozen=True)
class Table:
    """`line` is that of the header, or the one above the first row; `sample` are the first rows.

    Of a sheet, `exact` are the columns with cells of numbers that have a fraction, so that texts beside them are no
    whole numbers with marks.
    """

    source: Source
    delimiter: str
    choices: ColumnChoices
    names: list[str]
    sample: list[list[str]]
    text: str
    line: int
    headed: bool = True
    exact: frozenset[str] = frozenset()

    def size(self, wanted: Collection[str], limits: Limits) -> Size:
        """Known or bounded by the size of the file, if that may be read; else counted, as far as is allowed."""
        most, exact = self.source.largest()
        if most is not None and (limits.rows is None or most // max(2, len(self.names)) <= limits.rows):
            size = self._size(most // self._bytes_a_row, most, len(wanted))
            if exact or limits.allow(size):
                return size
        try:
            with self.source.open() as stream:
                counted = _counted(stream, lambda rows, length: not limits.allow(self._size(rows, length, len(wanted))))
        except OSError as error:
            raise storage_error(self.source, error) from error
        except UnicodeError as error:
            raise not_in(self.source, error) from None
        return self._size(*counted, len(wanted))

    def _size(self, rows: int, bytes_: int, wanted: int) -> Size:
        return Size(rows, bytes_, rows * wanted * VALUE)

    @property
    def _bytes_a_row(self) -> int:
        return max(2, len(self.text) // max(1, self.text.count("\n") + 1))

    @cached_property
    def _texts(self) -> dict[str, list[str]]:
        """The texts of each column in the sample."""
        columns = zip(*self.sample, strict=True) if self.sample else [()] * len(self.names)
        return {name: [text.strip() for text in texts] for name, texts in zip(self.names, columns, strict=True)}

    @cached_property
    def _notations(self) -> dict[str, Notation]:
        """The notation of the numbers of each column."""
        marks = self.choices.decimal, self.choices.thousands
        return {name: notation_of(texts, *marks) for name, texts in self._texts.items()}

    @cached_property
    def _plain_kinds(self) -> dict[str, Kind]:
        return {name: kind_of_texts(texts, self._notations[name]) for name, texts in self._texts.items()}

    @cached_property
    def _shown(self) -> dict[str, Shown]:
        """What texts and numbers show; whether they are times only where that was not said."""
        return {name: self._of_column(name, kind) for name, kind in self._plain_kinds.items()}

    def _of_column(self, name: str, kind: Kind) -> Shown:
        style = self.choices.time_format
        texts = [text for text in self._texts[name] if text not in MISSING]
        if self.choices.time is not None:
            return Shown(look="numbers") if kind == "text" and self._mostly_numbers(name, texts) else Shown()
        if kind in ("whole", "number") and style is None:
            return shown_by_numbers(name, texts, whole=kind == "whole")
        if kind in ("text", "time") or (kind in ("whole", "number") and style is not None):
            shown = shown_by_texts(name, texts, style)
            if kind == "text" and shown == Shown() and self._mostly_numbers(name, texts):
                return Shown(look="numbers")
            return replace(shown, kind=shown.kind or "text") if kind == "time" else shown
        return Shown()

    def _mostly_numbers(self, name: str, texts: list[str]) -> bool:
        """Whether most texts are numbers, but for some."""
        found = [text for text in texts if self._notations[name].number(text) is not None]
        return MOSTLY * len(texts) <= len(found) < len(texts)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each column, as the sample shows."""
        return self._plain_kinds | {name: shown.kind for name, shown in self._shown.items() if shown.kind}

    @property
    def looks(self) -> dict[str, Look]:
        """What some of them look like."""
        return {name: shown.look for name, shown in self._shown.items() if shown.look}

    @property
    def styles(self) -> dict[str, str]:
        """How times are written that are not ISO's."""
        return {name: shown.style for name, shown in self._shown.items() if shown.style}

    @property
    def marks(self) -> dict[str, str]:
        """The currency or percent sign of columns that have one."""
        return {name: notation.mark for name, notation in self._notations.items() if notation.mark}

    def number(self, name: str, text: str) -> float | InputRefused:
        """The number that a text of a column is, or why it is none."""
        found = self._flag(text.strip()) if self._flags(name) else self._notations[name].number(text)
        return self._not_a_number(text, name) if found is None else found

    def _flag(self, text: str) -> float | None:
        if text in MISSING:
            return np.nan
        return 1.0 if text in (*TRUE, "1") else 0.0 if text in (*FALSE, "0") else None

    def read(self, wanted: Mapping[str, Kind]) -> pa.Table:
        """The wanted columns. InputRefused with the place of a row that is none, or a text that is no number."""
        numbers = [name for name, kind in wanted.items() if kind == "number"]
        plain = [name for name in numbers if self._notations[name].plain or self._flags(name)]
        try:
            table = self._read(wanted, plain)
        except _Unexplained:  # blanks around a missing value, which Arrow does not take away
            plain = [name for name in plain if self._flags(name)]
            table = self._read(wanted, plain)
        for name in plain:
            self._refuse_grouped(table, name)
        for name in numbers:
            if name not in plain:
                table = table.set_column(table.column_names.index(name), name, self._converted(table, name))
        return table

    def _read(self, wanted: Mapping[str, Kind], plain: Collection[str]) -> pa.Table:
        """The columns, of which Arrow reads the `plain` ones as numbers and all others as texts."""
        from pyarrow import csv

        text = pa.dictionary(pa.int32(), pa.string())
        types = {name: _type(self.kinds[name]) if name in plain else text for name in wanted}
        convert = csv.ConvertOptions(
            column_types=types,
            include_columns=list(wanted),
            null_values=list(MISSING),
            true_values=[*TRUE, "1"],
            false_values=[*FALSE, "0"],
            strings_can_be_null=False,
            decimal_point=self.choices.decimal or ("," if self.choices.thousands == "." else "."),
        )
        parse = csv.ParseOptions(delimiter=self.delimiter)
        options = csv.ReadOptions(block_size=BLOCK, column_names=self.names, skip_rows=self.line)
        try:
            with self.source.open() as stream:
                return csv.read_csv(stream, options, parse, convert)
        except pa.ArrowInvalid as error:
            raise self._explained(plain, error) from error
        except OSError as error:
            raise storage_error(self.source, error) from error
        except UnicodeError as error:
            raise not_in(self.source, error) from None

    def _converted(self, table: pa.Table, name: str) -> pa.ChunkedArray:
        """A column of texts as numbers."""
        codes, texts = arrow.codes(table.column(name))
        found = [self.number(name, text) for text in texts]
        for code, value in enumerate(found):
            if isinstance(value, InputRefused):
                raise self._placed(value, name, int(np.argmax(codes == code)))
        return pa.chunked_array([arrow.array(np.array([*found, np.nan], np.float64)[codes])])

    def _placed(self, error: InputRefused, name: str, row: int) -> InputRefused:
        """An error about a text with its place."""
        error.where = f"{self.source.name}:{self.line_of(row)}:{self.names.index(name) + 1}"
        return error

    def _refuse_grouped(self, table: pa.Table, name: str) -> None:
        """InputRefused where points may be thousands marks as well: 1.056 beside 765."""
        if (
            self.choices.decimal is not None
            or name in self.exact
            or self._flags(name)
            or not _may_be_grouped(arrow.floats(table.column(name)))
        ):
            return
        codes, texts = arrow.codes(self._read({name: "text"}, ()).column(name))
        text = grouped_by(texts, alone=self.delimiter == ";")
        if text is None:
            return
        row = int(np.argmax(codes == texts.index(text)))
        raise self.source.refused(
            f"{text!r} in column {name!r} may be {text.replace('.', ',')} or {float(text):g}",
            line=self.line_of(row),
            column=self.names.index(name) + 1,
            hint="if points stand between thousands: --thousands . and if they are decimal points: --decimal .",
        )

    def line_of(self, row: int) -> int:
        """The line of a row of the table, 0 if there is no such row."""
        lines = self._line_numbers
        return row + self.line + 1 if lines is None else lines[row + 1] if row + 1 < len(lines) else 0

    @cached_property
    def _line_numbers(self) -> list[int] | None:
        """The line of each row, the header first; None where every line is a row."""
        with self.source.open() as stream:
            data = stream.read()
        if b'"' not in data and not _BLANK.search(data):
            return None
        lines = [line for line, _ in self._lines()]
        return lines if self.headed else [self.line, *lines]

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        with self.source.open() as stream:
            lines = text_lines(self.source, stream)
            yield from (row for row in rows_of(self.source, lines, self.delimiter) if row[0] >= self.line)

    def _explained(self, plain: Collection[str], error: pa.ArrowInvalid) -> InputRefused:
        """The first place that Arrow cannot have liked: read again, slowly, row by row."""
        numbers = [(place, name) for place, name in enumerate(self.names) if name in plain]
        for line, row in self._lines():
            if len(row) != len(self.names):
                return of_other_length(self.source, line, row, len(self.names), self.delimiter)
            for place, name in numbers:
                found = self.number(name, row[place]) if line > self.line else 0.0
                if isinstance(found, InputRefused):
                    found.where = f"{self.source.name}:{line}:{place + 1}"
                    return found
        return _Unexplained(f"cannot be read as CSV: {str(error).splitlines()[0]}", where=self.source.name)

    def _flags(self, name: str) -> bool:
        return self.kinds[name] == "flag"

    def _not_a_number(self, text: str, name: str) -> InputRefused:
        notation, flags = self._notations[name], self._flags(name)
        hint = "write true or false" if flags else hint_for(text.strip(), notation, self._texts[name])
        what = "neither true nor false, as the rows before" if flags else "not a number"
        if notation.mark and not flags:
            what += f" with {notation.mark}, as the others are"
        return self.source.refused(f"{text[:40]!r} in column {name!r} is {what}", hint=hint)


def _may_be_grouped(values: Floats) -> bool:
    """Whether numbers that were read with a decimal point can all be of the kind that `grouped_by` looks for."""
    seen = np.abs(values[~np.isnan(values)])
    if not seen.size or seen.max() >= 1_000:
        return False
    thousandths = seen * 1_000
    parts = np.abs(thousandths - np.round(thousandths)) < 1e-6
    broken = seen != np.floor(seen)
    return bool(broken.any() and parts.all() and seen[broken].min() >= 1)


def _counted(stream: Any, enough: Callable[[int, int], bool]) -> tuple[int, int]:
    """Rows and bytes, up to where they are `enough`. A line end within quotes ends no row, nor does an empty line."""
    rows, length, quotes, before = -1, 0, 0, b"\n"
    while not enough(rows, length):
        part = stream.read(BLOCK)
        text = np.frombuffer(before + part.replace(b"\r", b""), np.uint8)
        quoted = (quotes + np.cumsum(text[1:] == ord('"'))) % 2
        ends = (text[1:] == ord("\n")) & (text[:-1] != ord("\n")) & (quoted == 0)
        rows += int(np.count_nonzero(ends))
        if not part or (len(part) == BLOCK and b"\n" not in part):  # the end, or a line that no reader takes
            return rows + (before != b"\n"), length + len(part)
        quotes, length, before = int(quoted[-1]) if quoted.size else quotes, length + len(part), bytes(text[-1:])
    return rows, length


def _type(kind: Kind) -> pa.DataType:
    return pa.bool_() if kind == "flag" else pa.float64()


def kind_of_texts(texts: list[str], notation: Notation | None = None) -> Kind:
    """What a column of such texts is; numbers with leading zeros are names.

    Texts that are numbers in another notation are numbers too: reading them says what notation it is.
    """
    seen = [text for text in texts if text not in MISSING]
    notation = notation or Notation()
    if not seen:
        return "empty"
    if looks_like_time(seen):
        return "time"
    if all(map(WHOLE.fullmatch, seen)):
        return "text" if any(map(_LEADING_ZERO.fullmatch, seen)) else "whole"
    if all(text in (*TRUE, *FALSE) for text in seen):
        return "flag"
    return "number" if all_numbers(seen, notation) or other_notation(seen, notation) else "text"
