"""Forecasts as Parquet: the types that the data came in, zstd, a checksum on every page."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import parquet

from rnncli.data.writers.table import ForecastTable, arrow_table


def encode(table: ForecastTable, *, tidy: bool = False, raw: bool = False) -> bytes:
    """The Parquet file; `raw` changes nothing, for nothing is ever escaped here."""
    del raw
    sink = pa.BufferOutputStream()
    rows = arrow_table(table, tidy=tidy, as_text=False)
    parquet.write_table(rows, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())
