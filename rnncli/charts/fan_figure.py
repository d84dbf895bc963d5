"""Fan charts drawn by matplotlib: history, median, intervals, and what came, a panel for each series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnncli.arrays import Bools, Floats
from rnncli.charts.axes import LETTERS, mark_times, places, plain_numbers, short, time_label, value_label
from rnncli.charts.fans import Fan, Fans, bands
from rnncli.charts.style import DARK_BLUE, GREY, PLAIN, VERMILLION, figure, styled, tints

ALONE, IN_A_GRID = 4.0, 2.3  # inches of height
NARROW = 0.4  # steps to each side of a forecast of one step, which would have no width
MARKED = 40  # steps up to which each is marked
HISTORY = "history"
ACTUAL = "actual"


def fan_figure(fans: Fans, heading: str = "", unit: str = "") -> Any:
    """A figure of 800 pixels' width with a panel for each series, two beside each other."""
    with styled():
        columns = 1 if len(fans) == 1 else 2
        rows = -(-len(fans) // columns)
        made = figure(ALONE if rows * columns == 1 else IN_A_GRID * rows + 1.0)
        grid = made.subplots(rows, columns, squeeze=False)
        for place, axes in enumerate(grid.ravel().tolist()):
            if place < len(fans):
                fan = fans.fan(place)
                draw_fan(axes, fans, fan)
                axes.set_title(titled(fan), loc="left", **PLAIN)
                label(axes, fans, unit, left=place % columns == 0, below=place + columns >= len(fans))
            else:
                axes.set_visible(False)
        if heading:
            made.suptitle(short(heading, 110), fontsize="large", **PLAIN)
        legend(made, grid.ravel().tolist()[: len(fans)])
    return made


def draw_fan(axes: Any, fans: Fans, fan: Fan) -> None:
    """Draw a series; what is drawn is named: `axes.get_legend_handles_labels` has it all."""
    calendar, past = fans.calendar, places(fan.past_times, fans.calendar)
    ahead = places(fan.times, calendar)
    step = _step(past, ahead)
    if past.size and ahead.size:
        axes.axvline((past[-1] + ahead[0]) / 2, color="0.8", linewidth=0.8, zorder=0)
    intervals = bands(fans.levels)
    for place, (band, tint) in enumerate(zip(intervals, tints(len(intervals)), strict=True)):
        wide = _widened(ahead, fan.quantiles[:, band.low], fan.quantiles[:, band.high], step)
        axes.fill_between(*wide, color=tint, linewidth=0, label=band.name, zorder=1 + place / 100)
    steps = len(past) + len(ahead)
    _line(axes, past, fan.past, steps, label=HISTORY, color=GREY, linewidth=1.0, zorder=3)
    _line(axes, ahead, fan.point, steps, label=fans.point_name, color=DARK_BLUE, linewidth=1.8, zorder=4)
    if not np.isnan(fan.actual).all():
        _line(axes, ahead, fan.actual, steps, label=ACTUAL, color=VERMILLION, linewidth=1.2, zorder=5)


def titled(fan: Fan, letters: int = LETTERS) -> str:
    """The name of a series, and its error where that is known."""
    return short(fan.name, letters) + ("" if math.isnan(fan.error) else f" (MASE {fan.error:.3g})")


def label(axes: Any, fans: Fans, unit: str, *, left: bool, below: bool) -> None:
    """Ticks of dates and numbers, and what they are of at the outer axes of a grid."""
    mark_times(axes.xaxis, fans.calendar)
    plain_numbers(axes.yaxis)
    axes.yaxis.get_major_locator().set_params(nbins=5)
    axes.tick_params(colors="0.25")
    axes.margins(x=0.01)
    if left:
        axes.set_ylabel(value_label(fans.columns, unit), **PLAIN)
    if below:
        axes.set_xlabel(time_label(fans.columns, fans.calendar), **PLAIN)


def legend(made: Any, panels: list[Any]) -> None:
    """One legend for all panels, each name once."""
    named: dict[str, Any] = {}
    for axes in panels:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(name, handle)
    order = sorted(named, key=lambda name: name.endswith("interval") or " to " in name)
    made.legend([named[name] for name in order], order, loc="outside lower center", ncols=4, frameon=False)


def _step(past: Floats, ahead: Floats) -> float:
    every = np.diff(np.concatenate([past, ahead]))
    return float(np.median(every)) if every.size else 1.0


def _widened(x: Floats, low: Floats, high: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """A band of which every step can be seen: one between steps without a forecast is given a width."""
    if not _alone(low).any():
        return x, low, high
    at = np.repeat(x, 3) + np.tile([-NARROW * step, 0.0, NARROW * step], len(x))
    edge = np.repeat(_alone(low), 3) | (np.tile([0, 1, 0], len(x)) == 1)
    return at, np.where(edge, np.repeat(low, 3), np.nan), np.where(edge, np.repeat(high, 3), np.nan)


def _alone(values: Floats) -> Bools:
    """Which values are there between two that are not, so that no line leads to them."""
    there = np.concatenate([[False], ~np.isnan(values), [False]])
    return np.asarray(there[1:-1] & ~there[:-2] & ~there[2:])


def _line(axes: Any, x: Floats, y: Floats, steps: int, **look: Any) -> None:
    """A line, with a mark at every value where these are few, and else at those that stand alone."""
    marked = list(range(len(y))) if steps <= MARKED else np.flatnonzero(_alone(y)).tolist()
    marks = {"marker": "o", "markersize": 2.5 if len(y) > 1 else 5, "markevery": marked} if marked else {}
    axes.plot(x, y, **look | marks)
