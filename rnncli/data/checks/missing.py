"""Rows without what every row needs, and values that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data import tables as reading
from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.checks.seen import Seen

MOSTLY = 0.5


def time_missing(seen: Seen) -> Finding | None:
    """Rows without a time."""
    return _of_fault(seen, reading.NO_TIME, "rows have no time", "give every row its time, or leave the row out")


def time_unreadable(seen: Seen) -> Finding | None:
    """Times that are none, or written in another way than most."""
    hint = next((fault.error.hint for fault in seen.faults if fault.id == reading.BAD_TIME and fault.error.hint), "")
    remedy = hint or "write all times in one way, such as 2024-05-01 06:00; or say which: --time-format"
    return _of_fault(seen, reading.BAD_TIME, "times cannot be read", remedy)


def id_missing(seen: Seen) -> Finding | None:
    """Rows without an id."""
    return _of_fault(seen, reading.NO_ID, "rows have no id", "give every row its id, or leave the row out")


def id_unusable(seen: Seen) -> Finding | None:
    """Ids with control characters, or that are not UTF-8."""
    return _of_fault(seen, reading.UGLY_ID, "rows have an id with control characters", "rename these series")


def number_unreadable(seen: Seen) -> Finding | None:
    """Texts in columns of numbers that are none: a finding's example for each of the first."""
    faults = [fault for fault in seen.faults if fault.id == reading.BAD_NUMBER]
    if not faults:
        return None
    tables = seen.rows.tables
    count = sum(int(fault.rows.sum()) for fault in faults)
    examples = [
        Example(where=tables.where(int(row)), says=fault.error.message if not place else f"column {fault.column!r}")
        for fault in faults
        for place, row in enumerate(np.flatnonzero(fault.rows)[:SHOWN])
    ]
    remedy = f"{faults[0].error.hint}; --fix leaves such cells empty"
    return Finding("error", "texts are no numbers", count, tuple(examples[:SHOWN]), remedy)


def number_ambiguous(seen: Seen) -> Finding | None:
    """Numbers that can be read in two ways, with decimal points or with marks between thousands."""
    fault = next((fault for fault in seen.faults if fault.id == reading.TWO_WAYS), None)
    if fault is None:
        return None
    error = fault.error
    what = "numbers may have marks between thousands"
    return Finding("error", what, 1, (Example(where=error.where, says=error.message),), error.hint)


def _of_fault(seen: Seen, id: str, what: str, remedy: str) -> Finding | None:  # noqa: A002  # as a finding calls it
    faults = [fault for fault in seen.faults if fault.id == id]
    count = sum(int(fault.rows.sum()) for fault in faults)
    if not count:
        return None
    first = [int(row) for fault in faults for row in np.flatnonzero(fault.rows)[:SHOWN]][:SHOWN]
    says = [fault.error.message for fault in faults][:1] * len(first)
    tables = seen.rows.tables
    examples = tuple(Example(where=tables.where(row), says=text) for row, text in zip(first, says, strict=True))
    return (
        Finding("error", what, count, examples[:1] if first else (), remedy)
        if id == reading.UGLY_ID
        else Finding(
            "error", what, count, (examples[0], *(Example(where=example.where) for example in examples[1:])), remedy
        )
    )


def missing(seen: Seen) -> Finding | None:
    """Values that are missing in rows that are there, in the target and the numeric or text covariates."""
    return finding_of_columns(of_columns(seen))


def of_columns(seen: Seen) -> list[tuple[str, int, int]]:
    """Each column with the number of its missing values, and of all."""
    return [(name, int(np.isnan(values).sum()), len(values)) for name, values in _by_column(seen)]


def finding_of_columns(named: Sequence[tuple[str, int, int]]) -> Finding | None:
    """The finding about values that are missing in these columns."""
    worst = sorted((found for found in named if found[1]), key=lambda found: -found[1])
    if not worst:
        return None
    examples = tuple(Example(says=f"column {name!r}: {count:,} of {of:,}") for name, count, of in worst[:SHOWN])
    return Finding(
        "note",
        "values are missing",
        sum(count for _, count, _ in worst),
        examples,
        "nothing needs to be done: missing values never count in a loss",
    )


