"""The result of a reader: the kinds of a table's columns and, for the columns that are wanted, an Arrow table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from rnncli.data.limits import Limits, Size
from rnncli.errors import InputRefused

Kind = Literal["time", "whole", "number", "text", "flag", "empty", "other"]
Look = Literal["dates", "dateish", "clock", "numbers"]
NUMERIC = ("whole", "number", "flag")
CELLS = ("csv", "tsv", "xlsx", "xls", "ods")  # formats whose cells are read as texts
WORDED = ("jsonl", "ndjson")  # and those that have texts where types have times
UNTYPED = (*CELLS, *WORDED)


@dataclass(frozen=True)
class Opened:
    """A table of which only the head was looked at.

    `kinds` says what each column seems to be. `read` is given how each wanted column is to be read ("number" or
    "text") and returns these columns. `line_of` is the line of a row (the first is row 0), 0 where rows have no lines.
    `size` is that of some columns: where it is more than the limits, it may say less than there is.

    `looks` says more of some columns: "dates" are whole numbers that are dates, "dateish" is what is called or written
    like a time that nobody knows, "clock" times of day, "numbers" texts of which most are numbers. `styles` is how
    times are written where that is not ISO's way, `marks` the currencies and percent signs of columns. `number` is what
    a text in a column is: a number, or why it is none (without its place); None where numbers are no texts. `pieces`
    are a column whose cells are large, some rows at a time; None where all is in memory anyhow. `batches` are wanted
    columns, so many rows at a time, each with the name of its file; None where they cannot be had so. `place` is where
    a row is, for what is in several files. `types` are those of columns that have one in all rows, where `batches` can
    be had.
    """

    kinds: Mapping[str, Kind]
    read: Callable[[Mapping[str, Kind]], pa.Table]
    line_of: Callable[[int], int]
    size: Callable[[Collection[str], Limits], Size]
    looks: Mapping[str, Look] = field(default_factory=dict)
    styles: Mapping[str, str] = field(default_factory=dict)
    number: Callable[[str, str], float | InputRefused] | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    place: Callable[[int], str] | None = None
    pieces: Callable[[str], Iterator[pa.Array]] | None = None
    batches: Callable[[Mapping[str, Kind], int], Iterator[tuple[str, pa.Table]]] | None = None
    types: Mapping[str, pa.DataType] = field(default_factory=dict)


def column_pieces(opened: Opened, name: str) -> Iterator[pa.Array]:
    """A column, some rows at a time. InputRefused if the file is damaged."""
    if opened.pieces is not None:
        return opened.pieces(name)
    return iter(opened.read({name: opened.kinds[name]}).column(name).chunks)


def repeated(names: Sequence[str]) -> str | None:
    """The first name that comes twice."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def kind_of(field: pa.DataType) -> Kind:
    """The kind of a column of an Arrow type."""
    types = pa.types
    if types.is_dictionary(field):
        return kind_of(field.value_type)
    for kind, tests in _KINDS.items():
        if any(getattr(types, test)(field) for test in tests):
            return kind
    return "other"


_KINDS: dict[Kind, tuple[str, ...]] = {
    "time": ("is_timestamp", "is_date"),
    "whole": ("is_integer",),
    "number": ("is_floating", "is_decimal"),
    "text": (
        *("is_string", "is_large_string", "is_string_view"),
        *("is_binary", "is_large_binary", "is_binary_view", "is_fixed_size_binary"),  # as some writers store text
    ),
    "flag": ("is_boolean",),
    "empty": ("is_null",),
}
