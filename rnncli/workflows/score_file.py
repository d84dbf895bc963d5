"""Scores as a file: the whole document as JSON, or rows in any format that results can have."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from rnncli.data.sinks.sink import Into, sink_of
from rnncli.data.writers.results import Style, of_table
from rnncli.registry import WRITERS

FORMATS = ("json", *WRITERS)


def write_scores(
    path: str | os.PathLike[str],
    document: Mapping[str, Any],
    rows: Sequence[dict[str, Any]],
    format: str | None,  # noqa: A002  # as users call it
    style: Style,
) -> int:
    """Write the document, or the rows, as the suffix or the format asks; returns the bytes."""
    sink = sink_of(path, Into(format, FORMATS))
    if sink.format == "json":
        return sink.put([(json.dumps(document, allow_nan=False) + "\n").encode()])
    import pyarrow as pa

    return sink.write(of_table(pa.Table.from_pylist(list(rows))), style)
