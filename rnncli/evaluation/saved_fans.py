"""A table of forecasts that was saved, as a picture beside the rows that the data have by now."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.charts.fans import Fans, with_truth
from rnncli.charts.history import rows_that_help
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.evaluation.saved import refuse_twice
from rnncli.evaluation.saved_table import Saved

LONGEST = 1 << 20  # steps from a series' first forecast to its last


def saved_fans(saved: Saved, loaded: Loaded, history: int | None = None) -> tuple[Fans, int]:
    """Saved forecasts of the series that the data have, before them so many rows of `history`; and how many rows of
    the table are of other series. InputRefused if none is of theirs, if a time is none of the data's calendar, or if a
    series is forecast twice for one time.
    """
    panel = loaded.panel
    places = {name: place for place, name in enumerate(panel.ids)}
    series = np.fromiter((places.get(name, -1) for name in saved.ids), np.int64, count=len(saved.ids))
    known = np.flatnonzero(series >= 0)
    if not known.size:
        raise InputRefused("no forecast is of a series that the data have", hint="give the data that it was made of")
    step = _steps(panel, series[known], saved.times[known])
    refuse_twice(panel, series[known], step)
    chosen, owner = np.unique(series[known], return_inverse=True)
    first = np.full(len(chosen), np.iinfo(np.int64).max)
    np.minimum.at(first, owner, step)
    wide = int((step - first[owner]).max()) + 1
    if wide > LONGEST:
        raise InputRefused(
            f"a saved forecast spans {wide:,} steps", hint="look for a wrong year, or draw the forecasts of each origin"
        )
    kept = np.clip(first, 0, panel.lengths[chosen])
    past = panel.select(chosen).latest(kept, history or rows_that_help(wide, panel.calendar.seasons))
    at = owner, step - first[owner]
    unknown = np.full(len(chosen), np.nan)
    fans = Fans(
        past,
        _times(panel, chosen, first, wide),
        saved.levels,
        _laid(saved.quantiles[known], at, (len(chosen), wide)),
        _laid(saved.point[known], at, (len(chosen), wide)),
        np.full((len(chosen), wide), np.nan),
        unknown,
        loaded.columns,
    )
    return with_truth(fans, panel), len(series) - len(known)


def _steps(panel: Panel, series: Ints, times: Ints) -> Ints:
    """The step after its series' first row that each time is."""
    ordinal, _ = panel.calendar.ordinals(times)
    off = panel.calendar.times(ordinal, panel.phases[series]) != times
    if off.any():
        name = panel.ids[int(series[int(np.argmax(off))])]
        raise InputRefused(
            f"the saved forecasts have a time that is no step of {panel.calendar.frequency}",
            where=f"series {name!r}",
            hint="give the data that it was made of",
        )
    return np.asarray(ordinal - panel.starts[series])


def _times(panel: Panel, chosen: Ints, first: Ints, wide: int) -> Ints:
    ordinals = (panel.starts[chosen] + first)[:, None] + np.arange(wide)
    return panel.calendar.times(ordinals, np.broadcast_to(panel.phases[chosen][:, None], ordinals.shape))


def _laid(values: Floats, at: tuple[Ints, Ints], shape: tuple[int, int]) -> Floats:
    table = np.full((*shape, *values.shape[1:]), np.nan)
    table[at] = values
    return table
