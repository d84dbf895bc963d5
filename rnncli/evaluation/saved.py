"""Scoring a table of forecasts that was saved earlier: its rows are found again in the panel by id and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.evaluation.backtest import Split

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Matched:
    """Saved forecasts laid over a panel.

    `split` holds for each of the N series forecast the rows before its first forecast time (none: rows_kept 0) and the
    longest horizon H. actual [N, H] is NaN where there is no forecast or no value; quantiles [N, H, Q] and point [N, H]
    are NaN where there is no forecast. Rows of the table that the panel does not have are counted: series that it does
    not know, and times that its series do not have; `example` is one of them.
    """

    split: Split
    actual: Floats
    quantiles: Floats
    point: Floats
    unknown_series: int
    unknown_times: int
    example: str = ""


def match(
    panel: Panel,
    ids: Sequence[str],
    times: Integers,
    quantiles: Floats,
    point: Floats,
    steps: Integers | None = None,
) -> list[Matched]:
    """Line up forecasts, one a row: ids [R], times [R], quantiles [R, Q], point [R], and `steps` [R] how far behind its
    origin each is, from 1; without them all of a series are from one. The last window has the last origin of every
    series, the one before it the last but one, and so on.

    Times are as `Calendar.ordinals` takes them; rows may come in any order. InputRefused if a series is forecast twice
    for one time from one origin, or if nothing matches.
    """
    found = _find(panel, ids, times)
    if not found.there.any():
        raise InputRefused(
            "no forecast is of a series and time that the data have",
            where=_example(panel, ids, times, found.there),
            hint="give data that reach into the time that was forecast",
        )
    rows = np.flatnonzero(found.there)
    before = found.first_step(len(panel))[found.series[rows]] if steps is None else found.step[rows] - steps[rows] + 1
    kept = np.maximum(before, 0)
    horizon, example = int((found.step[rows] - kept).max()) + 1, _example(panel, ids, times, found.there)
    back = _windows_behind(found.series[rows], kept)
    windows = [back == behind for behind in reversed(range(int(back.max()) + 1))]
    return [_matched(panel, found, rows[own], kept[own], horizon, (quantiles, point), example) for own in windows]


def _windows_behind(series: Integers, kept: Integers) -> Integers:
    """How many later origins its series has, for forecasts [n] from the origins behind `kept` rows."""
    pairs, owner = np.unique(np.stack([series, kept], axis=1), axis=0, return_inverse=True)
    last = np.searchsorted(pairs[:, 0], pairs[:, 0], side="right") - 1
    behind: Integers = (last - np.arange(len(pairs)))[owner.reshape(-1)]
    return behind


def _matched(
    panel: Panel,
    found: _Found,
    rows: Integers,
    before: Integers,
    horizon: int,
    values: tuple[Floats, Floats],
    example: str,
) -> Matched:
    """Rows of a table, from one origin of each of their series, behind `before` [rows] rows of it."""
    refuse_twice(panel, found.series[rows], found.step[rows])
    chosen, first, owner = np.unique(found.series[rows], return_index=True, return_inverse=True)
    kept, ahead = before[first], found.step[rows] - before
    split = Split(chosen, kept, horizon, skipped=len(panel) - len(chosen))
    given = (*(one[rows] for one in values), np.ones(len(rows)))
    made, middle, seen = (_laid_out(one, owner, ahead, split) for one in given)
    return Matched(
        split=split,
        actual=np.where(np.isnan(seen), np.nan, split.actual(panel)),
        quantiles=made,
        point=middle,
        unknown_series=int(np.count_nonzero(~found.known)),
        unknown_times=int(np.count_nonzero(found.known & ~found.there)),
        example=example,
    )


@dataclass(frozen=True)
class _Found:
    """Where each row [R] of a table belongs: its series (-1 if unknown) and its step after that series' first row."""

    series: Integers
    step: Integers
    there: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.series >= 0

    def first_step(self, count: int) -> Integers:
        """The first step that is forecast of each of `count` series, whether or not the panel has it."""
        first = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(first, self.series[self.known], self.step[self.known])
        return first


def _find(panel: Panel, ids: Sequence[str], times: Integers) -> _Found:
    places = {name: place for place, name in enumerate(panel.ids)}
    series = np.fromiter((places.get(name, -1) for name in ids), dtype=np.int64, count=len(ids))
    ordinal, _ = panel.calendar.ordinals(times)
    step = ordinal - panel.starts[series]
    on_step = panel.calendar.times(ordinal, panel.phases[series]) == times
    there = (series >= 0) & on_step & (step >= 0) & (step < panel.lengths[series])
    return _Found(series, step, there)


def _laid_out(values: Floats, owner: Integers, ahead: Integers, split: Split) -> Floats:
    table = np.full((len(split.series), split.horizon, *values.shape[1:]), np.nan)
    table[owner, ahead] = values
    return table


def refuse_twice(panel: Panel, series: Integers, step: Integers) -> None:
    """InputRefused where two rows [n] are of one series and step."""
    order = np.lexsort((step, series))
    again = np.flatnonzero((np.diff(series[order]) == 0) & (np.diff(step[order]) == 0))
    if len(again):
        row = order[again[0]]
        place, at = int(series[row]), int(panel.starts[series[row]] + step[row])
        when = panel.calendar.times(np.array([at]), panel.phases[place : place + 1])[0]
        raise InputRefused(
            "the saved forecasts have two rows for one series and time",
            hint="score the forecasts of each origin on their own, or those that evaluate --keep-forecasts keeps",
            where=f"series {panel.ids[place]!r} at {_written(panel, int(when))}",
        )


def _example(panel: Panel, ids: Sequence[str], times: Integers, there: NDArray[np.bool_]) -> str:
    if there.all():
        return ""
    row = int(np.flatnonzero(~there)[0])
    return f"series {ids[row]!r} at {_written(panel, int(times[row]))}"


def _written(panel: Panel, when: int) -> str:
    whole = panel.calendar.counts
    return str(when) if whole else str(np.datetime64(when, "us")).replace("T", " ").removesuffix(".000000")
