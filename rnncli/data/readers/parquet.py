"""Parquet files and Arrow tables: the types are in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from rnncli.data.arrow import VIEWS
from rnncli.data.limits import VALUE, Limits, Size, limits_of
from rnncli.data.readers.looks import Shown, shown_by_numbers, shown_by_texts
from rnncli.data.readers.table import Kind, Opened, kind_of, repeated
from rnncli.data.source import Source
from rnncli.spec import ColumnChoices

SAMPLE_ROWS = 2_000
PIECE = 8 << 20  # bytes that are read at once of a column whose cells are large
LARGE = 1 << 10  # bytes of a cell that is no time, id or number
NO_THREAD = "launch worker thread"  # what Arrow says where a limit leaves no room for the stack of one
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

    def head(names: Sequence[str]) -> pa.Table | None:
        return _use(source, lambda file: next(file.iter_batches(SAMPLE_ROWS, columns=list(names)), None))

    def batches(columns: Mapping[str, Kind], rows: int) -> Iterator[tuple[str, pa.Table]]:
        texts = [name for name in columns if kind_of(schema.field(name).type) == "text"]
        return _batches(source, list(columns), texts, rows)

    schema, large = _use(source, lambda file: (file.schema_arrow, _large(file.metadata)))
    opened = opened_with(source, choices, schema, wanted, size, head, large, partial(_column, source))
    return replace(opened, batches=batches, types={column.name: column.type for column in schema})


def _large(footer: Any) -> frozenset[str]:
    """The columns whose cells are too large to be times or ids."""
    sizes: dict[str, int] = {}
    for name, length in _chunks(footer):
        sizes[name] = sizes.get(name, 0) + length
    return frozenset(name for name, size in sizes.items() if size > LARGE * footer.num_rows)


def _column(source: Source, name: str) -> Iterator[pa.Array]:
    """A column whose cells are large, some rows at a time. InputRefused if the file is damaged."""
    from pyarrow import parquet

    with source.open() as stream, sound(source, "Parquet"):
        file = parquet.ParquetFile(stream, page_checksum_verification=True)
        taken = sum(length for path, length in _chunks(file.metadata) if path.partition(".")[0] == name)
        each = max(1, taken // max(1, file.metadata.num_rows))
        for batch in file.iter_batches(max(1, min(SAMPLE_ROWS, PIECE // each)), columns=[name]):
            yield batch.column(0)


def _batches(source: Source, columns: Sequence[str], texts: Sequence[str], rows: int) -> Iterator[tuple[str, pa.Table]]:
    """Columns, so many rows at a time; `texts` become dictionaries, which hold what these rows do and not what all of
    their group do. InputRefused if the file is damaged.
    """
    from pyarrow import parquet

    with source.open() as stream, sound(source, "Parquet"):
        file = parquet.ParquetFile(stream, page_checksum_verification=True)
        for batch in file.iter_batches(rows, columns=list(columns)):
            table = pa.Table.from_batches([batch])
            for name in texts:
                table = table.set_column(columns.index(name), name, _coded(table.column(name)))
            yield source.name, table


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column
    return column.cast(VIEWS.get(column.type, column.type)).dictionary_encode()


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

    with source.open() as stream, sound(source, "Parquet"):
        return use(parquet.ParquetFile(stream, read_dictionary=list(texts), page_checksum_verification=True))


@contextmanager
def sound(source: Source, what: str) -> Iterator[None]:
    """InputRefused where Arrow finds a file of a kind damaged; MemoryError where there is no room for it, or for a
    thread.
    """
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        if NO_THREAD in str(error):
            raise MemoryError from error
        reason = str(error).splitlines()[0].rstrip(".")
        raise source.refused(f"this is not a sound {what} file ({reason})", hint="write or copy it again") from error


def read_arrow(source: Source, choices: ColumnChoices) -> Opened:
    """Open a table that is in memory."""
    table = source.table

    def size(columns: Collection[str], _: Limits) -> Size:
        return _size(table.num_rows, len(columns), table.nbytes)

    def head(names: Sequence[str]) -> pa.Table:
        return table.select(list(names)).slice(0, SAMPLE_ROWS)

    return opened_with(source, choices, table.schema, lambda columns: table.select(list(columns)), size, head)


def opened_with(
    source: Source,
    choices: ColumnChoices,
    schema: pa.Schema,
    wanted: Callable[[Mapping[str, Kind]], pa.Table],
    size: Callable[[Collection[str], Limits], Size],
    head: Callable[[Sequence[str]], Any],
    large: Collection[str] = (),
    pieces: Callable[[str], Iterator[pa.Array]] | None = None,
) -> Opened:
    """What has types, opened: how `wanted` columns are read, their `size`, their `head`, of which `large` ones are not
    looked at, and a column in `pieces`. InputRefused where names repeat.
    """
    limits_of(choices).check_columns(len(schema.names), source.name)
    twice = repeated(schema.names)
    if twice is not None:
        raise source.refused(f"two columns are called {twice!r}", hint="rename one of them")
    kinds = {column.name: kind_of(column.type) for column in schema}
    kinds = {name: kind for name, kind in kinds.items() if kind != "whole" or not _PANDAS_INDEX.fullmatch(name)}
    clocks = {column.name: Shown(look="clock") for column in schema if pa.types.is_time(column.type)}
    looked_at = {name: kind for name, kind in kinds.items() if name not in large}
    shown = _shown(looked_at, choices, head) | clocks
    return Opened(
        kinds | {name: what.kind for name, what in shown.items() if what.kind},
        wanted,
        _no_line,
        size,
        {name: what.look for name, what in shown.items() if what.look},
        {name: what.style for name, what in shown.items() if what.style},
        pieces=pieces,
    )


def _shown(kinds: Mapping[str, Kind], choices: ColumnChoices, head: Callable[[Sequence[str]], Any]) -> dict[str, Shown]:
    """What the first rows of texts and whole numbers show; nothing is looked at where the time was said."""
    names = (
        [name for name, kind in kinds.items() if kind in ("text", "whole", "number")] if choices.time is None else []
    )
    sample = head(names) if names else None
    if sample is None:
        return {}
    texts = {name: _texts(sample.column(name)) for name in names}
    return {
        name: shown_by_texts(name, texts[name], choices.time_format)
        if kinds[name] == "text"
        else shown_by_numbers(name, texts[name], whole=kinds[name] == "whole")
        for name in names
    }


def _texts(column: Any) -> list[str]:
    """The different texts of a column of the head; none if its values are no texts."""
    values = dict.fromkeys(value for value in column.to_pylist() if value is not None)
    try:
        return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    except UnicodeDecodeError:
        return []


def _no_line(_: int) -> int:
    return 0
