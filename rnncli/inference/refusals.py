"""Why series cannot go on from what a stream consumed: rows that are missing, that changed, or that come too early.

Rows that are given again are compared with the tail as it is, older ones by the sum of their fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.panel import Panel, ranges
from rnncli.errors import SeriesRefused
from rnncli.inference.carried import Carried
from rnncli.inference.fingerprints import fingerprints
from rnncli.inference.streaming import E, StreamingModel

SERIES_AT_ONCE = 256
AFRESH = "begin a new state from the whole history"


@dataclass(frozen=True)
class Reason:
    """Why a series is refused, what helps, and the ordinal of the row; with `before`, it is one of those before it."""

    what: str
    hint: str
    ordinal: int
    before: bool = False


def refusals(
    model: StreamingModel[E], carried: Carried[E], panel: Panel, ends: Ints, behind: Ints | None = None
) -> list[SeriesRefused]:
    """Why series of the panel, of which the first ends[s] rows count, cannot go on from what is kept of them
    (`carried`, in the panel's order): a row between was never seen, or one that was consumed is another now. `behind`
    [series] is how many rows are between, by default those from what was consumed to the panel's first.
    """
    return [_refused(model, panel, s, reason) for s, reason in _reasons(model, carried, panel, ends, behind)]


def _reasons(
    model: StreamingModel[E], carried: Carried[E], panel: Panel, ends: Ints, behind: Ints | None
) -> Iterator[tuple[int, Reason]]:
    first, due, known, rows = panel.starts, carried.ends, carried.begun, carried.tail.rows
    other_phase = known & (panel.phases != carried.phases)
    behind = (np.maximum(first - due, 0) if behind is None else behind) * known
    before = np.maximum(carried.starts - first, 0) * known
    usual = known & ~other_phase & (behind == 0) & (before == 0)
    changed = _first_changed(model, carried, panel, np.where(usual, ends, 0))
    older = usual & (changed < 0) & _older_changed(model, carried, panel, np.where(usual, ends, 0))
    for s in np.flatnonzero(other_phase | (behind > 0) | (before > 0) | (changed >= 0) | older).tolist():
        if other_phase[s]:
            what = "its times lie between those of the state"
            yield s, Reason(what, "give times on the same grid", int(first[s]))
        elif behind[s]:
            what = f"{behind[s]:,} rows are missing between the state and the data"
            yield s, Reason(what, "give all rows since", int(due[s]))
        elif before[s]:
            yield s, Reason(f"{before[s]:,} rows lie before the first that was consumed", AFRESH, int(first[s]))
        elif older[s]:
            what = f"a row before the last {rows[s]:,} has changed since it was consumed"
            yield s, Reason(what, AFRESH, int(due[s] - rows[s]), before=True)
        else:
            was, now = _both(carried, panel, s, int(changed[s]))
            yield s, Reason(model.what_changed(was, now), AFRESH, int(changed[s]))


def _refused(model: StreamingModel[E], panel: Panel, place: int, reason: Reason) -> SeriesRefused:
    name, when = panel.ids[place], model.when(panel, place, reason.ordinal)
    message = f"{reason.what} ({'before ' * reason.before}{when})"
    return SeriesRefused(message, name, where=f"series {name!r}", hint=reason.hint)


def _first_changed(model: StreamingModel[E], carried: Carried[E], panel: Panel, ends: Ints) -> Ints:
    """Ordinal of the first row of the tail that is another in the first ends[s] rows of the panel, -1 if none is."""
    tail = carried.tail
    begin = np.maximum(panel.starts, carried.ends - tail.rows)
    length = np.maximum(np.minimum(panel.starts + ends, carried.ends) - begin, 0)
    now = panel.offsets[:-1] + begin - panel.starts
    was = tail.offsets[:-1] + begin - carried.ends + tail.rows
    found, channels = np.full(len(panel), -1, np.int64), [*model.compared]
    for first in range(0, len(panel), SERIES_AT_ONCE):
        some = slice(first, first + SERIES_AT_ONCE)
        here = panel.values[ranges(now[some], length[some])][:, channels]
        there = tail.values[ranges(was[some], length[some])][:, channels]
        place = _first_other(here, there, length[some])
        found[some] = np.where(place < 0, -1, begin[some] + place)
    return found


def _first_other(now: Floats, was: Floats, lengths: Ints) -> Ints:
    """At which place of each stretch of rows the first is that differs, -1 if none does."""
    changed = np.flatnonzero(~((now == was) | (np.isnan(now) & np.isnan(was))).all(axis=1))
    series, first = np.unique(np.repeat(np.arange(len(lengths)), lengths)[changed], return_index=True)
    found = np.full(len(lengths), -1, np.int64)
    found[series] = changed[first] - (np.cumsum(lengths) - lengths)[series]
    return found


def _both(carried: Carried[E], panel: Panel, place: int, ordinal: int) -> tuple[Floats, Floats]:
    """The row of a series at this ordinal as it was consumed and as it is given: [channels] each."""
    tail = carried.tail
    was = tail.values[tail.offsets[place] + ordinal - carried.ends[place] + tail.rows[place]]
    return was, panel.series(place)[ordinal - panel.starts[place]]


def _older_changed(model: StreamingModel[E], carried: Carried[E], panel: Panel, ends: Ints) -> Bools:
    """Whether rows before the tail are others, of series that are given from their first row on."""
    whole = (panel.starts == carried.starts) & (carried.consumed > carried.tail.rows) & (ends >= carried.consumed)
    length = np.where(whole, carried.consumed, 0)
    values = panel.values[ranges(panel.offsets[:-1], length)]
    now = fingerprints(values, model.compared, np.zeros_like(length), length)
    return np.asarray(whole & (now != carried.fingerprints))
