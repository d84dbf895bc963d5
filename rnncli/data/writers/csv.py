"""Tables as CSV: UTF-8, a header line, by default commas and points, numbers in the fewest digits that say them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from rnncli.data.readers.table import kind_of
from rnncli.data.writers.results import USUAL, Results, Style, rounded
from rnncli.data.writers.table import text_array
from rnncli.errors import InputRefused

_WOULD_RUN = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_ROWS_AT_ONCE = 65_536


def encode(results: Results, style: Style) -> Iterator[bytes]:
    """The CSV file, piece by piece. Text that a spreadsheet would run as a formula gets a ' in front, unless `raw`.

    InputRefused naming a column that has no text.
    """
    separator = style.separator or ("," if style.decimal != "," else ";")
    for number, rows in enumerate(results.texts(str if style.raw else defused)):
        if not number:
            names = [name if style.raw else defused(name) for name in rows.column_names]
            yield (separator.join(_quoted(name, separator) for name in names) + "\n").encode()
        cells = rounded(rows, style.digits or USUAL)
        quick = style.decimal in (None, ".") and all(map(_is_simple, rows.schema))
        yield from (_quick if quick else _lines)(cells, separator, style.decimal or ".")


def _is_simple(column: pa.Field) -> bool:
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_floating, pa.types.is_integer)
    return any(of(column.type) for of in kinds)


def _quick(rows: pa.Table, separator: str, decimal: str) -> Iterator[bytes]:
    """The lines as Arrow writes them, or, where a text must be quoted, as `_lines` does."""
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="none", batch_size=16_384, delimiter=separator)
    for begin in range(0, rows.num_rows, _ROWS_AT_ONCE):  # one buffer would grow to twice what is in it
        sink, some = pa.BufferOutputStream(), rows.slice(begin, _ROWS_AT_ONCE)
        try:
            csv.write_csv(some, sink, options)
        except pa.ArrowInvalid:
            yield from _lines(some, separator, decimal)
        else:
            yield sink.getvalue().to_pybytes()


def _lines(rows: pa.Table, separator: str, decimal: str) -> Iterator[bytes]:
    from pyarrow import compute  # slow to import, and most forecasts do without

    columns = [_cells(rows.column(name), name, separator, decimal) for name in rows.column_names]
    cells = pa.table(columns, rows.column_names)
    between, end, nothing = text_array([separator, "\n", ""], np.arange(3)).cast(pa.large_string())
    for batch in cells.to_batches(max_chunksize=_ROWS_AT_ONCE):
        lines = compute.binary_join_element_wise(*batch.columns, between)
        lines = compute.binary_join_element_wise(lines, end, nothing)
        yield "".join(lines.to_pylist()).encode()


def _cells(column: pa.ChunkedArray, name: str, separator: str, decimal: str) -> pa.ChunkedArray:
    """Texts as they are written in a line, nothing where a value is null."""
    from pyarrow import compute

    nothing = text_array([""], np.arange(1)).cast(pa.large_string())[0]
    try:
        texts = (column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column).cast(pa.large_string())
    except pa.ArrowNotImplementedError:
        raise InputRefused(
            f"column {name!r} is of type {column.type}, which CSV cannot hold", hint="name a file that ends in .parquet"
        ) from None
    if kind_of(column.type) == "number" and decimal != ".":
        texts = compute.replace_substring(texts, ".", decimal)
    if kind_of(column.type) == "text":
        coded = texts.dictionary_encode().unify_dictionaries().combine_chunks()
        coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
        different = [_quoted(text, separator) for text in coded.dictionary.to_pylist()]
        cells = text_array(different, np.arange(len(different))).cast(pa.large_string()).take(coded.indices)
        texts = pa.chunked_array([cells])
    return compute.fill_null(texts, nothing)


def defused(text: str) -> str:
    """The text as a spreadsheet will show it and not run it; plain signed numbers stay as they are.

    What already has a ' before such a text gets another, so that no two texts become one.
    """
    return f"'{text}" if text.lstrip("'").startswith(_WOULD_RUN) and not _NUMBER.fullmatch(text) else text


def undefused(text: str) -> str:
    """The inverse of `defused`."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_WOULD_RUN) else text


def _quoted(text: str, separator: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ('"', "\r", "\n", separator)) else text
