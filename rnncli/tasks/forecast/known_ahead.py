"""Whether what is known ahead reaches over the horizon: which dates of which series lack it, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel, gather
from rnncli.data.writers.table import time_texts
from rnncli.errors import SeriesRefused
from rnncli.events import Listener, Noted
from rnncli.tasks.forecast.forecaster import Forecaster

SHOWN = 3  # dates in a message
_HINT = (
    "add a row with them and an empty target for each row to forecast, or give such rows with --future-data;"
    " or ask for a shorter --horizon"
)


def values_ahead(panel: Panel, ends: Ints, steps: int, names: Sequence[str]) -> Floats:
    """The named channels in the `steps` rows from row ends[s] of each series on: [series, steps, names]."""
    begins = panel.offsets[:-1]
    flat = [panel.of(name) for name in names]
    return np.stack([gather(channel, begins, panel.lengths, ends, steps, 0, 0) for channel in flat], axis=2)


def short_of_covariates(panel: Panel, ends: Ints, steps: int, forecaster: Forecaster) -> list[SeriesRefused]:
    """The series for which some of the rows to forecast have no future covariate at all, with the dates of these."""
    if not forecaster.spec.waits_for_covariates:
        return []
    missing = np.isnan(values_ahead(panel, ends, steps, forecaster.columns.future))
    lacking = np.logical_and.reduce(missing, axis=2)
    return [
        _refused(panel, s, int(ends[s]), np.flatnonzero(lacking[s]), steps, forecaster)
        for s in np.unique(np.nonzero(lacking)[0]).tolist()
    ]


def _refused(panel: Panel, s: int, end: int, rows: Ints, steps: int, forecaster: Forecaster) -> SeriesRefused:
    first = panel.starts[s] + end + rows[:SHOWN]
    times = panel.calendar.times(first, np.full(len(first), panel.phases[s]))
    dates = ", ".join(time_texts(times, forecaster.columns, panel.calendar))
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    names = ", ".join(forecaster.columns.future)
    return SeriesRefused(
        f"its future covariates ({names}) are missing for {len(rows):,} of the {steps:,} rows to forecast:"
        f" {dates}{more}",
        panel.ids[s],
        where=f"series {panel.ids[s]!r}",
        hint=_HINT,
    )


def tell_missing(panel: Panel, ends: Ints, steps: int, forecaster: Forecaster, tell: Listener) -> None:
    """A line for each future covariate that lacks values where others have theirs."""
    names = forecaster.columns.future
    if not names:
        return
    missing = np.isnan(values_ahead(panel, ends, steps, names))
    for place, name in enumerate(names):
        count = int(np.count_nonzero(missing[..., place]))
        if count:
            series = len(np.unique(np.nonzero(missing[..., place])[0]))
            tell(
                Noted(
                    f"future covariate {name!r} has no value in {count:,} of the rows to forecast"
                    f" ({series:,} series); there it is taken to be what it is on average"
                )
            )
