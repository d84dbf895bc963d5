"""Values that cannot be, or hardly: infinite, far from their neighbours, or in another unit from some row on."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.checks.finding import SHOWN, Finding
from rnncli.data.checks.seen import Seen
from rnncli.data.ordered import LARGEST

ENOUGH = 20  # observed rows of a series that is looked at
REACH = 4  # neighbours on each side that a value is compared with
FAR, ALONE = 12.0, 4.0  # mean deviations from the neighbours; times the deviation of the next value that is not so far
SHARE = 0.01  # of a series may be outliers; more are what it is like
BLOCK = 200_000
WINDOW, STAYS = 48, 8  # rows on each side of a jump that are compared, and how many there must be
POWERS = (1, 2, 3)  # of ten
NEAR = 0.12  # a jump's distance from a power of ten, in decades
JUMPS = 4  # more of them in a series are what it is like


def non_finite(seen: Seen) -> Finding | None:
    """Values that are infinite, or too large to compute with."""
    rows, channels = np.nonzero(seen.wild & seen.rows.own_values)
    if not len(rows):
        return None
    first = zip(rows[:SHOWN].tolist(), channels[:SHOWN].tolist(), strict=True)
    examples = [
        seen.example(row, f"{seen.rows.values[row, c]:g} in column {seen.rows.column(row, c)!r}") for row, c in first
    ]
    return Finding(
        "error",
        f"values are infinite, or beyond {LARGEST:g}",
        len(rows),
        tuple(examples),
        "correct them, or leave them empty where they are not known",
    )


def outlier(seen: Seen) -> Finding | None:
    """Single values of the target far from their neighbours, and from whatever else their series does."""
    place, values, offsets = _observed(seen)
    found, middle = _outliers(values, offsets)
    if not found.any():
        return None
    at = np.flatnonzero(found)
    worst = at[np.argsort(-np.abs(values[at] - middle[at]), kind="stable")][:SHOWN].tolist()
    examples = [
        seen.example(
            int(seen.order[place[i]]),
            f"{values[i]:.6g}, where its neighbours are near {middle[i]:.6g}",
            float(np.abs(values[i] - middle[i])),
        )
        for i in worst
    ]
    return Finding(
        "warning",
        "values are far from all their neighbours",
        len(at),
        tuple(examples),
        "look at them: correct errors, or leave the values empty; if they are true, nothing needs to be done",
    )


def _observed(seen: Seen) -> tuple[Ints, Floats, Ints]:
    """Positions and values of the observed targets, and the offsets of series of enough of them."""
    present = ~np.isnan(seen.values[:, 0])
    counts = np.add.reduceat(present, seen.offsets[:-1], dtype=np.int64)
    long = counts >= ENOUGH
    place = np.flatnonzero(present & long[seen.owner])
    return place, seen.values[place, 0], np.concatenate([[0], np.cumsum(counts[long])]).astype(np.int64)


def _outliers(values: Floats, offsets: Ints) -> tuple[Bools, Floats]:
    """Which values are outliers, and what their neighbours are like."""
    middle = neighbourhood(values, offsets)
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    found = _alone(np.abs(values - middle), owner, offsets)
    positive = np.minimum.reduceat(values, offsets[:-1]) > 0 if len(lengths) else np.zeros(0, np.bool_)
    if positive.any():
        level = np.log(np.where(positive[owner], values, 1.0))
        decades = _alone(np.abs(level - neighbourhood(level, offsets)), owner, offsets)
        low = decades & (values < middle)
        found = np.where(positive[owner], (found & decades) | low, found)
    return found, middle


def neighbourhood(values: Floats, offsets: Ints) -> Floats:
    """The median of the REACH values on each side of each value, those of its series alone: [n]."""
    if not len(values):
        return values
    lengths = np.diff(offsets)
    first, last = np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:] - 1, lengths)
    steps = np.array([*range(-REACH, 0), *range(1, REACH + 1)])
    found = np.empty(len(values))
    for begin in range(0, len(values), BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, len(values)))
        around = rows[:, None] + steps
        low, high = first[rows, None], last[rows, None]
        around += np.where(around < low, 2 * REACH + 1, 0) - np.where(around > high, 2 * REACH + 1, 0)
        ordered = np.partition(values[around], (REACH - 1, REACH), axis=1)
        found[rows] = (ordered[:, REACH - 1] + ordered[:, REACH]) / 2
    return found


def _alone(deviation: Floats, owner: Ints, offsets: Ints) -> Bools:
    """The few largest deviations of each series, if a wide gap divides them from the rest."""
    found = np.zeros(len(deviation), np.bool_)
    if not len(deviation):
        return found
    ranked = np.lexsort((-deviation, owner))
    size = deviation[ranked]
    rank = np.arange(len(size)) - np.repeat(offsets[:-1], np.diff(offsets))
    most = np.maximum(1, (SHARE * np.diff(offsets)).astype(np.int64))[owner]
    following = np.append(size[1:], 0.0)
    rest = _mean_of_rest(size, offsets)[owner]
    edge = (rank < most) & (size > FAR * rest) & (size > ALONE * following) & (size > 0) & (rest > 0)
    last = np.maximum.reduceat(np.where(edge, rank, -1), offsets[:-1])[owner]
    found[ranked] = rank <= last
    return found


def _mean_of_rest(size: Floats, offsets: Ints) -> Floats:
    """The mean deviation of each series without its largest share."""
    lengths = np.diff(offsets)
    skip = np.maximum(1, (2 * SHARE * lengths).astype(np.int64))
    edges = np.stack([offsets[:-1] + skip, offsets[1:]], axis=1).ravel()
    return np.asarray(np.add.reduceat(np.append(size, 0.0), edges)[::2] / (lengths - skip))


def unit_jump(seen: Seen) -> Finding | None:
    """Rows from which on the target is 10, 100 or 1,000 times what it was, or that part of it."""
    place, values, offsets = _observed(seen)
    at, power = _jumps(values, offsets)
    if not len(at):
        return None
    first = [(int(i), int(p)) for i, p in zip(at[:SHOWN], power[:SHOWN], strict=True)]
    examples = [seen.example(int(seen.order[place[i]]), _said(values, i, p)) for i, p in first]
    return Finding(
        "warning",
        "level shifts by a power of ten stay: perhaps another unit",
        len(at),
        tuple(examples),
        "if the unit changed, convert the rows on one side",
    )


def _said(values: Floats, row: int, power: int) -> str:
    times = f"{10 ** abs(power):,} times " + ("as much" if power > 0 else "less")
    return f"{times} from here on ({values[row - 1]:.6g}, then {values[row]:.6g})"


def _jumps(values: Floats, offsets: Ints) -> tuple[Ints, Ints]:
    """Positions of the first row after each jump, and its power of ten."""
    if len(values) < 2 * STAYS:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    sign = np.sign(values)
    decade = np.log10(np.abs(np.where(values == 0, 1.0, values)))
    change = np.abs(np.diff(decade)) > POWERS[0] - 4 * NEAR
    candidates = np.flatnonzero(change & (owner[1:] == owner[:-1]) & (sign[1:] == sign[:-1]) & (sign[1:] != 0)) + 1
    often = np.bincount(owner[candidates], minlength=len(offsets) - 1) > 5 * JUMPS
    kept = [
        (i, power)
        for i in candidates[~often[owner[candidates]]].tolist()
        if (power := _power(decade, sign, i, offsets, owner))
    ]
    counts = np.bincount(owner[[i for i, _ in kept]], minlength=len(offsets) - 1) if kept else np.zeros(0)
    kept = [(i, power) for i, power in kept if counts[owner[i]] <= JUMPS]
    return np.array([i for i, _ in kept], np.int64), np.array([power for _, power in kept], np.int64)


def _power(decade: Floats, sign: Floats, row: int, offsets: Ints, owner: Ints) -> int:
    """The power of ten by which the level jumps at a row and stays; 0 if it does not."""
    begin, end = int(offsets[owner[row]]), int(offsets[owner[row] + 1])
    begin, end = max(begin, row - WINDOW), min(end, row + WINDOW)
    if row - begin < STAYS or end - row < STAYS or (sign[begin:end] != sign[row]).any():
        return 0
    before, after = decade[begin:row], decade[row:end]
    size = float(np.median(after) - np.median(before))
    power = round(size)
    if abs(power) not in POWERS or abs(size - power) > NEAR:
        return 0
    low, high = (before, after) if power > 0 else (after, before)
    apart = np.quantile(high, 0.1) - np.quantile(low, 0.9)
    near = abs(float(np.median(decade[row : row + 3]) - np.median(decade[max(begin, row - 3) : row])) - size)
    return power if apart > 0.5 * abs(power) and near < 2 * NEAR else 0
