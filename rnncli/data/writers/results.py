"""A table of results as writers take it, in types or as texts, and how it was asked for to be written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
import pyarrow as pa

from rnncli.arrays import Floats
from rnncli.data import arrow
from rnncli.data.readers.table import kind_of
from rnncli.data.writers.table import null_where, number_array, text_array
from rnncli.errors import InputRefused
from rnncli.registry import WRITERS, find

Write = Callable[[str], str]
DIGITS, USUAL = 17, 12  # significant digits: of a float64 at most, and those that texts have unless more are asked for


class StyleOptions(TypedDict, total=False):
    """The fields of a `Style`, as keywords."""

    tidy: bool
    raw: bool
    wide: bool
    separator: str | None
    decimal: str | None
    digits: int | None


@dataclass(frozen=True)
class Style:
    """How a table was asked for: `tidy` or `wide`, in CSV with other marks, `raw` (nothing is escaped that a
    spreadsheet would run), and numbers of so many significant `digits` (None: as many as is
    usual in the format).
    """

    tidy: bool = False
    raw: bool = False
    wide: bool = False
    separator: str | None = None
    decimal: str | None = None
    digits: int | None = None


@dataclass(frozen=True)
class Results:
    """Rows in parts, with the same columns in each: `typed`, times and numbers in their types; and as `texts`, times in
    the style of the data and every cell of `worded` columns written by a function, which escapes what it must.

    `lists` are rows as texts in which lists stay lists, for formats that have them (None: there are none). Columns in
    `bare` are numbers, though they are texts. `long` results may be more than what fits into memory, and are made part
    by part.

    `identity` are the columns that tell each row from those of other data, and `origins` is a column beside them, the
    last time of the data that each row was made from, as times are in `texts` if it is given True; None where rows
    have none.
    """

    typed: Callable[[], Iterator[pa.Table]] = field(repr=False)
    texts: Callable[[Write], Iterator[pa.Table]] = field(repr=False)
    worded: Collection[str] = ()
    bare: Collection[str] = ()
    long: bool = False
    lists: Callable[[], Iterator[pa.Table]] | None = None
    identity: tuple[str, ...] = ()
    origins: Callable[[bool], pa.Array] | None = field(default=None, repr=False)


def of_table(table: pa.Table, plain: Collection[str] | None = None) -> Results:
    """The results that are in a table, of which columns in `plain` hold no words (None: those that are no texts)."""
    if plain is None:
        plain = [column.name for column in table.schema if kind_of(column.type) != "text"]
    worded = [name for name in table.column_names if name not in plain]
    return Results(lambda: iter([table]), lambda write: iter([with_texts(table, worded, write)]), worded)


def pieces(results: Results, format: str, style: Style) -> Iterator[bytes]:  # noqa: A002  # as users call it
    """The bytes of a file of this format, piece by piece. UsageError if there is none, InputRefused for what it cannot
    hold.
    """
    found: Iterator[bytes] = find(WRITERS, format, "format")(results, style)
    return found


def with_texts(table: pa.Table, names: Iterable[str], write: Write) -> pa.Table:
    """The table with each text of some columns written by a function; a cell that is null stays null."""
    for name in names:
        place = table.column_names.index(name)
        column = table.column(place)
        if kind_of(column.type) == "text":
            table = table.set_column(place, name, _written(column, name, write))
    return table


def _written(column: pa.ChunkedArray, name: str, write: Write) -> pa.Array:
    try:
        codes, texts = arrow.codes(column)
    except TypeError as error:
        raise InputRefused(
            f"column {name!r} is of type {error}, which is no text", hint="name a file that ends in .parquet"
        ) from None
    made = text_array([*map(write, texts), ""], codes)
    return made if not column.null_count else null_where(made, codes < 0)


def rounded(table: pa.Table, digits: int | None) -> pa.Table:
    """The table with its fractions to so many significant digits; the same one where that is all of them."""
    if digits is None or digits >= DIGITS:
        return table
    for place, column in enumerate(table.columns):
        if pa.types.is_floating(column.type):
            values = significant(arrow.floats(column), digits).astype(np.dtype(f"f{column.type.bit_width // 8}"))
            made = number_array(values, column.type)
            made = made if not column.null_count else null_where(made, ~arrow.observed(column))
            table = table.set_column(place, table.column_names[place], made)
    return table


def significant(values: Floats, digits: int) -> Floats:
    """Numbers to so many significant digits, each the float64 nearest to the decimal number."""
    found, usual = values.copy(), np.isfinite(values) & (values != 0)
    with np.errstate(over="ignore", under="ignore"):
        shift = digits - 1 - np.floor(np.log10(np.abs(values[usual]))).astype(np.int64)
    near = (np.abs(shift) <= _EXACT) & (digits <= _SURE)
    found[np.flatnonzero(usual)[near]] = _shifted(values[usual][near], shift[near])
    for place in np.flatnonzero(usual)[~near]:
        found[place] = float(f"{values[place]:.{digits - 1}e}")
    return found


_EXACT, _SURE = 22, 14  # powers of ten up to this one are float64; digits for which a product is exact enough


def _shifted(values: Floats, shift: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Numbers rounded to so many places after the point: whole numbers, and powers of ten, are exact."""
    power = 10.0 ** np.abs(shift)
    return np.where(shift >= 0, np.rint(values * power) / power, np.rint(values / power) * power)
