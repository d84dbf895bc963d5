"""What moved between two tables of forecasts of the same series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.errors import InputRefused
from rnncli.evaluation.saved_table import Saved

MEDIAN = 0.5


class Move(NamedTuple):
    """The move of one series, or of all together, over the times of which both tables have a median.

    `change` is the sum of |new - old| of the medians over that of |old|, `shift` the sum of new - old over the same,
    `width` how much wider the widest interval that both have became, as a share of what it was; NaN where undefined.
    """

    times: int
    change: float
    shift: float
    width: float

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {name: None if math.isnan(value) else value for name, value in self._asdict().items()}


@dataclass(frozen=True)
class Moved:
    """The series [S] that both tables have, with the move of each and the time at which it moved most; those that are
    `new` or `gone`, how many times of the common series only one of the tables has, and at how many of both a median is
    missing.
    """

    ids: tuple[str, ...]
    moves: tuple[Move, ...]
    largest_at: Ints
    overall: Move
    interval: tuple[float, float] | None
    new: tuple[str, ...]
    gone: tuple[str, ...]
    new_times: int
    gone_times: int
    missing: int
    steps: int

    @property
    def order(self) -> list[int]:
        """The places of the series, the one that moved most first."""
        return sorted(range(len(self.ids)), key=lambda s: (-np.nan_to_num(self.moves[s].change, nan=-1.0), s))

    @property
    def numbers(self) -> dict[str, float]:
        """What can be asked about by name: the move of all together, and `largest`, the largest of one series."""
        overall = self.overall
        changes = [move.change for move in self.moves if not math.isnan(move.change)]
        return {
            "change": overall.change,
            "shift": overall.shift,
            "width": overall.width,
            "largest": max(changes, default=math.nan),
            "new": float(len(self.new)),
            "gone": float(len(self.gone)),
            "missing": float(self.missing),
        }


def moved(old: Saved, new: Saved, names: tuple[str, str]) -> Moved:
    """What moved from one table to the other. InputRefused if they share no forecast, a row is there twice, or one has
    no median; `names` are what messages call them.
    """
    for saved, name in zip((old, new), names, strict=True):
        if MEDIAN not in saved.levels:
            raise InputRefused("the saved forecasts have no median", where=name, hint="they need a column q0.5")
    ids = sorted({*old.ids, *new.ids})
    places = {name: place for place, name in enumerate(ids)}
    one, other = (_sorted(saved, places, name) for saved, name in zip((old, new), names, strict=True))
    _, here, there = np.intersect1d(one.keys, other.keys, assume_unique=True, return_indices=True)
    if not len(here):
        raise InputRefused(
            "the two have no series and time in common", where=names[1], hint="give forecasts that overlap in time"
        )
    both = sorted(set(old.ids) & set(new.ids))
    shared = np.array([places[name] for name in both], np.int64)
    before, after = one.rows[here], other.rows[there]
    levels = _widest(old.levels, new.levels)
    medians = _at(old, MEDIAN, before), _at(new, MEDIAN, after)
    widths = _width(old, levels, before), _width(new, levels, after)
    pairs = _Pairs(np.searchsorted(shared, one.series[here]), *medians, *widths)
    overall = pairs.overall()
    return Moved(
        ids=tuple(both),
        moves=pairs.moves(len(both)),
        largest_at=pairs.largest_at(old.times[before], len(both)),
        overall=overall,
        interval=levels,
        new=tuple(sorted(set(new.ids) - set(old.ids))),
        gone=tuple(sorted(set(old.ids) - set(new.ids))),
        new_times=int(np.isin(other.series, shared).sum()) - len(here),
        gone_times=int(np.isin(one.series, shared).sum()) - len(here),
        missing=len(here) - overall.times,
        steps=len(np.unique(old.times[before])),
    )


class _Sorted(NamedTuple):
    """Rows [R] of a table, sorted: the place of the series of each, a key of series and time."""

    rows: Ints
    series: Ints
    keys: Any


def _sorted(saved: Saved, places: dict[str, int], name: str) -> _Sorted:
    series = np.array([places[one] for one in saved.ids], np.int64)
    rows = np.lexsort((saved.times, series))
    keys = np.empty(len(rows), [("series", np.int64), ("time", np.int64)])
    keys["series"], keys["time"] = series[rows], saved.times[rows]
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if len(again):
        raise InputRefused(
            "it has two rows for one series and time",
            where=f"{name}, series {saved.ids[int(rows[again[0]])]!r}",
            hint="give forecasts from one origin",
        )
    return _Sorted(rows, series[rows], keys)


def _widest(old: Sequence[float], new: Sequence[float]) -> tuple[float, float] | None:
    """The lowest and highest level that both tables have; None where that is the median alone."""
    common = sorted(set(old) & set(new))
    return (common[0], common[-1]) if len(common) > 1 else None


@dataclass(frozen=True)
class _Pairs:
    """Forecasts of the same series [n] and times: medians before and after, and widths of the interval [n]; NaN where
    they are not known, and then not compared.
    """

    series: Ints
    old: Floats
    new: Floats
    old_width: Floats
    new_width: Floats

    def moves(self, count: int) -> tuple[Move, ...]:
        """The move of each of `count` series."""
        parts = [np.bincount(self.series, part, count) for part in self._parts()]
        return tuple(_move(*sums) for sums in zip(*(part.tolist() for part in parts), strict=True))

    def overall(self) -> Move:
        """The move of all together."""
        return _move(*(float(part.sum()) for part in self._parts()))

    def largest_at(self, times: Ints, count: int) -> Ints:
        """The time at which the median of each series moved most: [count], 0 of one without a time."""
        steps = np.nan_to_num(np.abs(self.new - self.old), nan=-1.0)
        order = np.lexsort((-np.arange(len(times)), steps, self.series))
        found = np.zeros(count, np.int64)
        found[self.series[order]] = times[order]  # the last one written of each series stays
        return found

    def _parts(self) -> tuple[Floats, ...]:
        """Per row: whether the medians are known, the size of the old one, the step's size and the step; whether the
        widths are known, the old one and its step.
        """
        known, old, step = _known(self.old, self.new)
        return known, np.abs(old), np.abs(step), step, *_known(self.old_width, self.new_width)


def _known(old: Floats, new: Floats) -> tuple[Floats, Floats, Floats]:
    """1 where both are known, else 0; the old values and the steps to the new ones, 0 where one is not known."""
    step = new - old
    there = ~np.isnan(step)
    return there.astype(np.float64), np.where(there, old, 0.0), np.where(there, step, 0.0)


def _move(times: float, size: float, change: float, shift: float, widths: float, width: float, wider: float) -> Move:
    medians = (_ratio(change, size), _ratio(shift, size)) if times else (math.nan, math.nan)
    return Move(int(times), *medians, _ratio(wider, width) if widths else math.nan)


def _at(saved: Saved, level: float, rows: Ints) -> Floats:
    found: Floats = saved.quantiles[rows, saved.levels.index(level)]
    return found


def _width(saved: Saved, interval: tuple[float, float] | None, rows: Ints) -> Floats:
    """The width [n] of an interval; NaN where there is none."""
    if interval is None:
        return np.full(len(rows), math.nan)
    return _at(saved, interval[1], rows) - _at(saved, interval[0], rows)


def _ratio(above: float, below: float) -> float:
    """above / below; 0 where both are 0, NaN where only the latter is."""
    if below == 0:
        return 0.0 if above == 0 else math.nan
    return above / below
