"""Rows of series that are not together, gathered on disk: read twice, and written once to files of some series each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints
from rnncli.data.alike import alike_batches
from rnncli.data.ids import coded
from rnncli.data.on_disk import check_room, unnamed_file
from rnncli.data.readers.table import kind_of
from rnncli.data.tables import Tables
from rnncli.data.writers.table import number_array

BATCH = 1 << 18  # rows that are read at once
FILES = 240  # at most; a process may often have no more than 1,024 open


def gathered(
    tables: Tables, wanted: Sequence[str], times: Sequence[str], ids: Sequence[str], folder: str, rows: int
) -> Iterator[pa.Table]:
    """The wanted columns of about so many `rows` at a time, with whole series in each, in the order in which series
    first appear. StorageFailed.
    """
    place, lengths = _counted(tables, ids)
    file_of = np.cumsum(lengths) // max(rows, int(lengths.sum()) // FILES + 1)
    with ExitStack() as stack:
        files = [stack.enter_context(unnamed_file(folder)) for _ in range(int(file_of[-1]) + 1)]
        writers: list[pa.ipc.RecordBatchStreamWriter] = []
        for table, series in _batches(tables, wanted, (*times, *ids), ids, place):
            if not writers:
                check_room(folder, table.nbytes * int(lengths.sum()) // max(1, table.num_rows))
                writers = [pa.ipc.new_stream(file, table.schema) for file in files]
            _put(table, file_of[series], writers)
        for writer in writers:
            writer.close()
        for file in files:
            file.seek(0)
            yield _with_codes(pa.ipc.open_stream(file).read_all())
            file.truncate(0)


def _counted(tables: Tables, ids: Sequence[str]) -> tuple[dict[str, int], Ints]:
    """The place of each series in the order of their first rows, and how many rows each has."""
    place: dict[str, int] = {}
    lengths = np.zeros(0, np.int64)
    for _, series in _batches(tables, ids, ids, ids, place):
        lengths = np.concatenate([lengths, np.zeros(len(place) - len(lengths), np.int64)])
        lengths += np.bincount(series, minlength=len(place))
    return place, lengths


def _batches(
    tables: Tables, wanted: Sequence[str], keys: Sequence[str], ids: Sequence[str], place: dict[str, int]
) -> Iterator[tuple[pa.Table, Ints]]:
    """The wanted columns, some rows at a time, and the place of the series of each row; new ones get the next."""
    schema: pa.Schema | None = None
    for source, opened, _, table in alike_batches(tables, wanted, keys, BATCH):
        codes, names = coded(Tables([source], [opened], [table]), ids)
        present, first = np.unique(codes, return_index=True)
        of = np.zeros(len(names) + 1, np.int64)
        for code in present[np.argsort(first)].tolist():
            of[code] = place.setdefault(names[code] if code >= 0 else "", len(place))
        plain = _plain(table)
        schema = schema or plain.schema
        yield plain.cast(schema), of[codes]


def _plain(table: pa.Table) -> pa.Table:
    """The table without dictionaries: those of several batches differ."""
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(number, table.column_names[number], column.cast(column.type.value_type))
    return table


def _with_codes(table: pa.Table) -> pa.Table:
    """The table with its texts as dictionaries."""
    for number, column in enumerate(table.columns):
        if kind_of(column.type) == "text":
            table = table.set_column(number, table.column_names[number], column.dictionary_encode())
    return table


def _put(table: pa.Table, file_of: Ints, writers: Sequence[pa.ipc.RecordBatchStreamWriter]) -> None:
    """Each row to the file of its series, in order."""
    order = np.argsort(file_of, kind="stable")
    table = table.take(number_array(order, pa.int64()))
    cuts = np.flatnonzero(np.diff(file_of[order])) + 1
    begins = np.concatenate([[0], cuts]).tolist()
    ends = [*cuts.tolist(), table.num_rows]
    for begin, end in zip(begins, ends, strict=True):
        writers[int(file_of[order[begin]])].write_table(table.slice(begin, end - begin))