def _by_column(seen: Seen) -> Iterator[tuple[str, Floats]]:
    """The values of each column; without rows at the end that only hold what is known ahead."""
    inner = np.ones(len(seen.values), np.bool_)
    if seen.columns.future:
        inner = np.arange(len(seen.values)) < _observed_ends(seen)[seen.owner]
    values, targets = seen.values[inner], seen.columns.targets
    place = seen.rows.stacked_places[seen.order][inner] % max(1, len(targets))
    yield from ((name, values[place == at, 0]) for at, name in enumerate(targets))
    for channel, name in enumerate(seen.rows.channel_names):
        if channel or not targets:
            yield name, values[place == 0, channel]


def _observed_ends(seen: Seen) -> Ints:
    """The position behind the last observed target of each series."""
    observed = np.flatnonzero(~np.isnan(seen.values[:, 0]))
    place = np.searchsorted(observed, seen.offsets[1:]) - 1
    last = observed[np.maximum(place, 0)] + 1 if observed.size else np.zeros(len(place), np.int64)
    return np.where((place >= 0) & (last > seen.offsets[:-1]), last, seen.offsets[:-1])


def nothing_observed(seen: Seen) -> Finding | None:
    """Series without any value of the target."""
    empty = np.flatnonzero(_observed_ends(seen) == seen.offsets[:-1])
    unborn = len(np.unique(seen.rows.codes)) - len(seen.ids) if seen.columns.wide else 0
    if not len(empty) + unborn:
        return None
    every = len(empty) == len(seen.ids)
    severity: Severity = "error" if every else "warning"
    names = tuple(Example(seen.ids[s]) for s in empty[:SHOWN].tolist())
    if unborn:
        present = set(seen.ids)
        names += tuple(Example(name) for name in seen.rows.ids if name not in present)
    return Finding(
        severity,
        "series have no value of the target" if not every else "no series has a value of the target",
        len(empty) + unborn,
        names[:SHOWN],
        "leave these series out, or look at --target and --decimal",
    )


def mostly_missing(seen: Seen) -> Finding | None:
    """Series of which more steps are missing than observed, the steps in gaps among them."""
    observed = np.add.reduceat(~np.isnan(seen.values[:, 0]), seen.offsets[:-1], dtype=np.int64)
    ends = _observed_ends(seen)
    steps = ends - seen.offsets[:-1] if seen.columns.future else np.diff(seen.offsets)
    if seen.ordinals is not None:
        last = np.maximum(ends, seen.offsets[:-1] + 1) - 1 if seen.columns.future else seen.offsets[1:] - 1
        steps = seen.ordinals[last] - seen.ordinals[seen.offsets[:-1]] + 1
    share = 1 - observed / np.maximum(steps, 1)
    found = np.flatnonzero((observed > 0) & (share > MOSTLY))
    if not len(found):
        return None
    worst = found[np.argsort(-share[found], kind="stable")]
    says = [f"{share[s]:.0%} of {steps[s]:,} steps missing" for s in worst[:SHOWN].tolist()]
    return Finding(
        "warning",
        "series are mostly missing",
        len(found),
        seen.of_series(worst, says, share[worst]),
        "leave them out, or aggregate to longer steps; for counts, write zeros where nothing happened",
    )


def trailing_missing(seen: Seen) -> Finding | None:
    """Series that end in missing targets: a forecast starts after them, unless covariates are known ahead."""
    if seen.columns.future:
        return None
    ends = _observed_ends(seen)
    found = np.flatnonzero((ends < seen.offsets[1:]) & (ends > seen.offsets[:-1]))
    if not len(found):
        return None
    says = [f"{seen.offsets[s + 1] - ends[s]:,} rows" for s in found[:SHOWN].tolist()]
    return Finding(
        "warning",
        "series end in missing values",
        len(found),
        seen.of_series(found, says),
        "a forecast starts after the last row: leave out rows that are not known yet",
    )
