"""Forecasts as Parquet: the types that the data came in, zstd, a checksum on every page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
from pyarrow import parquet

from rnncli.data.writers.table import ForecastTable, arrow_table


def encode(table: ForecastTable, *, tidy: bool = False, raw: bool = False) -> bytes:
    """The Parquet file; `raw` changes nothing, for nothing is ever escaped here."""
    del raw
    return encode_rows(arrow_table(table, tidy=tidy, as_text=False))


def encode_rows(rows: pa.Table) -> bytes:
    """Any table as a Parquet file."""
    sink = pa.BufferOutputStream()
    parquet.write_table(rows, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def encode_parts(parts: Iterator[pa.Table]) -> bytes:
    """Tables with the same columns, one at least, as a Parquet file, each a group of rows."""
    sink, first = pa.BufferOutputStream(), next(parts)
    with parquet.ParquetWriter(sink, first.schema, compression="zstd", write_page_checksum=True) as writer:
        for part in chain([first], parts):
            writer.write_table(part)
    return bytes(sink.getvalue())
