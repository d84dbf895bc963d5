"""Tables as JSON lines: one object a row, with the names and the time style of the CSV file."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from rnncli.data.readers.table import kind_of
from rnncli.data.writers.results import USUAL, Results, Style, rounded, with_texts
from rnncli.data.writers.table import text_array

_ROWS_AT_ONCE = 65_536


def encode(results: Results, style: Style) -> Iterator[bytes]:
    """The JSON lines, piece by piece; nothing is escaped for spreadsheets. Numbers that are not finite are null."""
    for part in results.texts(str) if results.lists is None else results.lists():
        rows = rounded(part, style.digits or USUAL)
        if all(_is_simple(column) for column in rows.columns):
            yield from _quick(rows, results.bare)
        else:
            yield "".join(_line(row, results.bare) for row in rows.to_pylist()).encode()


def _is_simple(column: pa.ChunkedArray) -> bool:
    kind = column.type
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return not column.null_count and bool(texts or pa.types.is_float64(kind) or pa.types.is_integer(kind))


def _quick(rows: pa.Table, bare: Collection[str]) -> Iterator[bytes]:
    """Lines of texts and numbers, joined by Arrow."""
    words = [column.name for column in rows.schema if kind_of(column.type) == "text"]
    rows = with_texts(rows, words, _escaped)
    quotes = ['"' if name in words and name not in bare else "" for name in rows.column_names]
    keys = [f'"{_escaped(name)}": {quote}' for name, quote in zip(rows.column_names, quotes, strict=True)]
    separators = ["{" + keys[0], *(f"{a}, {b}" for a, b in zip(quotes, keys[1:], strict=False)), quotes[-1] + "}\n"]
    return (_lines(batch, separators) for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE))


def _lines(batch: pa.RecordBatch, separators: list[str]) -> bytes:
    from pyarrow import compute  # slow to import, and the other writers do without

    null, nothing, *between = _scalars(["null", "", *separators])
    pieces = [between[0]]
    for column, separator in zip(batch.columns, between[1:], strict=True):
        text = column.cast(pa.large_string())
        if pa.types.is_floating(column.type):
            text = compute.if_else(compute.is_finite(column), text, null)
        pieces += [text, separator]
    return "".join(compute.binary_join_element_wise(*pieces, nothing).to_pylist()).encode()


def _scalars(texts: list[str]) -> list[pa.Scalar]:
    return list(text_array(texts, np.arange(len(texts))).cast(pa.large_string()))  # pa.scalar would import pandas


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _line(row: dict[str, Any], bare: Collection[str]) -> str:
    found = {name: int(value) if name in bare and value is not None else value for name, value in row.items()}
    return json.dumps(_finite(found), ensure_ascii=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
