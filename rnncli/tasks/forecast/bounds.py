"""Values that lie outside the bounds that were said of them."""

from __future__ import annotations

import numpy as np

from rnncli.data.frequency import shown
from rnncli.data.panel import Panel
from rnncli.errors import SeriesRefused


def outside(panel: Panel, least: float | None, most: float | None) -> list[SeriesRefused]:
    """The series with a target below `least` or above `most`, each with the first such value."""
    values = panel.targets
    wrong = np.zeros(len(values), np.bool_)
    for limit, beyond in ((least, np.less), (most, np.greater)):
        if limit is not None:
            wrong |= beyond(values, limit)
    rows = np.flatnonzero(wrong)
    series, first = np.unique(np.searchsorted(panel.offsets, rows, side="right") - 1, return_index=True)
    return [_refused(panel, s, int(row), least) for s, row in zip(series.tolist(), rows[first].tolist(), strict=True)]


def _refused(panel: Panel, s: int, row: int, least: float | None) -> SeriesRefused:
    calendar, whole = panel.calendar, panel.calendar.counts
    value, name = float(panel.targets[row]), panel.ids[s]
    ordinal = panel.starts[s] + row - panel.offsets[s]
    time = int(calendar.times(np.array([ordinal]), panel.phases[s : s + 1])[0])
    side = "below the minimum" if least is not None and value < least else "above the maximum"
    return SeriesRefused(
        f"the value {value!r} is {side} that was said of the values",
        name,
        where=f"series {name!r} at {shown(time, calendar.zone, whole)}",
        hint="correct it, leave it empty, or train with another --min and --max",
    )
