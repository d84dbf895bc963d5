"""Axes of time and of numbers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import DAY, Calendar
from rnncli.data.zones import zone_info
from rnncli.spec import Columns
from rnncli.text_width import cut

LETTERS = 44  # of a name
TICKS = 7  # at most; with fewer there are spans for which no round interval is known


def places(times: Ints, calendar: Calendar) -> Floats:
    """Where times lie on an axis: whole steps, or days since 1970 in UTC, as matplotlib counts them."""
    return times.astype(np.float64) if calendar.counts else times / float(DAY)


def mark_times(axis: Any, calendar: Calendar) -> None:
    """Ticks of whole steps, or of dates as the clock of the calendar's zone shows them."""
    from matplotlib import ticker

    if calendar.counts:
        axis.set_major_locator(ticker.MaxNLocator(TICKS, integer=True))
        return
    dates: Any = import_module("matplotlib.dates")
    zone = zone_info(calendar.zone or "UTC")
    locator = dates.AutoDateLocator(tz=zone, minticks=3, maxticks=TICKS)
    axis.set_major_locator(locator)
    axis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))


def time_label(columns: Columns, calendar: Calendar) -> str:
    """What the axis of time shows: the column, the zone, and how long a step is."""
    name = " and ".join(columns.times)
    if calendar.counts:
        return f"{name} (steps)" if calendar.frequency.multiple == 1 else f"{name} (steps of {calendar.fixed_step})"
    zone = f"{calendar.zone}, " if calendar.zone else ""
    return f"{name} ({zone}steps of {calendar.frequency})"


def value_label(columns: Columns, unit: str) -> str:
    """What the axis of values shows: the target, unless series are named by theirs, and its unit if it is known."""
    unit = unit or (columns.mark or "")
    if columns.targets:
        return unit
    return f"{short(columns.target)} ({unit})" if unit else short(columns.target)


def short(name: str, letters: int = LETTERS) -> str:
    """A name that fits into the room of so many narrow letters, without what would break a line."""
    return cut("".join(c if c.isprintable() else " " for c in name), letters)


def plain_numbers(axis: Any) -> None:
    """Numbers as they are, without an offset that is to be added; very large ones with a power of ten."""
    from matplotlib.ticker import ScalarFormatter

    formatter = ScalarFormatter(useOffset=False)
    formatter.set_powerlimits((-4, 7))
    axis.set_major_formatter(formatter)
