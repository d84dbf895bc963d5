"""CSV and TSV: a header line, and an explicit type for every column that is read, so that ids stay text.

Above the header may stand `sep=;`, as Excel writes and reads it, and comments that begin with #.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass, replace
from typing import Any

from rnncli.data.limits import Limits, limits_of, shown
from rnncli.data.numbertext import (
    MISSING,
)
from rnncli.data.readers.csv_lines import (
    MARK,
    decoded,
    in_fields,
    not_in,
    of_other_length,
    rows_of,
)
from rnncli.data.readers.csv_table import WHOLE, Table, kind_of_texts
from rnncli.data.readers.table import Opened, repeated
from rnncli.data.source import Source, storage_error
from rnncli.errors import UsageError
from rnncli.spec import ColumnChoices

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1 << 18  # bytes from which kinds are guessed
SAMPLE_ROWS = 2_000
_LINES_LOOKED_AT = 20  # for a delimiter, where the header has none
LONGEST_HEADER = 16 << 20  # bytes
_OTHER_FILES = (
    (b"PAR1", "a Parquet file", "say --format parquet"),
    (b"PK\x03\x04", "a zip archive or a workbook", "of a workbook say --format xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "say --format xls"),
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
    (b"ARROW1", "an Arrow file", "say --format arrow"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "say --format arrows"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"\x80\x04", "a pickle, which is never read", "write the table as CSV or Parquet"),
)
_CELLS = ("time", "whole", "number")


_SEPARATOR_LINE = re.compile(r"sep=(?P<mark>.)\r?\n", re.IGNORECASE)


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open a comma-separated file (or ; tab | where the header, or the user, says so)."""
    return _Text(_decoding(source, choices), choices.separator, choices).opened()


def read_cells(source: Source, choices: ColumnChoices, exact: frozenset[str]) -> Opened:
    """Open the cells of a sheet, of which columns are `exact` as those of a table are."""
    return _Text(source, ",", replace(choices, encoding=None), exact).opened()


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


@dataclass(frozen=True)
class _Text:
    source: Source
    delimiter: str | None
    choices: ColumnChoices
    exact: frozenset[str] = frozenset()

    def opened(self) -> Opened:
        sample = self._sample()
        above = _Above.of(sample)
        delimiter = self.delimiter or above.delimiter or _delimiter(sample, above.lines)
        rows = list(rows_of(self.source, io.StringIO(sample, newline=""), delimiter, SAMPLE_ROWS, above.lines))
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
        table = Table(self.source, delimiter, self.choices, names, found, sample, line, headed, self.exact)
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
            raise not_in(self.source, error) from None
        if not head.removeprefix(MARK).strip():
            raise self.source.refused("the file is empty", hint="a CSV file has a header line and rows")
        for start, what, hint in _OTHER_FILES:
            if head.startswith(start):
                raise self.source.refused(f"this is {what}", hint=hint or "give a table as CSV or Parquet")
        if b"\n" in head and len(head) >= SAMPLE:
            head = head[: head.rindex(b"\n") + 1]
        return decoded(self.source, head)

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
    whole = [int(text) for text in numbers if WHOLE.fullmatch(text)]
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
        f"the table seems to begin below: this line has {in_fields(widths[0])}, and line {rows[begin][0]} has {usual}",
        line=rows[0][0],
        hint=f"take the lines above line {rows[begin][0]} away, or begin them with #",
    )


def _is_header(row: list[str]) -> bool:
    return all(kind_of_texts([name.strip()]) == "text" for name in row)


def _refuse_longer(source: Source, rows: list[tuple[int, list[str]]], delimiter: str) -> None:
    """InputRefused for the first row with more fields than the header."""
    names = rows[0][1]
    for line, row in rows[1:]:
        if len(row) > len(names):
            raise of_other_length(source, line, row, len(names), delimiter)
