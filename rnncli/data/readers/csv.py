"""CSV and TSV: UTF-8, a header line, and an explicit type for every column that is read, so that ids stay text."""

from __future__ import annotations

import csv as rows_of_text
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.data.limits import VALUE, Limits, Size, limits_of, shown
from rnncli.data.readers.table import Kind, Opened, repeated
from rnncli.data.source import Source, storage_error
from rnncli.data.timetext import looks_like_time
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices

MISSING = ("", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "#N/A")
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1 << 18  # bytes from which kinds are guessed
SAMPLE_ROWS = 2_000
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
    (b"\xff\xfe\0\0", "UTF-32, not UTF-8", "convert it: iconv -f UTF-32 -t UTF-8"),
    (b"\xff\xfe", "UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16, not UTF-8", "convert it: iconv -f UTF-16 -t UTF-8"),
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


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open a comma-separated file (or ; tab | where the header says so)."""
    return _Text(source, None, choices).opened()


def read_tsv(source: Source, choices: ColumnChoices) -> Opened:
    """Open a tab-separated file."""
    return _Text(source, "\t", choices).opened()


@dataclass(frozen=True)
class _Text:
    source: Source
    delimiter: str | None
    choices: ColumnChoices

    def opened(self) -> Opened:
        sample = self._sample()
        delimiter = self.delimiter or _delimiter(sample)
        names = _header(self.source, sample, delimiter, limits_of(self.choices))
        rows = _parsed(self.source, sample, delimiter, names)
        table = _Table(self.source, delimiter, self.choices.decimal, names, rows, sample)
        return Opened(table.kinds, table.read, table.line_of, table.size)

    def _sample(self) -> str:
        """The first lines, whole; InputRefused if they are not text in UTF-8."""
        try:
            with self.source.open() as stream:
                head = stream.read(SAMPLE)
                if len(head) == SAMPLE and b"\n" not in head:
                    head += self._rest_of_header(stream)
        except OSError as error:
            raise storage_error(self.source, error) from error
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
            "the text is not UTF-8", line=line, hint="convert it, for example: iconv -f LATIN1 -t UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + first
        hint = "remove it; if the text is UTF-16: iconv -f UTF-16LE -t UTF-8"
        raise source.refused("there is a NUL character", line=line, hint=hint)
    return text


def _delimiter(sample: str) -> str:
    header = sample.split("\n", 1)[0]
    return max(DELIMITERS, key=header.count)  # the first of equals, so a single column is fine


def _header(source: Source, sample: str, delimiter: str, limits: Limits) -> list[str]:
    """Names of the columns."""
    names = next(row for _, row in _rows(source, io.StringIO(sample, newline=""), delimiter, 1))
    limits.check_columns(len(names), f"{source.name}:1")
    if len(names) > 1 and all(kind_of_texts([name.strip()]) in _CELLS for name in names):
        raise source.refused(
            "the first line is a row, not a header", line=1, hint="put the columns' names above it: ds,y"
        )
    if any(not name.strip() for name in names) and len(names) == 1:
        raise source.refused("the first line has no column names", line=1)
    twice = repeated(names)
    if twice is not None:
        place = len(names) - names[::-1].index(twice)
        raise source.refused(f"two columns are called {twice!r}", line=1, column=place, hint="rename one of them")
    return names


def _parsed(source: Source, sample: str, delimiter: str, names: list[str]) -> list[list[str]]:
    """The first rows as text."""
    rows = [row for _, row in _rows(source, io.StringIO(sample, newline=""), delimiter, SAMPLE_ROWS)]
    if len(rows) == 1:
        raise source.refused("there is a header but no row", hint="a CSV file has a header line and rows")
    return [row for row in rows[1:] if len(row) == len(names)]


def _text_lines(source: Source, stream: Any) -> Iterator[str]:
    """The lines of a file, one in memory at a time."""
    reader = io.BufferedReader(stream) if isinstance(stream, pa.NativeFile) else stream
    for number, line in enumerate(iter(lambda: reader.readline(BLOCK + 1), b""), 1):
        if len(line) > BLOCK:
            longest = f"this line is longer than {shown(BLOCK)}"
            raise source.refused(longest, line=number, hint="look for a quote that is not closed, or for line ends")
        yield from io.StringIO(_decoded(source, line, number), newline="")


def _rows(
    source: Source, text: Iterable[str], delimiter: str, most: int | None = None
) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of each row that is not blank."""
    reader = rows_of_text.reader(text, delimiter=delimiter, strict=True)
    count = 0
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
                count += 1
            if count == most:
                return
    except rows_of_text.Error as error:
        hint = 'look for a " that is not closed; one within quotes is written twice'
        raise source.refused(f"cannot be split into fields ({error})", line=reader.line_num, hint=hint) from None


