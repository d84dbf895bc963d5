"""The lines of a CSV file as text, and their fields: decoded, split, and refused with their place."""

from __future__ import annotations

import csv as rows_of_text
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from rnncli.data.limits import shown
from rnncli.data.source import Source
from rnncli.errors import InputRefused

BLOCK = 4 << 20  # bytes; a single field may be as long
MARK = b"\xef\xbb\xbf"  # with which some editors begin UTF-8
_DIGITS = re.compile(r"\s*[+-]?\d+\s*")


def decoded(source: Source, data: bytes, first: int = 1) -> str:
    """Text whose first line has this number."""
    try:
        text = (data.removeprefix(MARK) if first == 1 else data).decode()
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


def not_in(source: Source, error: UnicodeError) -> InputRefused:
    """The error about a file that is not in the encoding that was said."""
    return source.refused(f"the text is not in {source.encoding} ({error})", hint="say what it is: --encoding NAME")


def in_fields(count: int) -> str:
    """A number of fields in words."""
    return f"{count} field{'s' * (count != 1)}"


def of_other_length(source: Source, line: int, row: list[str], width: int, delimiter: str) -> InputRefused:
    """The error about a row that has not as many fields as the header."""
    hint = "quote fields that hold a delimiter"
    if delimiter == "," and any(map(_is_split, row, row[1:])):
        hint = 'a number with a decimal comma is written in quotes, "1,5" with --decimal , or in a file separated by ;'
    if len(row) < width:
        hint = "the line is cut off, or is no row of the table: complete it or take it out"
    return source.refused(f"this row has {in_fields(len(row))}, the header {width}", line=line, hint=hint)


def _is_split(one: str, other: str) -> bool:
    """Whether two fields are one number with a comma in it."""
    return bool(_DIGITS.fullmatch(one) and other.strip().isdecimal())


def text_lines(source: Source, stream: Any) -> Iterator[str]:
    """The lines of a file, one in memory at a time."""
    reader = io.BufferedReader(stream) if isinstance(stream, pa.NativeFile) else stream
    for number, line in enumerate(iter(lambda: reader.readline(BLOCK + 1), b""), 1):
        if len(line) > BLOCK:
            longest = f"this line is longer than {shown(BLOCK)}"
            raise source.refused(longest, line=number, hint="look for a quote that is not closed, or for line ends")
        yield from io.StringIO(decoded(source, line, number), newline="")


def rows_of(
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
