"""Why a table cannot be read in parts."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa


class SeriesApart(Exception):  # it is no error of the data
    """A series goes on after others: its rows are not together."""


class WrittenApart(SeriesApart):
    """Times are written in another way, or in another zone, than in the rows before."""


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other. WrittenApart where their types differ too much."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise WrittenApart from None


def cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table in the types of another. WrittenApart where they differ too much."""
    try:
        return table.cast(schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise WrittenApart from None
