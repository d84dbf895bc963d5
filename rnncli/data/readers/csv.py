"""CSV and TSV: a header line, and an explicit type for every column that is read, so that ids stay text.

Above the header may stand `sep=;`, as Excel writes and reads it, and comments that begin with #.
"""

from __future__ import annotations

import codecs
import csv as rows_of_text
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.arrays import Floats
from rnncli.data import arrow
from rnncli.data.limits import VALUE, Limits, Size, limits_of, shown
from rnncli.data.numbertext import (
    MISSING,
    Notation,
    all_numbers,
    grouped_by,
    hint_for,
    notation_of,
    other_notation,
)
from rnncli.data.readers.looks import Shown, shown_by_numbers, shown_by_texts
from rnncli.data.readers.table import Kind, Look, Opened, repeated
from rnncli.data.source import Source, storage_error
from rnncli.data.timetext import looks_like_time
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices

TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1 << 18  # bytes from which kinds are guessed
SAMPLE_ROWS = 2_000
MOSTLY = 0.8  # of the texts of a column that has numbers, but for some
_LINES_LOOKED_AT = 20  # for a delimiter, where the header has none
LONGEST_HEADER = 16 << 20  # bytes
BLOCK = 4 << 20  # bytes; a single field may be as long
_OTHER_FILES = (
    (b"PAR1", "a Parquet file", "say --format parquet"),
    (b"PK\x03\x04", "a zip archive or a workbook", "save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"\x1f\x8b", "compressed twice", "decompress it once"),
    (b"\x28\xb5\x2f\xfd", "compressed twice", "decompress it once"),
    (b"BZh", "compressed with bzip2", "decompress it, or compress it with gzip or zstd"),
    (b"\xfd7zXZ", "compressed with xz", "decompress it, or compress it with gzip or zstd"),
    (b"\xff\xfe\0\0", "UTF-32, not UTF-8", "say so: --encoding utf-32"),
    (b"\xff\xfe", "UTF-16, not UTF-8", "say so: --encoding utf-16"),
    (b"\xfe\xff", "UTF-16, not UTF-8", "say so: --encoding utf-16"),
    (b"\x7fELF", "a program", ""),
    (b"\x89PNG", "a picture", ""),
    (b"%PDF", "a PDF", ""),
    (b"SQLite format 3", "a database", "export the table as CSV"),
    (b"\x89HDF", "an HDF5 file", "export the table as CSV or Parquet"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"\x80\x04", "a pickle, which is never read", "write the table as CSV or Parquet"),
)
_CELLS = ("time", "whole", "number")
_MARK = b"\xef\xbb\xbf"  # with which some editors begin UTF-8
_BLANK = re.compile(rb"\A\r?\n|\n\r?\n|\r(?!\n)")  # lines that are no rows, or end in some other way
_WHOLE = re.compile(r"[+-]?\d+")
_LEADING_ZERO = re.compile(r"[+-]?0\d+")


_SEPARATOR_LINE = re.compile(r"sep=(?P<mark>.)\r?\n", re.IGNORECASE)
_DIGITS = re.compile(r"\s*[+-]?\d+\s*")


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open a comma-separated file (or ; tab | where the header, or the user, says so)."""
    return _Text(_decoding(source, choices), choices.separator, choices).opened()


def read_tsv(source: Source, choices: ColumnChoices) -> Opened:
    """Open a tab-separated file."""
    return _Text(_decoding(source, choices), choices.separator or "\t", choices).opened()


def _decoding(source: Source, choices: ColumnChoices) -> Source:
    """The source as UTF-8. UsageError if there is no such encoding."""
    if choices.encoding is None:
        return source
    try:
        name = codecs.lookup(choices.encoding).name
        "".encode(name)
    except LookupError:
        hint = "for example utf-8, cp1252, latin-1 or utf-16"
        raise UsageError(f"there is no text encoding {choices.encoding!r}", hint=hint) from None
    return source if name == "utf-8" else replace(source, encoding=name)


class _Unexplained(InputRefused):
    """Arrow cannot read a file in which nothing is wrong."""


@dataclass(frozen=True)
class _Text:
    source: Source
    delimiter: str | None
    choices: ColumnChoices

    def opened(self) -> Opened:
        sample = self._sample()
        above = _Above.of(sample)
        delimiter = self.delimiter or above.delimiter or _delimiter(sample, above.lines)
        rows = list(_rows(self.source, io.StringIO(sample, newline=""), delimiter, SAMPLE_ROWS, above.lines))
        if not rows:
            raise self.source.refused("there is no header", hint="a CSV file has a header line and rows")
        limits = limits_of(self.choices)
        headed = self.choices.header or not _is_row(rows[0][1])
        rows = rows if headed else [_numbered(self.source, rows[0], limits), *rows]
        line, names = _header(self.source, rows, limits) if headed else rows[0]
        if len(rows) == 1:
            raise self.source.refused("there is a header but no row", hint="a CSV file has a header line and rows")
        _refuse_longer(self.source, rows, delimiter)
        found = [row for _, row in rows[1:] if len(row) == len(names)]
        table = _Table(self.source, delimiter, self.choices, names, found, sample, line, headed)
        return Opened(
            table.kinds, table.read, table.line_of, table.size, table.looks, table.styles, table.number, table.marks
        )

    def _sample(self) -> str:
        """The first lines, whole; InputRefused if they are not text in UTF-8."""
        try:
            with self.source.open() as stream:
                head = stream.read(SAMPLE)
                if len(head) == SAMPLE and b"\n" not in head:
                    head += self._rest_of_header(stream)
        except OSError as error:
            raise storage_error(self.source, error) from error
        except UnicodeError as error:
            raise _not_in(self.source, error) from None
        if not head.removeprefix(_MARK).strip():
            raise self.source.refused("the file is empty", hint="a CSV file has a header line and rows")
        for start, what, hint in _OTHER_FILES:
            if head.startswith(start):
                raise self.source.refused(f"this is {what}", hint=hint or "give a table as CSV or Parquet")
        if b"\n" in head and len(head) >= SAMPLE:
            head = head[: head.rindex(b"\n") + 1]
        return _decoded(self.source, head)

    def _rest_of_header(self, stream: Any) -> bytes:
        rest = b""
        while len(rest) < LONGEST_HEADER and b"\n" not in rest[-SAMPLE:]:
            more = stream.read(SAMPLE)
            if not more:
                return rest
            rest += more
        if b"\n" not in rest:
            longest = f"the first line is longer than {shown(LONGEST_HEADER)}"
            raise self.source.refused(longest, line=1, hint="a CSV file has a header line and rows")
        return rest


def _decoded(source: Source, data: bytes, first: int = 1) -> str:
    """Text whose first line has this number."""
    try:
        text = (data.removeprefix(_MARK) if first == 1 else data).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + first
        raise source.refused(
            "the text is not UTF-8", line=line, hint="say what it is: --encoding cp1252 (Windows), latin-1 or another"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + first
        hint = "remove it; if the text is UTF-16: iconv -f UTF-16LE -t UTF-8"
        raise source.refused("there is a NUL character", line=line, hint=hint)
    return text


def _not_in(source: Source, error: UnicodeError) -> InputRefused:
    return source.refused(f"the text is not in {source.encoding} ({error})", hint="say what it is: --encoding NAME")


@dataclass(frozen=True)
class _Above:
    """What stands above the header: so many lines, and the delimiter if one of them says it."""

    lines: int
    delimiter: str | None

    @classmethod
    def of(cls, sample: str) -> _Above:
        said = _SEPARATOR_LINE.match(sample)
        lines, rest = (1, sample[said.end() :]) if said else (0, sample)
        while rest.startswith("#") and "\n" in rest:
            lines, rest = lines + 1, rest.split("\n", 1)[1]
        return cls(lines, said["mark"] if said else None)


def _delimiter(sample: str, above: int) -> str:
    """The mark that the header has most often; where it has none, that which all of the next lines have."""
    header, *rows = sample.split("\n", above + _LINES_LOOKED_AT)[above:]
    found = max(DELIMITERS, key=header.count)  # the first of equals, so a single column is fine
    lines = [line for line in rows[:-1] if line.strip()]
    if found in header or not lines:
        return found
    return max(DELIMITERS, key=lambda mark: sum(mark in line for line in lines))


def _header(source: Source, rows: list[tuple[int, list[str]]], limits: Limits) -> tuple[int, list[str]]:
    """The line of the header, and the names of the columns."""
    line, names = rows[0]
    limits.check_columns(len(names), f"{source.name}:{line}")
    _refuse_metadata(source, rows)
    if len(names) > 1 and all(kind_of_texts([name.strip()]) in _CELLS for name in names):
        raise source.refused(
            "the first line is a row, not a header", line=line, hint="put the columns' names above it: ds,y"
        )
    if any(not name.strip() for name in names) and len(names) == 1:
        raise source.refused("the first line has no column names", line=line)
    twice = repeated(names)
    if twice is not None:
        place = len(names) - names[::-1].index(twice)
        raise source.refused(f"two columns are called {twice!r}", line=line, column=place, hint="rename one of them")
    return line, names


def _is_row(fields: list[str]) -> bool:
    """Whether a first line is a row of numbers: half of it at least, and they do not just count columns."""
    numbers = [text for text in map(str.strip, fields) if kind_of_texts([text]) in _CELLS]
    if not numbers or 2 * sum(text in MISSING for text in map(str.strip, fields)) + 2 * len(numbers) < len(fields):
        return False
    whole = [int(text) for text in numbers if _WHOLE.fullmatch(text)]
    return len(whole) < len(numbers) or whole != list(range(whole[0], whole[0] + len(whole)))


def _numbered(source: Source, row: tuple[int, list[str]], limits: Limits) -> tuple[int, list[str]]:
    """A header above a first row: columns are called 1, 2, 3 and so on."""
    line, fields = row
    limits.check_columns(len(fields), f"{source.name}:{line}")
    return line - 1, [str(place) for place in range(1, len(fields) + 1)]


def _refuse_metadata(source: Source, rows: list[tuple[int, list[str]]]) -> None:
    """InputRefused where the first lines are shorter than those below: they are about the table, not of it."""
    widths = [len(row) for _, row in rows]
    usual = max(set(widths), key=widths.count)
    begin = next((place for place, width in enumerate(widths) if width == usual), 0)
    if not begin or max(widths[:begin]) >= usual or len(rows) < begin + 2 or not _is_header(rows[begin][1]):
        return
    raise source.refused(
        f"the table seems to begin below: this line has {_fields(widths[0])}, and line {rows[begin][0]} has {usual}",
        line=rows[0][0],
        hint=f"take the lines above line {rows[begin][0]} away, or begin them with #",
    )


def _is_header(row: list[str]) -> bool:
    return all(kind_of_texts([name.strip()]) == "text" for name in row)


def _fields(count: int) -> str:
    return f"{count} field{'s' * (count != 1)}"


def _refuse_longer(source: Source, rows: list[tuple[int, list[str]]], delimiter: str) -> None:
    """InputRefused for the first row with more fields than the header."""
    names = rows[0][1]
    for line, row in rows[1:]:
        if len(row) > len(names):
            raise _of_other_length(source, line, row, len(names), delimiter)


def _of_other_length(source: Source, line: int, row: list[str], width: int, delimiter: str) -> InputRefused:
    hint = "quote fields that hold a delimiter"
    if delimiter == "," and any(map(_is_split, row, row[1:])):
        hint = 'a number with a decimal comma is written in quotes, "1,5" with --decimal , or in a file separated by ;'
    if len(row) < width:
        hint = "the line is cut off, or is no row of the table: complete it or take it out"
    return source.refused(f"this row has {_fields(len(row))}, the header {width}", line=line, hint=hint)


def _is_split(one: str, other: str) -> bool:
    """Whether two fields are one number with a comma in it."""
    return bool(_DIGITS.fullmatch(one) and other.strip().isdecimal())


def _text_lines(source: Source, stream: Any) -> Iterator[str]:
    """The lines of a file, one in memory at a time."""
    reader = io.BufferedReader(stream) if isinstance(stream, pa.NativeFile) else stream
    for number, line in enumerate(iter(lambda: reader.readline(BLOCK + 1), b""), 1):
        if len(line) > BLOCK:
            longest = f"this line is longer than {shown(BLOCK)}"
            raise source.refused(longest, line=number, hint="look for a quote that is not closed, or for line ends")
        yield from io.StringIO(_decoded(source, line, number), newline="")


def _rows(
    source: Source, text: Iterable[str], delimiter: str, most: int | None = None, above: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of each row that is not blank, `above` lines below the first."""
    lines = iter(text)
    for _ in range(above):
        next(lines, None)
    reader = rows_of_text.reader(lines, delimiter=delimiter, strict=True)
    count = 0
    try:
        for row in reader:
            if row:
                yield above + reader.line_num, row
                count += 1
            if count == most:
                return
    except rows_of_text.Error as error:
        hint = 'look for a " that is not closed; one within quotes is written twice'
        line = above + reader.line_num
        raise source.refused(f"cannot be split into fields ({error})", line=line, hint=hint) from None


@dataclass(frozen=True)
class _Table:
    """`line` is that of the header, or the one above the first row; `sample` are the first rows."""

    source: Source
    delimiter: str
    choices: ColumnChoices
    names: list[str]
    sample: list[list[str]]
    text: str
    line: int
    headed: bool = True

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
            raise _not_in(self.source, error) from None
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
        """How the numbers of each column are written."""
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
            raise _not_in(self.source, error) from None

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
            lines = _text_lines(self.source, stream)
            yield from (row for row in _rows(self.source, lines, self.delimiter) if row[0] >= self.line)

    def _explained(self, plain: Collection[str], error: pa.ArrowInvalid) -> InputRefused:
        """The first place that Arrow cannot have liked: read again, slowly, row by row."""
        numbers = [(place, name) for place, name in enumerate(self.names) if name in plain]
        for line, row in self._lines():
            if len(row) != len(self.names):
                return _of_other_length(self.source, line, row, len(self.names), self.delimiter)
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
    if all(map(_WHOLE.fullmatch, seen)):
        return "text" if any(map(_LEADING_ZERO.fullmatch, seen)) else "whole"
    if all(text in (*TRUE, *FALSE) for text in seen):
        return "flag"
    return "number" if all_numbers(seen, notation) or other_notation(seen, notation) else "text"
