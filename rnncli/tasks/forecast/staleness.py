"""Whether the newest rows are new enough."""

from __future__ import annotations

import time

import numpy as np

from rnncli.data.frequency import shown
from rnncli.data.instants import read_moment
from rnncli.data.panel import Panel
from rnncli.errors import SeriesRefused, UsageError
from rnncli.options.types import AnswerOptions

MICROSECONDS = 1_000_000
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))


def stale_series(panel: Panel, options: AnswerOptions) -> list[SeriesRefused]:
    """The series whose last observation is older than `max_age` seconds at `now`; none without a `max_age`."""
    limit = options.get("max_age")
    if limit is None:
        return []
    calendar = panel.calendar
    if calendar.counts:
        raise UsageError("--max-age needs times, and these are whole numbers", hint="leave it out")
    now = _now(options, calendar.zone)
    newest = calendar.times(panel.starts + panel.observed_ends() - 1, panel.phases)
    age = (now - newest) / MICROSECONDS
    return [
        SeriesRefused(
            f"its last observation, of {shown(int(newest[s]), calendar.zone, whole=False)}, is {spoken(age[s])} old,"
            f" and at most {spoken(limit)} are allowed",
            panel.ids[s],
            where=f"series {panel.ids[s]!r}",
            hint="wait for newer data, or raise --max-age",
        )
        for s in np.flatnonzero(age > limit).tolist()
    ]


def spoken(seconds: float) -> str:
    """A time in the largest unit of which it has two or more."""
    size, unit = next((pair for pair in _UNITS if seconds >= 2 * pair[0]), _UNITS[-1])
    return f"{seconds / size:,.{int(seconds < 100 * size)}f} {unit}".replace(".0 ", " ")


def _now(options: AnswerOptions, zone: str | None) -> int:
    """The moment to compare with; times without a zone are taken as UTC."""
    now, as_of = options.get("now"), options.get("as_of")
    option, text = ("--now", now) if now else ("--as-of", as_of)
    return time.time_ns() // 1_000 if text is None else read_moment(option, text, zone)
