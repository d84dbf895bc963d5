"""Rows that say which model made them, and from which time on: by that a repeated run is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rnncli.data.databases.written import MODEL, ORIGIN
from rnncli.data.writers.results import Results, Style, rounded
from rnncli.data.writers.table import text_array
from rnncli.errors import InputRefused, UsageError

DIGITS = 16  # of the digest: enough that no two models share them


def keyed_rows(results: Results, style: Style, digest: str, *, as_text: bool) -> tuple[pa.Table, list[str]]:
    """The rows with the columns of model and origin, and the columns that tell each row from all others.

    Times are of their types, or `as_text`. InputRefused where the data have columns that are called so.
    """
    if style.wide:
        raise UsageError("a table with a column a series is for files", hint="leave --out-wide out")
    parts = results.texts(str) if as_text else results.typed()
    rows = rounded(pa.concat_tables(parts), style.digits)
    rows = _numbers(rows, results.bare) if as_text else rows
    taken = next((name for name in (MODEL, ORIGIN) if name in rows.column_names), None)
    if taken is not None:
        raise InputRefused(f"a column of the data is called {taken!r}", hint="rename it in the query")
    if results.origins is not None:
        rows = rows.append_column(ORIGIN, results.origins(as_text))
    rows = rows.append_column(MODEL, text_array([digest[:DIGITS]], np.zeros(rows.num_rows, np.int64)))
    own = [name for name in results.identity if name in rows.column_names]
    return rows, [MODEL, *([] if results.origins is None else [ORIGIN]), *own]


def _numbers(rows: pa.Table, bare: object) -> pa.Table:
    """The rows, of which columns of numbers that came as texts are numbers."""
    for place, name in enumerate(rows.column_names):
        if name in bare:  # type: ignore[operator]
            rows = rows.set_column(place, name, rows.column(place).cast(pa.int64()))
    return rows
