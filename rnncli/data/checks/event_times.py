"""Events that are out of order, at the same time as another of their case, or far from all others."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.checks.tokenised import SeenTokens
from rnncli.data.rows import Rows

EDGE = 0.01  # of the events at either end may be far
MANY = 0.1  # of the events after another one


def event_unsorted(seen: SeenTokens) -> Finding | None:
    """Events that stand in the table behind a later one of their case."""
    if seen.rows is None or not seen.rows.columns.times:
        return None
    order = np.argsort(seen.rows.codes, kind="stable")
    found = order[1:][_same_case(seen.rows, order) & (np.diff(seen.rows.times[order]) < 0)]
    if not len(found):
        return None
    remedy = "nothing needs to be done: they are sorted by time; if the order of the table is the right one, see --time"
    what = "events stand behind a later one of their case"
    return Finding("note", what, len(found), _of_rows(seen.rows, found), remedy)


def event_simultaneous(seen: SeenTokens) -> Finding | None:
    """Events that come at the time of the one before them, whose order is that of the table: a warning where they are
    many.
    """
    if seen.rows is None or not seen.rows.columns.times:
        return None
    order = np.lexsort((np.arange(len(seen.rows.codes)), seen.rows.times, seen.rows.codes))
    after = _same_case(seen.rows, order)
    found = order[1:][after & (np.diff(seen.rows.times[order]) == 0)]
    if not len(found):
        return None
    share = len(found) / int(np.count_nonzero(after))
    severity: Severity = "warning" if share > MANY else "note"
    what = f"events come at the same time as the one before them, {share:.0%} of those that have one"
    remedy = "see that their order in the table is the right one, or give times that tell them apart"
    return Finding(severity, what, len(found), _of_rows(seen.rows, np.sort(found)), remedy)


def event_far(seen: SeenTokens) -> Finding | None:
    """Events that are farther from all others than these span, as where a year is mistyped."""
    if seen.rows is None or not seen.rows.columns.times:
        return None
    times = seen.rows.times.astype(np.float64)
    low, high = np.quantile(times, [EDGE, 1 - EDGE])
    away = np.maximum(low - times, times - high)
    found = np.flatnonzero((away > high - low) & (high > low))
    if not len(found):
        return None
    what = "events lie farther from all others in time than these span"
    remedy = "look at their years, and correct them, or leave their cases out: the time before and after them is wrong"
    return Finding("warning", what, len(found), _of_rows(seen.rows, found), remedy)


def _same_case(rows: Rows, order: Ints) -> Bools:
    """Which rows of an order are of the same case as the one before them: [rows - 1]."""
    codes = rows.codes[order]
    return np.asarray(codes[1:] == codes[:-1])


def _of_rows(rows: Rows, found: Ints) -> tuple[Example, ...]:
    return tuple(Example(rows.ids[int(rows.codes[row])], None, rows.where(row)) for row in found[:SHOWN].tolist())
