"""Where the forecasts of a backtest begin: counted back from the last rows, or all that lie in a span of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.instants import read_moment
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.evaluation.backtest import Split, rolling_origins
from rnncli.tasks.reading import NAMED
from rnncli.tasks.task import Backtest


def origins(loaded: Loaded, horizon: int, wanted: Backtest) -> list[Split]:
    """The splits that are wanted of data of which no row is later than `wanted.until`.

    UsageError where the span begins after it ends, InputRefused where it holds no whole window.
    """
    begins = None if wanted.start is None else _rows_before(loaded.panel, _start(loaded, wanted))
    return rolling_origins(loaded.panel, horizon, wanted.windows, wanted.stride, begins)


def not_scored(panel: Panel, splits: Sequence[Split]) -> list[str]:
    """The series that have no window."""
    scored = [np.zeros(0, np.int64), *(split.series for split in splits)]
    return [panel.ids[s] for s in np.setdiff1d(np.arange(len(panel)), np.concatenate(scored)).tolist()]


def left_out(missing: int, first: Sequence[str], wanted: Backtest) -> tuple[str, ...]:
    """A line about so many series that have no whole window in the span of time, if one was wanted, with the first."""
    if wanted.start is None or not missing:
        return ()
    named = ", ".join(first[:NAMED]) + ", ..." * (missing > NAMED)
    return (f"{missing:,} series without a whole window from {wanted.start} on are not scored: {named}",)


def _start(loaded: Loaded, wanted: Backtest) -> int:
    """The time from which on rows are scored."""
    zone, whole = loaded.panel.calendar.zone, loaded.columns.time_type == "integer"
    assert wanted.start is not None
    start = read_moment("--from", wanted.start, zone, whole=whole)
    if wanted.until is not None and start > read_moment("--until", wanted.until, zone, whole=whole):
        raise UsageError(
            f"--from {wanted.start} is after --until {wanted.until}", hint="nothing lies between them: swap the two"
        )
    return start


def _rows_before(panel: Panel, moment: int) -> Ints:
    """Rows of each series that are earlier than a moment: [series]."""
    place = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    ordinals = np.repeat(panel.starts, panel.lengths) + place
    earlier = panel.calendar.times(ordinals, np.repeat(panel.phases, panel.lengths)) < moment
    return np.diff(np.concatenate([np.zeros(1, np.int64), np.cumsum(earlier)])[panel.offsets])
