"""Whole series from a stream of Arrow tables: none is cut where a table ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints


def whole_series(
    tables: Iterable[pa.Table], keys: Sequence[str], rows: int, at_once: int | None = None
) -> Iterator[pa.Table]:
    """Tables of so many `rows` or fewer, or of one series that has more, and of `at_once` series at most, from tables
    in which the rows of a series follow each other; without `keys` all is one table.

    The last series may go on in the next table, and is carried over.
    """
    held: list[pa.Table] = []
    begins, count = np.zeros(0, np.int64), 0
    for table in tables:
        if not table.num_rows:
            continue
        begins = np.concatenate([begins, count + _begins(held[-1] if held else None, table, keys)])
        held.append(table)
        count += table.num_rows
        while len(begins) > 1 and (count >= rows or len(begins) > (at_once or len(begins))):
            most = min(at_once or len(begins), len(begins) - 1)
            series = int(np.clip(np.searchsorted(begins, rows, side="right") - 1, 1, most))
            whole, cut = _one(held), int(begins[series])
            yield whole.slice(0, cut)
            held, begins, count = [_recoded(whole.slice(cut))], begins[series:] - cut, count - cut
    if held:
        yield _one(held)


def beginnings(table: pa.Table, keys: Sequence[str]) -> Ints:
    """The rows at which another series begins than in the row before; `keys` are the columns that tell them apart."""
    from pyarrow import compute

    if not table.num_rows:
        return np.zeros(0, np.int64)
    changes = np.zeros(table.num_rows - 1, np.bool_)
    for name in keys:
        column = table.column(name).combine_chunks()
        here, before = column.slice(1), column.slice(0, len(column) - 1)
        other = compute.fill_null(compute.not_equal(here, before), fill_value=False)
        null = compute.not_equal(compute.is_null(here), compute.is_null(before))
        changes |= compute.or_(other, null).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.int64)


def _begins(before: pa.Table | None, table: pa.Table, keys: Sequence[str]) -> Ints:
    """The rows of a table at which a series begins; the table before it may hold its first rows."""
    begins = beginnings(table, keys)
    if before is None:
        return begins
    last, first = before.slice(before.num_rows - 1), table.slice(0, 1)
    goes_on = all(last.column(name)[0].as_py() == first.column(name)[0].as_py() for name in keys)
    return begins[1:] if goes_on else begins


def _one(held: Sequence[pa.Table]) -> pa.Table:
    return held[0] if len(held) == 1 else pa.concat_tables(held, promote_options="permissive")


def _recoded(table: pa.Table) -> pa.Table:
    """The table with dictionaries of what is in its rows alone."""
    for place, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            fresh = column.cast(column.type.value_type).dictionary_encode()
            table = table.set_column(place, table.column_names[place], fresh)
    return table
