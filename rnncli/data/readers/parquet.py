"""Parquet files and Arrow tables: the types are in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from rnncli.data.readers.table import Kind, Opened, kind_of
from rnncli.data.source import Source

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")  # row numbers, unless they are times


def read(source: Source) -> Opened:
    """Open a Parquet file; every page's checksum, where it has one, is verified. InputRefused if it is damaged."""

    def wanted(columns: Mapping[str, Kind]) -> pa.Table:
        texts = [name for name in columns if kind_of(schema.field(name).type) == "text"]
        return _use(source, lambda file: file.read(columns=list(columns)), texts)

    schema = _use(source, lambda file: file.schema_arrow)
    return _opened(source, schema, wanted)


def _use(source: Source, use: Callable[[Any], Any], texts: Sequence[str] = ()) -> Any:
    """What `use` gives for the opened file, in which the columns `texts` are read as dictionaries."""
    from pyarrow import parquet

    with source.open() as stream:
        try:
            return use(parquet.ParquetFile(stream, read_dictionary=list(texts), page_checksum_verification=True))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from error


def read_arrow(source: Source) -> Opened:
    """Open a table that is in memory."""
    return _opened(source, source.table.schema, lambda columns: source.table.select(list(columns)))


def _opened(source: Source, schema: pa.Schema, wanted: Callable[[Mapping[str, Kind]], pa.Table]) -> Opened:
    twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
    if twice is not None:
        raise source.refused(f"two columns are called {twice!r}", hint="rename one of them")
    kinds = {column.name: kind_of(column.type) for column in schema}
    kinds = {name: kind for name, kind in kinds.items() if kind == "time" or not _PANDAS_INDEX.fullmatch(name)}
    return Opened(kinds, wanted, _no_line)


def _no_line(_: int) -> int:
    return 0


def _damaged(source: Source, error: Exception) -> Exception:
    reason = str(error).splitlines()[0].rstrip(".")
    return source.refused(f"this is not a sound Parquet file ({reason})", hint="write or copy it again")
