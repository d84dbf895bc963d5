"""Forecasts as CSV: UTF-8, comma, a header line, numbers in the fewest digits that give the same float64 again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyarrow import csv

from rnncli.data.readers.table import kind_of
from rnncli.data.writers.table import ForecastTable, arrow_table, text_array
from rnncli.errors import InputRefused

_WOULD_RUN = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_ROWS_AT_ONCE = 65_536
_NEEDS_QUOTES = re.compile('[",\r\n]')


def encode(table: ForecastTable, *, tidy: bool = False, raw: bool = False) -> bytes:
    """The CSV file. Text that a spreadsheet would run as a formula gets a ' in front, unless `raw`."""
    rows = arrow_table(table if raw else table.with_ids(defused), tidy=tidy, as_text=True)
    names = rows.column_names if raw else [defused(name) for name in rows.column_names]
    texts = [*table.ids, table.columns.time_format or "", table.columns.clock_format or ""]
    style = "needed" if any(map(_NEEDS_QUOTES.search, texts)) else "none"
    options = csv.WriteOptions(include_header=False, quoting_style=style, batch_size=16_384)
    parts: list[bytes | pa.Buffer] = [(",".join(map(_quoted, names)) + "\n").encode()]
    for begin in range(0, rows.num_rows, _ROWS_AT_ONCE):  # one buffer would grow to twice what is in it
        sink = pa.BufferOutputStream()
        csv.write_csv(rows.slice(begin, _ROWS_AT_ONCE), sink, options)
        parts.append(sink.getvalue())
    del rows
    return b"".join(parts)


def encode_rows(rows: pa.Table, plain: Collection[str], *, raw: bool = False) -> bytes:
    """Any table as CSV; what is not in `plain` columns, which hold numbers and times, is escaped unless `raw`.

    InputRefused naming a column that has no text.
    """
    return b"".join(pieces_of([rows], plain, raw=raw))


def pieces_of(tables: Iterable[pa.Table], plain: Collection[str], *, raw: bool = False) -> Iterator[bytes]:
    """Tables with the same columns as one CSV, as `encode_rows` writes it, piece by piece."""
    for number, rows in enumerate(tables):
        if not number:
            names = [name if raw else defused(name) for name in rows.column_names]
            yield (",".join(map(_quoted, names)) + "\n").encode()
        yield from _lines_of(rows, plain, raw=raw)


def _lines_of(rows: pa.Table, plain: Collection[str], *, raw: bool) -> Iterator[bytes]:
    from pyarrow import compute  # slow to import, and forecasts do without

    cells = pa.table(
        [_cells(rows.column(name), name, raw=raw or name in plain) for name in rows.column_names], rows.column_names
    )
    comma, end, nothing = text_array([",", "\n", ""], np.arange(3)).cast(pa.large_string())
    for batch in cells.to_batches(max_chunksize=_ROWS_AT_ONCE):
        lines = compute.binary_join_element_wise(*batch.columns, comma)
        lines = compute.binary_join_element_wise(lines, end, nothing)
        yield "".join(lines.to_pylist()).encode()


def _cells(column: pa.ChunkedArray, name: str, *, raw: bool) -> pa.ChunkedArray:
    """Texts as they are written in a line, nothing where a value is null."""
    from pyarrow import compute

    nothing = text_array([""], np.arange(1)).cast(pa.large_string())[0]
    try:
        texts = (column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column).cast(pa.large_string())
    except pa.ArrowNotImplementedError:
        raise InputRefused(
            f"column {name!r} is of type {column.type}, which CSV cannot hold", hint="name a file that ends in .parquet"
        ) from None
    if kind_of(column.type) == "text":
        coded = texts.dictionary_encode().unify_dictionaries().combine_chunks()
        coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
        different = [_quoted(text if raw else defused(text)) for text in coded.dictionary.to_pylist()]
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name
