"""Parquet files and Arrow tables: the types are in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from rnncli.data.limits import VALUE, Limits, Size, limits_of
from rnncli.data.readers.table import Kind, Opened, kind_of, repeated
from rnncli.data.source import Source
from rnncli.spec import ColumnChoices

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")  # row numbers, unless they are times


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open a Parquet file; every page's checksum, where it has one, is verified. InputRefused if it is damaged."""

    def wanted(columns: Mapping[str, Kind]) -> pa.Table:
        texts = [name for name in columns if kind_of(schema.field(name).type) == "text"]
        return _use(source, lambda file: file.read(columns=list(columns)), texts)

    def size(columns: Collection[str], _: Limits) -> Size:
        rows, chunks = _use(source, lambda file: (file.metadata.num_rows, _chunks(file.metadata)))
        taken = sum(length for name, length in chunks if name in columns)
        return _size(rows, len(columns), taken)

    schema = _use(source, lambda file: file.schema_arrow)
    return _opened(source, choices, schema, wanted, size)


def _chunks(footer: Any) -> Iterator[tuple[str, int]]:
    """The column and the bytes, uncompressed, of each of its chunks, as the footer has them."""
    for group in range(footer.num_row_groups):
        for column in range(footer.num_columns):
            chunk = footer.row_group(group).column(column)
            yield chunk.path_in_schema, chunk.total_uncompressed_size


def _size(rows: int, columns: int, taken: int) -> Size:
    """Footers may say little: a run of one value takes no bytes in a file, and eight a row in memory."""
    memory = max(taken, rows * columns * VALUE)
    return Size(rows, memory, memory)


def _use(source: Source, use: Callable[[Any], Any], texts: Sequence[str] = ()) -> Any:
    """What `use` gives for the opened file, in which the columns `texts` are read as dictionaries."""
    from pyarrow import parquet

    with source.open() as stream:
        try:
            return use(parquet.ParquetFile(stream, read_dictionary=list(texts), page_checksum_verification=True))
        except MemoryError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from error


def read_arrow(source: Source, choices: ColumnChoices) -> Opened:
    """Open a table that is in memory."""
    table = source.table

    def size(columns: Collection[str], _: Limits) -> Size:
        return _size(table.num_rows, len(columns), table.nbytes)

    return _opened(source, choices, table.schema, lambda columns: table.select(list(columns)), size)


def _opened(
    source: Source,
    choices: ColumnChoices,
    schema: pa.Schema,
    wanted: Callable[[Mapping[str, Kind]], pa.Table],
    size: Callable[[Collection[str], Limits], Size],
) -> Opened:
    limits_of(choices).check_columns(len(schema.names), source.name)
    twice = repeated(schema.names)
    if twice is not None:
        raise source.refused(f"two columns are called {twice!r}", hint="rename one of them")
    kinds = {column.name: kind_of(column.type) for column in schema}
    kinds = {name: kind for name, kind in kinds.items() if kind == "time" or not _PANDAS_INDEX.fullmatch(name)}
    return Opened(kinds, wanted, _no_line, size)


def _no_line(_: int) -> int:
    return 0


def _damaged(source: Source, error: Exception) -> Exception:
    reason = str(error).splitlines()[0].rstrip(".")
    return source.refused(f"this is not a sound Parquet file ({reason})", hint="write or copy it again")
