"""Rows in the wrong place, and rows that come twice."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.checks.finding import SHOWN, Finding
from rnncli.data.checks.seen import Seen
from rnncli.data.zones import shown_twice_in


def unsorted(seen: Seen) -> Finding | None:
    """Rows that come after a later row of their series."""
    if not seen.unsorted:
        return None
    order = np.argsort(seen.rows.codes, kind="stable")
    codes, times = seen.rows.codes[order], seen.rows.times[order]
    back = order[np.flatnonzero((codes[1:] == codes[:-1]) & (times[1:] < times[:-1])) + 1]
    return Finding(
        "warning",
        "rows are earlier than the row before them",
        len(back),
        seen.examples(np.sort(back).tolist()),
        "nothing needs to be done: rows are sorted when they are read; but see that no file was joined twice",
    )


def duplicate_equal(seen: Seen) -> Finding | None:
    """Rows that repeat another in full."""
    equal, _ = seen.repeats
    if not len(equal):
        return None
    return Finding(
        "warning",
        "rows repeat another row in full",
        len(equal),
        seen.examples(np.sort(equal).tolist()),
        "they count once when they are read; see that no file was joined twice",
    )


def duplicate_conflicting(seen: Seen) -> Finding | None:
    """Rows that have the time of another row of their series, and other values."""
    _, different = seen.repeats
    if not len(different):
        return None
    examples = [seen.example(row, _values(seen, row)) for row in np.sort(different)[:SHOWN].tolist()]
    return Finding(
        "error",
        "rows contradict another row of the same series and time",
        len(different),
        tuple(examples),
        _remedy(seen, different),
    )


def _remedy(seen: Seen, rows: Ints) -> str:
    """What to do, where a clock that was put back may show an hour twice, or else."""
    shown = None if seen.whole or seen.zone is not None else shown_twice_in(int(seen.rows.times[rows].min()))
    if shown is not None:
        return f"if a clock that was put back shows this hour twice, say whose it is: --zone {shown}, or another"
    return "keep one of each, or say which column tells series apart: --id NAME; --fix keeps the last"


def _values(seen: Seen, row: int) -> str:
    rows = seen.rows
    same = np.flatnonzero((rows.codes == rows.codes[row]) & (rows.times == rows.times[row]))
    return " and ".join(f"{value:.10g}" for value in rows.values[same[:SHOWN], 0].tolist())
