"""The state of a stream, carried over rows that are new: each row of a series is consumed once, in any number of runs.

Rows are consumed in blocks of a grid that is counted from a series' first row, and what a row adds may depend on its
block and the rows of the tail: so it has the same bits whichever run it comes in, and whatever comes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, offsets_of, put, stretches
from rnncli.inference.carried import Carried
from rnncli.inference.fingerprints import fingerprints
from rnncli.inference.hidden import carry
from rnncli.inference.kept_rows import KeptRows
from rnncli.inference.streaming import AtHand, E, NewRows, StreamingModel

Heard = Callable[[NewRows, list[NDArray[np.float32]]], None]
"""What is told of new rows as they are consumed: each member's outputs of the last layer in them, [n, length, H]."""

BLOCK = 32  # rows whose inputs are made at once
SERIES_AT_ONCE = 256


def advanced(
    model: StreamingModel[E],
    carried: Carried[E],
    panel: Panel,
    ends: Ints,
    heard: Heard | None = None,
    *,
    in_place: bool = False,
) -> Carried[E]:
    """The state after the first ends[s] rows of each series; those that were consumed before are not looked at. With
    `in_place` what was hidden before is gone: of many series it is as large again.
    """
    rows = at_hand(carried, panel)
    hidden = {name: part if in_place and part.flags.writeable else part.copy() for name, part in carried.hidden.items()}
    target = np.maximum(panel.starts + ends - carried.starts, carried.consumed)
    for new in _new_rows(carried.consumed, target):
        outputs = carry(model.network, model.members(), hidden, new.places, model.inputs(rows, new))
        if heard is not None:
            heard(new, outputs)
    first, added = rows.panel.offsets[:-1], target - carried.consumed
    last = np.minimum(target, model.rows_kept)
    kept = stretches(rows.panel.values, first + target - rows.before - last, last)
    tail = KeptRows(last, kept.astype(np.float64))  # a copy, whatever small numbers the rows are
    consumed = stretches(rows.panel.values, first + carried.tail.rows, added)
    return replace(
        carried,
        consumed=target,
        tail=tail,
        fingerprints=carried.fingerprints + fingerprints(consumed, model.compared, carried.consumed, added),
        hidden=hidden,
        extras=model.after(carried.extras, rows, carried.consumed, target),
    )


def at_hand(carried: Carried[E], panel: Panel) -> AtHand:
    """The tail of each series and, behind it, the rows of the panel that were not consumed."""
    tail = carried.tail
    known = np.maximum(carried.ends - panel.starts, 0)
    new = np.maximum(panel.lengths - known, 0)
    offsets, first = offsets_of(tail.rows + new), carried.ends - tail.rows
    values = _end_to_end(tail, panel, known, new)
    return AtHand(replace(panel, offsets=offsets, values=values, starts=first), first - carried.starts)


def _end_to_end(tail: KeptRows, panel: Panel, known: Ints, new: Ints) -> Floats:
    """The rows of the tail of each series and new[s] of the panel behind its known[s] first: [n, channels]. Where all
    are of one of them nothing is copied.
    """
    if not new.any():
        return tail.values
    if not len(tail.values) and not known.any():
        return panel.values
    offsets = offsets_of(tail.rows + new)
    values = np.empty((int(offsets[-1]), panel.values.shape[1]))
    put(values, offsets[:-1], tail.values, offsets_of(tail.rows)[:-1], tail.rows)
    put(values, offsets[:-1] + tail.rows, panel.values, panel.offsets[:-1] + known, new)
    return values


def _new_rows(consumed: Ints, target: Ints) -> Iterator[NewRows]:
    """The rows from consumed[s] to target[s] - 1 of each series in the order of time, some series at a time, as many
    rows of each.
    """
    for block, places in _blocks(consumed, target):
        for begin in range(0, len(places), SERIES_AT_ONCE):
            some = places[begin : begin + SERIES_AT_ONCE]
            start = np.maximum(consumed[some], block * BLOCK)
            stop = np.minimum(target[some], (block + 1) * BLOCK)
            for length in np.unique(stop - start):
                same = stop - start == length
                yield NewRows(block, some[same], start[same], int(length))


def _blocks(consumed: Ints, target: Ints) -> Iterator[tuple[int, Ints]]:
    """Each block of the grid in which rows are new, and the series that have them, in the order of time."""
    waiting = target > consumed
    if not waiting.any():
        return
    first, last = consumed // BLOCK, (target - 1) // BLOCK
    for block in range(int(first[waiting].min()), int(last[waiting].max()) + 1):
        places = np.flatnonzero(waiting & (first <= block) & (block <= last))
        if len(places):
            yield block, places
