"""Arrow's own format, as a file (also called Feather) or as a stream: types, and nothing to convert."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from rnncli.data.limits import VALUE, Limits, Size
from rnncli.data.readers.parquet import SAMPLE_ROWS, opened_with, sound
from rnncli.data.readers.table import Kind, Opened
from rnncli.data.source import Source
from rnncli.spec import ColumnChoices

_FILE, _FIRST_FEATHER = b"ARROW1", b"FEA1"
_END = b"\xff\xff\xff\xff\0\0\0\0"  # of a stream whose writer was not stopped before


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open a file or a stream of Arrow, whichever it is. InputRefused if it is damaged or cut off."""
    found = _Ipc(source)

    def wanted(columns: Mapping[str, Kind]) -> pa.Table:
        return found.table(list(columns))

    return opened_with(source, choices, found.schema, wanted, found.size, found.head, pieces=found.pieces)


@dataclass(frozen=True)
class _Ipc:
    source: Source

    @cached_property
    def _is_file(self) -> bool:
        with self.source.open() as stream, self._sound():
            start = stream.read(len(_FILE))
        if start.startswith(_FIRST_FEATHER):
            raise self.source.refused("this is version 1 of Feather", hint="write it again as version 2, or as Parquet")
        if not start:
            raise self.source.refused("the file is empty", hint="write or copy it again")
        return bool(start == _FILE)

    @cached_property
    def _whole(self) -> pa.Buffer:
        """The bytes of a stream, of which batches are views."""
        with self.source.open() as stream, self._sound():
            return pa.py_buffer(stream.read())

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        with self._opened(()) as (reader, _):
            return reader.schema

    def head(self, names: Sequence[str]) -> pa.Table | None:
        """The first rows of some columns."""
        with self._opened(names) as (reader, _):
            batch = next(self._batches(reader), None)
        return None if batch is None else pa.Table.from_batches([self._checked(batch.slice(0, SAMPLE_ROWS))])

    def size(self, columns: Collection[str], limits: Limits) -> Size:
        """Rows, counted as far as is allowed, and the bytes of the wanted columns in memory."""
        found = Size(0, 0, 0)
        with self._opened(list(columns)) as (reader, _):
            for batch in self._batches(reader):
                memory = max(batch.nbytes, batch.num_rows * batch.num_columns * VALUE)
                found += Size(batch.num_rows, batch.nbytes, memory)
                if not limits.allow(found):
                    break
        return found

    def table(self, columns: list[str]) -> pa.Table:
        """The wanted columns."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        return pa.Table.from_batches(list(self._read(columns)), schema)

    def pieces(self, name: str) -> Iterator[pa.Array]:
        """A column, batch by batch."""
        return (batch.column(0) for batch in self._read([name]))

    def _read(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with self._opened(columns) as (reader, stream):
            for batch in self._batches(reader):
                yield self._checked(batch.select(columns))
            if not self._is_file:
                self._refuse_other_end(stream.tell())

    def _refuse_other_end(self, end: int) -> None:
        """InputRefused for a stream that ends between two batches without saying so, or before its bytes do."""
        if self._whole[max(0, end - len(_END)) : end].to_pybytes() != _END:
            says, hint = "the stream is cut off: it does not say that it ends", "its writer was stopped: write it again"
        elif end < self._whole.size:
            says, hint = "there is something behind the end of the stream", "give one stream, or name several files"
        else:
            return
        raise self.source.refused(says, hint=hint)

    def _checked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch, whose offsets and codes lie within what it holds."""
        with self._sound():
            batch.validate(full=True)
        return batch

    @contextmanager
    def _opened(self, columns: Sequence[str]) -> Iterator[tuple[Any, Any]]:
        """A reader of some columns, or of all if none is named, and what it reads from."""
        fields = [self.schema.get_field_index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        is_file = self._is_file
        with self.source.open() if is_file else pa.BufferReader(self._whole) as stream:
            with self._sound():
                reader = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(stream, options=options)
            yield reader, stream

    def _batches(self, reader: Any) -> Iterator[pa.RecordBatch]:
        with self._sound():
            if self._is_file:
                yield from map(reader.get_batch, range(reader.num_record_batches))
            else:
                yield from reader

    def _sound(self) -> Any:
        return sound(self.source, "Arrow")
