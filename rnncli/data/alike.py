"""Whether files can be read some rows at a time, and these rows in one form whatever the file they are in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from rnncli.data import arrow
from rnncli.data.readers.table import NUMERIC, Opened
from rnncli.data.source import Source
from rnncli.data.tables import Tables
from rnncli.spec import Columns

TEXTS = (pa.string(), pa.large_string())


def alike(tables: Tables, columns: Columns) -> bool:
    """Whether every file has all columns, times and ids of one type in all of them, times that are typed, and numbers
    for the rest: then some rows are read as all of them are.
    """
    numbers = (*columns.target_columns, *columns.past, *columns.future, *columns.static)
    return (
        all(_one_type(tables, name) for name in (*columns.times, *columns.ids))
        and all(_is_typed_time(tables.opened[0].types[name]) for name in columns.times)
        and all(opened.kinds.get(name) in (*NUMERIC, "empty") for name in numbers for opened in tables.opened)
    )


def _one_type(tables: Tables, name: str) -> bool:
    found = {_plain_type(opened.types.get(name)) for opened in tables.opened}
    return None not in found and (len(found) == 1 or found <= {*TEXTS})


def _plain_type(kind: pa.DataType | None) -> pa.DataType | None:
    plain = kind if kind is None else arrow.plain_type(kind)
    return arrow.VIEWS.get(plain, plain)


def _is_typed_time(kind: pa.DataType | None) -> bool:
    plain = _plain_type(kind)
    return any(test(plain) for test in (pa.types.is_timestamp, pa.types.is_date, pa.types.is_integer))


def alike_batches(
    tables: Tables, wanted: Sequence[str], as_they_are: Collection[str], rows: int
) -> Iterator[tuple[Source, Opened, str, pa.Table]]:
    """The wanted columns, so many rows at a time, with the file of each and its name: numbers are float64, NaN where
    there is none, but for columns that stay `as_they_are`.
    """
    for source, opened in zip(tables.sources, tables.opened, strict=True):
        assert opened.batches is not None
        for name, table in opened.batches({name: opened.kinds[name] for name in wanted}, rows):
            numbers = [column for column in wanted if column not in as_they_are]
            yield source, opened, name, _in_one_form(table, numbers)


def _in_one_form(table: pa.Table, numbers: Sequence[str]) -> pa.Table:
    made = [
        arrow.array(arrow.floats(table.column(name))) if name in numbers else table.column(name)
        for name in table.column_names
    ]
    return pa.Table.from_arrays(made, table.column_names)
