"""Fan charts as numbers: what came before a forecast, the forecast with its intervals, and what came true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.panel import Panel
from rnncli.data.writers.table import ForecastTable
from rnncli.metrics.point import mase
from rnncli.metrics.scale import seasonal_scales
from rnncli.spec import Columns


class Band(NamedTuple):
    """Two levels, by their places, with all that lies between them, and what that is called."""

    low: int
    high: int
    name: str


@dataclass(frozen=True)
class Fan:
    """One series: its last rows `past` [T], and the forecast of those that follow, quantiles [H, Q] and `point` [H].

    Times are UTC microseconds or whole steps. `actual` [H] is what came, NaN where that is not known; `error` is the
    mean absolute scaled error of the point forecast, NaN where nothing came.
    """

    name: str
    past_times: Ints
    past: Floats
    times: Ints
    quantiles: Floats
    point: Floats
    actual: Floats
    error: float


@dataclass(frozen=True)
class Fans:
    """The forecasts of S series over H steps at Q levels, in the data's units.

    `past` are the last rows of each series before its forecast, the target alone; `times`, `point` and `actual` are
    [S, H], `quantiles` [S, H, Q], NaN where there is no forecast, or nothing came. `scale` [S] is the unit of errors,
    NaN where it is undefined.
    """

    past: Panel
    times: Ints
    levels: tuple[float, ...]
    quantiles: Floats
    point: Floats
    actual: Floats
    scale: Floats
    columns: Columns

    def __len__(self) -> int:
        """Number of series."""
        return len(self.past.ids)

    @property
    def calendar(self) -> Calendar:
        """The calendar of all times."""
        return self.past.calendar

    @property
    def horizon(self) -> int:
        """Steps of the longest forecast."""
        return int(self.times.shape[1])

    @cached_property
    def errors(self) -> Floats:
        """The mean absolute scaled error of each point forecast, NaN where nothing came: [S]."""
        known = np.where(np.isnan(self.point), np.nan, self.actual)
        return mase(known, self.point, self.scale)

    @property
    def knows_truth(self) -> bool:
        """Whether anything that was forecast has come."""
        return bool((~np.isnan(self.actual)).any())

    @property
    def point_name(self) -> str:
        """What the point forecast is called: it may be the mean."""
        middle = self.levels.index(0.5) if 0.5 in self.levels else None
        same = middle is not None and np.array_equal(self.quantiles[..., middle], self.point, equal_nan=True)
        return "median" if same else "point forecast"

    def select(self, chosen: Ints) -> Fans:
        """The chosen series, in that order."""
        arrays = {name: getattr(self, name)[chosen] for name in ("times", "quantiles", "point", "actual", "scale")}
        return replace(self, past=self.past.select(chosen), **arrays)

    def fan(self, place: int) -> Fan:
        """One series; steps behind its last forecast are left out."""
        there = np.flatnonzero(~np.isnan(self.point[place]))
        steps = int(there[-1]) + 1 if there.size else 0
        past, rows = self.past, np.arange(self.past.lengths[place])
        return Fan(
            past.ids[place],
            self.calendar.times(past.starts[place] + rows, np.full(len(rows), past.phases[place])),
            past.target(place),
            self.times[place, :steps],
            self.quantiles[place, :steps],
            self.point[place, :steps],
            self.actual[place, :steps],
            float(self.errors[place]),
        )


def bands(levels: tuple[float, ...]) -> tuple[Band, ...]:
    """The intervals of a fan, the widest first: the lowest level with the highest, and so on inwards."""
    pairs = ((place, len(levels) - 1 - place) for place in range(len(levels) // 2))
    return tuple(Band(low, high, _called(levels[low], levels[high])) for low, high in pairs)


def _called(low: float, high: float) -> str:
    if abs(low + high - 1) < 1e-9:
        return f"{_percent(high - low)} interval"
    return f"{_percent(low)} to {_percent(high)}"


def _percent(share: float) -> str:
    return f"{round(100 * share, 6):g} %"


def of_table(table: ForecastTable, past: Panel | None) -> Fans:
    """The forecasts of a table, after the rows of `past`: the same series in the same order. None: there are none."""
    past = _no_rows(table) if past is None else past
    nothing = np.full(table.point.shape, np.nan)
    unknown = np.full(len(table.ids), np.nan)
    return Fans(past, table.times, table.levels, table.quantiles, table.point, nothing, unknown, table.columns)


def _no_rows(table: ForecastTable) -> Panel:
    ordinals, phases = table.calendar.ordinals(table.times[:, :1])
    offsets, values = np.zeros(len(table.ids) + 1, np.int64), np.zeros((0, 1))
    return Panel(table.ids, offsets, values, ordinals[:, 0], phases[:, 0], table.calendar, ())


def with_truth(fans: Fans, panel: Panel) -> Fans:
    """The forecasts beside what came, as far as the panel has it, and the scales of their errors: a series' mean
    seasonal difference in the rows before the forecast.
    """
    places = {name: place for place, name in enumerate(panel.ids)}
    series = np.array([places.get(name, -1) for name in fans.past.ids], np.int64)
    step = panel.calendar.ordinals(fans.times)[0] - panel.starts[series][:, None]
    inside = (series[:, None] >= 0) & (step >= 0) & (step < panel.lengths[series][:, None])
    rows = np.where(inside, panel.offsets[series][:, None] + step, 0)
    actual = np.where(inside, panel.targets[rows], np.nan) if len(panel.targets) else np.full(step.shape, np.nan)
    return replace(fans, actual=actual, scale=_scales(panel, series, step[:, 0], fans.calendar.seasons[0]))


def _scales(panel: Panel, series: Ints, first_step: Ints, season: int) -> Floats:
    """The scale of each of some series (-1: there is none) from the rows before a step: [n]."""
    found = np.full(len(series), np.nan)
    known = np.flatnonzero((series >= 0) & (first_step > 0))
    if known.size:
        kept = np.minimum(first_step[known], panel.lengths[series[known]])
        history = panel.select(series[known]).latest(kept, int(kept.max()))
        found[known] = seasonal_scales(history.targets, history.offsets, season)
    return found
