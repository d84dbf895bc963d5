"""Scores as the bytes of a file, in the format that its suffix says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rnncli.errors import UsageError

FORMATS = ("json", "csv", "jsonl", "parquet")


def encoded(document: dict[str, Any], rows: Sequence[dict[str, Any]], suffix: str) -> bytes:
    """The document as .json, or the rows as .csv, .jsonl or .parquet. UsageError for another suffix."""
    if suffix == ".json":
        return (json.dumps(document, allow_nan=False) + "\n").encode()
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
    import pyarrow as pa

    table, sink = pa.Table.from_pylist(list(rows)), pa.BufferOutputStream()
    if suffix == ".csv":
        from pyarrow import csv

        csv.write_csv(table, sink)
    elif suffix == ".parquet":
        from pyarrow import parquet

        parquet.write_table(table, sink, compression="zstd", write_page_checksum=True)
    else:
        raise UsageError(
            f"scores cannot be written as {suffix or 'a file without a suffix'}",
            hint=f"end it in .{', .'.join(FORMATS)}",
        )
    return bytes(sink.getvalue())
