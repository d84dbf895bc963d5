"""What the values of each series looked like in training, and whether later ones still look so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.data.panel import Panel, pieces_of
from rnncli.data.sums import exact
from rnncli.errors import GateFailed

ALLOWED, MARGIN = 1.5, 1.0  # times the farthest that training saw, and as many spreads beside
SHARE = 0.2  # of the series must have drifted before a column has,
EXTREME = 10.0  # or one must be so many times as far as ever: another unit
MISSING, MISSING_MARGIN = 2.0, 0.2  # likewise for the share of missing values
LARGEST_RATIO = 1e12


@dataclass(frozen=True)
class Statistics:
    """Statistics of each series and channel [S, C]: `center` is the median, `spread` the mean absolute deviation from
    it; `row` and `block` say how many spreads a row and the mean of `length` rows were from the centre at most;
    `missing` is the share of missing values. A spread of 0 says that nothing was observed.
    """

    length: int
    center: Floats
    spread: Floats
    row: Floats
    block: Floats
    missing: Floats


def summarise(panel: Panel, length: int) -> Statistics:
    """The statistics of every series of a panel, for blocks of `length` rows; some series at a time, so that memory
    stays bounded.
    """
    parts = [_of_some(panel.select(some), length) for some in pieces_of(panel)]
    return Statistics(length, *(np.concatenate(found) for found in zip(*parts, strict=True)))


def _of_some(panel: Panel, length: int) -> tuple[Floats, ...]:
    channels = [_of_channel(panel, panel.values[:, channel], length) for channel in range(panel.values.shape[1])]
    return tuple(np.stack(parts, axis=1) for parts in zip(*channels, strict=True))


def _of_channel(panel: Panel, values: Floats, length: int) -> tuple[Floats, ...]:
    first, lengths = panel.offsets[:-1], panel.lengths
    owner = np.repeat(np.arange(len(panel)), lengths)
    seen = ~np.isnan(values)
    count = np.add.reduceat(seen, first, dtype=np.int64)
    center = _medians(values, owner, first, count)
    away = np.where(seen, values - center[owner], 0.0)
    spread = np.add.reduceat(np.abs(away), first) / np.maximum(count, 1)
    spread = np.where(count > 0, np.maximum(spread, 1e-9 * np.abs(center) + 1e-300), 0.0)
    size = np.where(spread > 0, spread, 1.0)
    row = np.minimum(np.maximum.reduceat(np.abs(away), first) / size, LARGEST_RATIO)
    block = np.maximum.reduceat(np.abs(_block_means(away, seen, owner, first, length)), first) / size
    return center, spread, row, np.minimum(block, LARGEST_RATIO), 1 - count / lengths


def _medians(values: Floats, owner: Ints, first: Ints, count: Ints) -> Floats:
    """Median of the observed values of each series, 0 where there is none: [S]."""
    ordered = values[np.lexsort((values, owner))]  # missing ones come last
    low, high = first + np.maximum(count - 1, 0) // 2, first + np.maximum(count // 2, 0)
    high = np.minimum(high, first + np.maximum(count - 1, 0))
    middle = ordered[low] / 2 + ordered[high] / 2
    return np.where(count > 0, middle, 0.0)


def _block_means(away: Floats, seen: Bools, owner: Ints, first: Ints, length: int) -> Floats:
    """At each row the mean of the `length` rows up to it, or of as many as its series has by then: [rows]."""
    total = np.concatenate([[0.0], np.cumsum(away)])
    known = np.concatenate([[0], np.cumsum(seen)])
    end = np.arange(1, len(away) + 1)
    begin = np.maximum(end - length, first[owner])
    full = end - begin >= np.minimum(length, np.diff(np.append(first, len(away)))[owner])
    return np.where(full, (total[end] - total[begin]) / np.maximum(known[end] - known[begin], 1), 0.0)


@dataclass(frozen=True)
class ColumnDrift:
    """How many of the series that have recent values in a column have drifted, the worst of them first.

    `distance` is how far the worst is from its centre, over the farthest that training saw of it, and `distances` how
    far each of the drifted is. Of so many `series` the shares of missing values in training sum up to `missing`, in a
    few numbers; `observed` of their recent `rows` are there.
    """

    name: str
    compared: int
    drifted: tuple[str, ...]
    distance: float
    distances: tuple[float, ...] = ()
    missing: tuple[float, ...] = ()
    series: int = 0
    observed: int = 0
    rows: int = 0

    @property
    def missing_before(self) -> float:
        """The mean share of missing values in training."""
        return math.fsum(self.missing) / max(1, self.series)

    @property
    def missing_now(self) -> float:
        """The share of the recent rows that are missing; that of the training where there are none."""
        return 1 - self.observed / self.rows if self.rows else self.missing_before

    def with_more(self, other: ColumnDrift) -> ColumnDrift:
        """The drift of the same column in these and further series."""
        away = sorted(
            zip((*self.distances, *other.distances), (*self.drifted, *other.drifted), strict=True),
            key=lambda pair: -pair[0],
        )
        return ColumnDrift(
            self.name,
            self.compared + other.compared,
            tuple(name for _, name in away),
            max(self.distance, other.distance),
            tuple(distance for distance, _ in away),
            tuple(exact([*self.missing, *other.missing])),
            self.series + other.series,
            self.observed + other.observed,
            self.rows + other.rows,
        )

    @property
    def has_drifted(self) -> bool:
        """Whether the column is to be called drifted."""
        too_many = self.compared > 0 and len(self.drifted) >= max(1.0, SHARE * self.compared)
        too_far = bool(self.drifted) and self.distance >= EXTREME
        return too_many or too_far or self.missing_now > MISSING * self.missing_before + MISSING_MARGIN

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {
            "column": self.name,
            "drifted": self.has_drifted,
            "series_compared": self.compared,
            "series_drifted": len(self.drifted),
            "worst": list(self.drifted[:5]),
            "distance": self.distance,
            "missing_before": self.missing_before,
            "missing_now": self.missing_now,
        }

    def __str__(self) -> str:
        if not self.compared:
            return f"column {self.name!r} has no values to compare"
        named = ", ".join(map(repr, self.drifted[:3])) + (" ..." if len(self.drifted) > 3 else "")
        far = f"; {self.distance:.3g} times as far as ever" if self.distance > 1 else ""
        worst = f" ({named}{far})" if self.drifted else ""
        missing = f"; {self.missing_now:.0%} of its recent values are missing, {self.missing_before:.0%} were"
        return (
            f"column {self.name!r}: {len(self.drifted):,} of {self.compared:,} series have left the range of the"
            f" training{worst}{missing if self.missing_now > self.missing_before + 0.01 else ''}"
        )


@dataclass(frozen=True)
class Drift:
    """What is new since training: by column, by group of series (a categorical static column's values), new series."""

    columns: tuple[ColumnDrift, ...]
    groups: dict[str, tuple[ColumnDrift, ...]]
    new_rows: int
    new_series: int

    def with_more(self, other: Drift) -> Drift:
        """The drift of these and further series."""
        columns = tuple(one.with_more(two) for one, two in zip(self.columns, other.columns, strict=True))
        groups = {
            name: tuple(one.with_more(two) for one, two in zip(found, other.groups[name], strict=True))
            for name, found in self.groups.items()
        }
        return Drift(columns, groups, self.new_rows + other.new_rows, self.new_series + other.new_series)

    @property
    def has_drifted(self) -> bool:
        """Whether any column has."""
        return any(column.has_drifted for column in self.columns)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        groups = {name: [column.to_json() for column in columns] for name, columns in self.groups.items()}
        return {
            "drifted": self.has_drifted,
            "new_rows": self.new_rows,
            "new_series": self.new_series,
            "columns": [column.to_json() for column in self.columns],
            "groups": groups,
        }


def drift(
    statistics: Statistics,
    panel: Panel,
    cutoffs: Mapping[str, int],
    groups: Mapping[str, Bools],
    targets: Mapping[str, Bools],
    places: Mapping[str, int] | None = None,
) -> Drift:
    """Hold each series' rows after its training, and its last `length` rows, against its statistics: the past can have
    been written anew, in another unit, and the few rows after it look like any.

    `cutoffs` are the last ordinals of the training's series, `places` their rows in the statistics; `groups` name some
    of the panel's series, and so do `targets`, where several columns stand in its first channel: each is judged alone.
    """
    place = {name: row for row, name in enumerate(cutoffs)} if places is None else places
    trained = np.array([place.get(name, -1) for name in panel.ids], np.int64)
    last = np.array([cutoffs.get(name, 0) for name in panel.ids], np.int64)
    new = np.where(trained >= 0, np.clip(panel.ends() - last, 0, panel.lengths), 0)
    recent = np.where(trained >= 0, np.minimum(np.where(new > 0, new, panel.lengths), statistics.length), 0)
    every = np.ones(len(panel), np.bool_)

    def columns(chosen: Bools) -> tuple[ColumnDrift, ...]:
        return tuple(
            replace(_column(statistics, panel, trained, recent, np.flatnonzero(of & (recent > 0)), channel), name=name)
            for name, channel, of in _where(panel, targets, chosen)
        )

    found = {name: columns(chosen) for name, chosen in groups.items()}
    return Drift(columns(every), found, int(new.sum()), int(np.count_nonzero(trained < 0)))


def _where(panel: Panel, targets: Mapping[str, Bools], chosen: Bools) -> Iterator[tuple[str, int, Bools]]:
    """Each column, its channel, and those of the chosen series that it has values of."""
    yield from ((name, 0, chosen & of) for name, of in targets.items())
    for channel, name in enumerate(panel.channel_names):
        if channel or not targets:
            yield name, channel, chosen


def _column(
    statistics: Statistics, panel: Panel, trained: Ints, recent: Ints, series: Ints, channel: int
) -> ColumnDrift:
    known, values, ends = trained[series], panel.values[:, channel], panel.offsets[series + 1]
    means, seen = _means(values, ends, recent[series])
    full = _means(values, ends, np.minimum(panel.lengths[series], statistics.length))
    found = _distances(statistics, known, channel, means, seen), _distances(statistics, known, channel, *full)
    comparable, beyond = found[0][0] | found[1][0], found[0][1] | found[1][1]
    distance = np.maximum(found[0][2], found[1][2])
    gone = np.flatnonzero(beyond)
    gone = gone[np.argsort(-distance[gone], kind="stable")]
    return ColumnDrift(
        panel.channel_names[channel],
        int(np.count_nonzero(comparable)),
        tuple(panel.ids[s] for s in series[gone].tolist()),
        float(np.minimum(distance.max(initial=0.0), LARGEST_RATIO)),
        tuple(distance[gone].tolist()),
        tuple(exact(statistics.missing[known, channel].tolist())),
        len(series),
        int(seen.sum()),
        int(recent[series].sum()),
    )


def _distances(
    statistics: Statistics, known: Ints, channel: int, means: Floats, seen: Ints
) -> tuple[Bools, Bools, Floats]:
    """Which means can be compared, which lie beyond the training's, and how far each is, over its farthest."""
    spread = statistics.spread[known, channel]
    comparable = (spread > 0) & (seen > 0)
    away = np.abs(means - statistics.center[known, channel]) / np.where(spread > 0, spread, 1.0)
    usual = np.where(seen >= statistics.length, statistics.block[known, channel], statistics.row[known, channel])
    varied = comparable & (usual > 0)  # of a series that never changed, any change is infinitely far
    distance = np.where(varied, away / np.where(usual > 0, usual, 1.0), 0.0)
    return comparable, comparable & (away > ALLOWED * usual + MARGIN), distance


def _means(values: Floats, ends: Ints, rows: Ints) -> tuple[Floats, Ints]:
    """Mean and number of the observed ones among the last `rows` values before `ends`."""
    means, seen = np.zeros(len(ends)), np.zeros(len(ends), np.int64)
    for place, (end, count) in enumerate(zip(ends.tolist(), rows.tolist(), strict=True)):
        part = values[end - count : end]
        part = part[~np.isnan(part)]
        seen[place] = part.size
        means[place] = part.mean() if part.size else 0.0
    return means, seen


def refuse_drift(found: Drift | None) -> None:
    """GateFailed if a column has drifted, or if that cannot be known."""
    if found is None:
        raise GateFailed("the model has no statistics of its training to compare with", hint="train it again")
    drifted = [column for column in found.columns if column.has_drifted]
    if drifted:
        raise GateFailed(
            f"the data have drifted since training: {drifted[0]}",
            hint="look at these series; if they are right, train again; without --fail-on-drift this is only reported",
        )
