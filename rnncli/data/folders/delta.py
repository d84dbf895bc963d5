"""Delta Lake tables: a folder of Parquet files and a log, of which the last version is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from rnncli.data.databases.dialects import identifier
from rnncli.data.limits import VALUE, Size, limits_of
from rnncli.data.readers.parquet import read_arrow
from rnncli.data.readers.table import Opened, kind_of
from rnncli.data.source import Asked, Source
from rnncli.data.waiting import patiently
from rnncli.errors import MissingDependency, without_secrets
from rnncli.registry import LAKE
from rnncli.spec import ColumnChoices

T = TypeVar("T")
TABLE = "data"  # what a query calls it
_ORDERED = ("time", "whole", "text")  # kinds of columns


def sources(folder: Path, asked: Asked) -> list[Source]:  # noqa: ARG001  # it is told apart by its log
    """The one table of a folder."""
    return [of_url(str(folder), folder.stem)]


def of_url(url: str, stem: str) -> Source:
    """The one table at a path or a URL."""
    return Source(without_secrets(url), "parquet", stem=stem, reader=partial(read, url))


def delta() -> Any:
    """The library. MissingDependency where it is not installed."""
    try:
        import deltalake
    except ImportError as error:
        raise MissingDependency("Delta Lake tables need deltalake", hint="pip install 'rnncli[delta]'") from error
    return deltalake


def read(url: str, source: Source, choices: ColumnChoices) -> Opened:
    """Open the table: its last version is read at once, if it is not too large. InputRefused where the log or a file is
    missing or damaged.

    Files of a table are in no order: rows are in that of their columns, so that the same table is the same data.
    """
    table = sound(source, lambda: delta().DeltaTable(url))
    schema = pa.schema(table.schema())
    limits_of(choices).check([_size(table, len(schema))], [source.name], source.name)
    names = ", ".join(map(identifier, schema.names))
    order = ", ".join(identifier(field.name) for field in schema if kind_of(field.type) in _ORDERED)
    query = f"select {names} from {TABLE}" + (f" order by {order}" if order else "")  # noqa: S608  # names are quoted
    rows = sound(source, lambda: _taken(delta().QueryBuilder().register(TABLE, table).execute(query)))
    return read_arrow(replace(source, table=_with_texts(rows)), choices)


def sound(source: Source, work: Callable[[], T]) -> T:
    """What `work` returns, while signals are heard. InputRefused for what the library raises."""
    library = delta()
    try:
        return patiently(work, lambda: None)
    except (library.exceptions.DeltaError, OSError) as error:
        hint = f"look what is in its {LAKE}"
        raise source.refused(f"this is no sound Delta table: {said(error)}", hint=hint) from None


def said(error: Exception) -> str:
    """What the library says is wrong, in a line, without what it adds of its own workings."""
    text = " ".join(str(error).partition("\n   0: ")[0].split())
    return without_secrets(text)[:300] or "nothing is known of it"


def _taken(rows: Any) -> pa.Table:
    """Rows of another library; pa.table would import pandas to see whether they are its own."""
    return pa.RecordBatchReader.from_stream(rows).read_all()


def _size(table: Any, columns: int) -> Size:
    """Rows and stored bytes, as the log has them; numbers take eight bytes in memory."""
    actions = _taken(table.get_add_actions(flatten=True))
    counts = actions.column("num_records").to_pylist() if "num_records" in actions.column_names else []
    rows, stored = sum(count or 0 for count in counts), sum(actions.column("size_bytes").to_pylist())
    memory = max(stored, rows * columns * VALUE)
    return Size(rows, memory, memory)


def _with_texts(table: pa.Table) -> pa.Table:
    """The table with texts as other readers give them."""
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    fields = [field.with_type(plain.get(field.type, field.type)) for field in table.schema]
    return table.cast(pa.schema(fields))
