"""Whole series from a stream of Arrow batches: none is cut where a batch ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from rnncli.arrays import Ints
from rnncli.workflows.part import beginnings

AT_ONCE = 1_000  # series
ROWS = 1 << 20  # of them, from which on fewer series go together


def whole_series(
    batches: Iterable[pa.RecordBatch], keys: tuple[str, ...], at_once: int = AT_ONCE, rows: int = ROWS
) -> Iterator[pa.Table]:
    """Tables of `at_once` series, or of fewer that have so many `rows`, from batches in which the rows of a series
    follow each other; without `keys` all is one table.

    The last series may go on in the next batch, and is carried over.
    """
    held: list[pa.RecordBatch] = []
    begins, count = np.zeros(0, np.int64), 0
    for batch in batches:
        if not batch.num_rows:
            continue
        begins = np.concatenate([begins, count + _begins(held[-1] if held else None, batch, keys)])
        held.append(batch)
        count += batch.num_rows
        while len(begins) > at_once or (len(begins) > 1 and count >= rows):
            series = int(np.clip(np.searchsorted(begins, rows, side="right") - 1, 1, min(at_once, len(begins) - 1)))
            table, cut = pa.Table.from_batches(held), int(begins[series])
            yield table.slice(0, cut)
            held, begins, count = table.slice(cut).to_batches(), begins[series:] - cut, count - cut
    if held:
        yield pa.Table.from_batches(held)


def _begins(before: pa.RecordBatch | None, batch: pa.RecordBatch, keys: tuple[str, ...]) -> Ints:
    """The rows of a batch at which a series begins; `before` is the batch before it, which may hold its first rows."""
    if before is None:
        return beginnings(pa.Table.from_batches([batch]), keys)
    both = pa.Table.from_batches([before.slice(before.num_rows - 1), batch])
    return beginnings(both, keys)[1:] - 1
