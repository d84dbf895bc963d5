"""Whether times are regular: one frequency, rows on its grid, no step without a row."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.calendar import Calendar
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.seen import Seen
from rnncli.data.frequency import off_grid
from rnncli.data.grid import GAP_ALLOWANCE, GAP_LIMIT
from rnncli.errors import InputRefused

MIXED = "mixed frequencies"


def frequency_mixed(seen: Seen) -> Finding | None:
    """Series that are on steps of different lengths."""
    error = seen.calendar
    if not isinstance(error, InputRefused) or not error.message.startswith(MIXED):
        return None
    others = _sparser(seen)
    return Finding("error", error.message, max(1, len(others)), seen.of_series(others), error.hint)


def _sparser(seen: Seen) -> Ints:
    """The series whose commonest step is not that of most series."""
    change = np.diff(seen.times)
    inside = seen.owner[1:] == seen.owner[:-1]
    steps, owner = change[inside], seen.owner[1:][inside]
    ranked = np.lexsort((steps, owner))
    middle = np.full(len(seen.ids), -1, np.int64)
    counts = np.bincount(owner, minlength=len(seen.ids))
    begins = np.concatenate([[0], np.cumsum(counts)])[:-1]
    some = counts > 0
    middle[some] = steps[ranked][begins[some] + (counts[some] - 1) // 2]
    sizes, votes = np.unique(middle[some], return_counts=True)
    usual = sizes[np.argmax(votes)]
    return np.flatnonzero(some & ((middle > 1.2 * usual) | (middle < usual / 1.2)))


def frequency_irregular(seen: Seen) -> Finding | None:
    """Rows that lie between the steps of the frequency that most rows have."""
    error = seen.calendar
    if not isinstance(error, InputRefused) or error.message.startswith(MIXED) or seen.known is not None:
        return None
    rows = off_grid(seen.times, seen.offsets, seen.zone, whole=seen.whole)
    what = error.message.partition(", but")[0]
    found = seen.order[rows]
    examples = seen.examples(found.tolist()) or (Example(says=str(error)),)
    return Finding("error", f"{what}, but these are off that grid", max(1, len(found)), examples, error.hint)


def gap(seen: Seen) -> Finding | None:
    """Steps between a series' first and last row that have no row."""
    absent = absent_steps(seen)
    before = np.flatnonzero(absent > 0)
    if not len(before) or is_chasm(int(absent.sum()), len(seen.order)):
        return None
    longest = before[np.argsort(-absent[before], kind="stable")][:SHOWN].tolist()
    examples = [
        seen.example(int(seen.order[row]), f"then {_steps(int(absent[row]))} absent", float(absent[row]))
        for row in longest
    ]
    series = len(np.unique(seen.owner[before]))
    return Finding(
        "warning",
        f"steps have no row, in {len(before):,} gaps of {series:,} series",
        int(absent.sum()),
        tuple(examples),
        "they count as missing; where nothing happened, write zeros",
    )


def _steps(count: int) -> str:
    return f"{count:,} step{'s' * (count > 1)}"


def gap_huge(seen: Seen) -> Finding | None:
    """Gaps so long that a year or a unit of time must be wrong."""
    absent = absent_steps(seen)
    if not is_chasm(int(absent.sum()), len(seen.order)):
        return None
    worst = np.argsort(-absent, kind="stable")[:1].tolist()
    assert isinstance(seen.calendar, Calendar)
    examples = [
        seen.example(int(seen.order[row + 1]), f"after {_steps(int(absent[row]))} without a row") for row in worst
    ]
    return Finding(
        "error",
        f"gap is too long to be true, at steps of {seen.calendar.frequency}",
        1,
        tuple(examples),
        "look for a wrong year or a wrong unit of time; or aggregate to longer steps",
    )


def absent_steps(seen: Seen) -> Ints:
    """The steps without a row between each row of `order` and the next of its series; 0 without a grid."""
    if seen.ordinals is None:
        return np.zeros(max(0, len(seen.order) - 1), np.int64)
    absent = np.diff(seen.ordinals) - 1
    return np.where(seen.owner[1:] == seen.owner[:-1], absent, 0)


def is_chasm(absent: int, rows: int) -> bool:
    """Whether more steps are absent from so many rows than can be true."""
    return absent + rows > GAP_LIMIT * rows + GAP_ALLOWANCE
