"""Forecasts as CSV: UTF-8, comma, a header line, numbers in the fewest digits that give the same float64 again."""

from __future__ import annotations

import dataclasses
import re

import pyarrow as pa
from pyarrow import csv

from rnncli.data.writers.table import ForecastTable, arrow_table

_WOULD_RUN = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_NEEDS_QUOTES = re.compile('[",\r\n]')


def encode(table: ForecastTable, *, tidy: bool = False, raw: bool = False) -> bytes:
    """The CSV file. Text that a spreadsheet would run as a formula gets a ' in front, unless `raw`."""
    ids = table.ids if raw else tuple(map(defused, table.ids))
    rows = arrow_table(dataclasses.replace(table, ids=ids), tidy=tidy, as_text=True)
    names = rows.column_names if raw else [defused(name) for name in rows.column_names]
    texts = [*ids, *(text for text in (table.columns.time_format,) if text)]
    style = "needed" if any(map(_NEEDS_QUOTES.search, texts)) else "none"
    options = csv.WriteOptions(include_header=False, quoting_style=style, batch_size=16_384)
    sink = pa.BufferOutputStream()
    sink.write((",".join(map(_quoted, names)) + "\n").encode())
    csv.write_csv(rows, sink, options)
    return bytes(sink.getvalue())


def defused(text: str) -> str:
    """The text as a spreadsheet will show it and not run it; plain signed numbers stay as they are."""
    return f"'{text}" if text.startswith(_WOULD_RUN) and not _NUMBER.fullmatch(text) else text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name