@dataclass(frozen=True)
class _Table:
    source: Source
    delimiter: str
    decimal: str
    names: list[str]
    sample: list[list[str]]
    text: str

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
        return self._size(*counted, len(wanted))

    def _size(self, rows: int, bytes_: int, wanted: int) -> Size:
        return Size(rows, bytes_, rows * wanted * VALUE)

    @property
    def _bytes_a_row(self) -> int:
        return max(2, len(self.text) // max(1, self.text.count("\n") + 1))

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        columns = zip(*self.sample, strict=True) if self.sample else [()] * len(self.names)
        stripped = {name: [text.strip() for text in texts] for name, texts in zip(self.names, columns, strict=True)}
        kinds = {name: kind_of_texts(texts, self.decimal) for name, texts in stripped.items()}
        if not {"time", "whole"} & set(kinds.values()):  # then a time that cannot be read is better named
            kinds |= {
                name: "time" for name, texts in stripped.items() if kinds[name] == "text" and _mostly_times(texts)
            }
        return kinds

    def read(self, wanted: Mapping[str, Kind]) -> pa.Table:
        from pyarrow import csv

        text = pa.dictionary(pa.int32(), pa.string())
        types = {name: _type(self.kinds[name]) if kind == "number" else text for name, kind in wanted.items()}
        convert = csv.ConvertOptions(
            column_types=types,
            include_columns=list(wanted),
            null_values=list(MISSING),
            true_values=[*TRUE, "1"],
            false_values=[*FALSE, "0"],
            strings_can_be_null=False,
            decimal_point=self.decimal,
        )
        parse = csv.ParseOptions(delimiter=self.delimiter)
        options = csv.ReadOptions(block_size=BLOCK, column_names=self.names, skip_rows=1)
        try:
            with self.source.open() as stream:
                return csv.read_csv(stream, options, parse, convert)
        except pa.ArrowInvalid as error:
            raise self._explained(wanted, error) from error
        except OSError as error:
            raise storage_error(self.source, error) from error

    def line_of(self, row: int) -> int:
        lines = self._line_numbers
        return row + 2 if lines is None else lines[row + 1] if row + 1 < len(lines) else 0

    @cached_property
    def _line_numbers(self) -> list[int] | None:
        """The line of each row, the header first; None where every line is a row."""
        with self.source.open() as stream:
            data = stream.read()
        if b'"' not in data and not _BLANK.search(data):
            return None
        return [line for line, _ in self._lines()]

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        with self.source.open() as stream:
            yield from _rows(self.source, _text_lines(self.source, stream), self.delimiter)

    def _explained(self, wanted: Mapping[str, Kind], error: pa.ArrowInvalid) -> InputRefused:
        """The first place that Arrow cannot have liked: read again, slowly, row by row."""
        numbers = [(place, name) for place, name in enumerate(self.names) if wanted.get(name) == "number"]
        for line, row in self._lines():
            if len(row) != len(self.names):
                counts = f"this row has {len(row)} field{'s' * (len(row) != 1)}, the header {len(self.names)}"
                hint = "quote fields that hold a delimiter"
                if len(row) < len(self.names):
                    hint = "the line is cut off, or is no row of the table: complete it or take it out"
                return self.source.refused(counts, line=line, hint=hint)
            for place, name in numbers:
                if line > 1 and not self._fits(row[place].strip(), name):
                    return self._not_a_number(row[place], name, line, place + 1)
        return self.source.refused(f"cannot be read as CSV: {str(error).splitlines()[0]}")

    def _fits(self, text: str, name: str) -> bool:
        """Whether a column of numbers, or of true and false, can hold this."""
        return text in (*MISSING, *TRUE, *FALSE, "0", "1") if self._flags(name) else _is_number(text, self.decimal)

    def _flags(self, name: str) -> bool:
        return self.kinds[name] == "flag"

    def _not_a_number(self, text: str, name: str, line: int, column: int) -> InputRefused:
        other = "," if self.decimal == "." else "."
        hint = "write numbers like 1234.5, and leave missing values empty"
        if _is_number(text.strip(), other):
            hint = f"for a decimal {'comma' if other == ',' else 'point'}: --decimal {other}"
        what = "neither true nor false, as the rows before" if self._flags(name) else "not a number"
        return self.source.refused(f"{text[:40]!r} in column {name!r} is {what}", line=line, column=column, hint=hint)


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


def _is_number(text: str, decimal: str) -> bool:
    if text in MISSING:
        return True
    if decimal != ".":
        if "." in text:
            return False
        text = text.replace(decimal, ".")
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text.isascii()


def _type(kind: Kind) -> pa.DataType:
    return pa.bool_() if kind == "flag" else pa.float64()


def _mostly_times(texts: list[str]) -> bool:
    return sum(looks_like_time([text]) for text in texts) > len(texts) / 2


def kind_of_texts(texts: list[str], decimal: str = ".") -> Kind:
    """What a column of such texts is; numbers with leading zeros are names."""
    seen = [text for text in texts if text not in MISSING]
    if not seen:
        return "empty"
    if looks_like_time(seen):
        return "time"
    if all(map(_WHOLE.fullmatch, seen)):
        return "text" if any(map(_LEADING_ZERO.fullmatch, seen)) else "whole"
    if all(text in (*TRUE, *FALSE) for text in seen):
        return "flag"
    return "number" if all(_is_number(text, decimal) for text in seen) else "text"
