"""Forecasts as Parquet: the types that the data came in, zstd, a checksum on every page."""

from __future__ import annotations

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
