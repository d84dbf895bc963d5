"""Forecasts as JSON lines: one object a row, with the names and the time style of the CSV file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa

from rnncli.data.writers.table import ForecastTable, arrow_table, text_array

_ROWS_AT_ONCE = 65_536


def encode(table: ForecastTable, *, tidy: bool = False, raw: bool = False) -> bytes:
    """The JSON lines; `raw` changes nothing, for nothing is ever escaped here. Numbers that are not finite are null."""
    del raw
    style, clock = (None if text is None else _escaped(text) for text in _styles(table))
    columns = dataclasses.replace(table.columns, time_format=style, clock_format=clock)
    escaped = dataclasses.replace(table, columns=columns).with_ids(_escaped)
    rows = arrow_table(escaped, tidy=tidy, as_text=True)
    quotes = ['"' if _is_text(field, table) else "" for field in rows.schema]
    keys = [f'"{_escaped(name)}": {quote}' for name, quote in zip(rows.column_names, quotes, strict=True)]
    separators = ["{" + keys[0], *(f"{a}, {b}" for a, b in zip(quotes, keys[1:], strict=False)), quotes[-1] + "}\n"]
    return b"".join(_lines(batch, separators) for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE))


def _styles(table: ForecastTable) -> tuple[str | None, str | None]:
    return table.columns.time_format, table.columns.clock_format


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


def _is_text(field: pa.Field, table: ForecastTable) -> bool:
    """Whole-number times are numbers; every other column that is text in CSV is text."""
    is_time = field.name in (table.columns.time, "time") and field.name not in table.id_columns
    numbers = table.calendar.counts or table.columns.time_type == "number"
    return not pa.types.is_floating(field.type) and not (is_time and numbers)
