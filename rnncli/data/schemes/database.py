"""The rows of a query to a database: postgresql://host/db, sqlite:///file.db, duckdb:///file.duckdb."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pyarrow as pa

from rnncli.data.databases.address import Address, address_of
from rnncli.data.databases.connection import connected
from rnncli.data.databases.dialects import dialect_of
from rnncli.data.databases.types import as_cells
from rnncli.data.limits import Limits, Size, limits_of
from rnncli.data.readers.parquet import read_arrow
from rnncli.data.readers.table import Opened
from rnncli.data.source import Asked, Source, file_at
from rnncli.errors import UsageError
from rnncli.near import did_you_mean
from rnncli.spec import ColumnChoices

_SELECTS = ("select", "with", "values", "table", "from", "show", "describe", "summarize", "pivot", "unpivot")
_CHANGES = ("insert", "update", "delete", "create", "drop", "alter", "truncate", "merge", "copy", "replace")


def sources(url: str, asked: Asked) -> Iterable[Source]:
    """The one table that `--query` gives. UsageError where there is no query, InputRefused where there is no file."""
    address = address_of(url)
    query = (asked.choices.query or "").strip().rstrip(";").strip()
    if not query:
        raise UsageError(
            "which rows of the database are read is not said", where=address.name, hint="--query 'select ...'"
        )
    _refuse_no_selection(query, address)
    dialect_of(address)
    if address.path is not None:
        file_at(address.path).close()
    return [Source(address.name, "parquet", reader=partial(read, address, query))]


def _refuse_no_selection(query: str, address: Address) -> None:
    """UsageError for a statement that gives no rows of the database, or does more than that."""
    if query.encode(errors="ignore").decode() != query:
        raise UsageError("--query is no text in UTF-8", where=address.name, hint="write it in UTF-8")
    bare = re.sub(r"\A(?:\s|\(|--[^\n]*\n|/\*.*?\*/)+", "", query, flags=re.DOTALL)
    first = re.match(r"\w*", bare)[0].lower()  # type: ignore[index]  # it matches nothing, too
    if first not in _SELECTS:
        says = "changes the database" if first in _CHANGES else "selects no rows"
        raise UsageError(
            f"--query {says}: it begins with {first!r}", where=address.name, hint=did_you_mean(first, _SELECTS)
        )


def read(address: Address, query: str, source: Source, choices: ColumnChoices) -> Opened:
    """Run the query, once, and open its rows; more of them than the limits allow are not taken from the server."""
    with connected(address, wait=choices.lock_wait) as connection:
        table = connection.read(query, lambda: _Counted(source, limits_of(choices)))
    return read_arrow(replace(source, table=as_cells(table)), choices)


class _Counted:
    """The batches that have come so far, refused where they are too many."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._source, self._limits, self._so_far = source, limits, Size(0, 0, 0)

    def __call__(self, batch: pa.RecordBatch) -> None:
        self._so_far += Size(batch.num_rows, batch.nbytes, batch.nbytes)
        self._limits.check([self._so_far], [self._source.name], self._source.name)
