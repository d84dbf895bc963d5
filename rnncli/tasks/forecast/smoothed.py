"""The pool's exponential smoothing in a stream: it goes on over new rows, and forecasts from where it stands."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines import carried as smoothing
from rnncli.baselines.smoothing import LONGEST
from rnncli.data.panel import gather
from rnncli.inference.streaming import AtHand
from rnncli.tasks.forecast.forecaster import CHUNK, Forecaster, Histories
from rnncli.tasks.forecast.head import within
from rnncli.tasks.forecast.pool import baseline_quantiles
from rnncli.tasks.forecast.support import Support


def smoothed_on(
    carried: smoothing.Carried, season: int, at_hand: AtHand, consumed: Ints, target: Ints
) -> smoothing.Carried:
    """A smoothing after row target[s] - 1 of each series, from where it was before row consumed[s]."""
    if not carried.count.any() and (smoothing.last_renewal(target, season) <= consumed).all():
        return carried  # nothing is begun, so nothing goes on
    after = carried.copy()
    for begin in range(0, len(target), CHUNK):
        some = np.arange(begin, min(begin + CHUNK, len(target)))
        own, stop = after.at(slice(begin, begin + CHUNK)), target[some]
        renewal = smoothing.last_renewal(stop, season)
        late = np.flatnonzero(renewal > consumed[some])
        window = _rows_before(at_hand, some[late], renewal[late], LONGEST)
        smoothing.renew(own, late, window, renewal[late])
        start = np.maximum(renewal, consumed[some])
        smoothing.go_on(own, _rows_from(at_hand, some, start, stop), start, stop - start)
    return after


def _rows_before(at_hand: AtHand, places: Ints, stop: Ints, rows: int) -> Floats:
    """The target in the last `rows` rows at hand before row stop[i] of some series, counted from the first of each:
    [n, most], NaN where there is none.
    """
    first, last = stop - rows - at_hand.before[places], stop - at_hand.before[places]
    most = int((last - np.maximum(first, 0)).max(initial=0))
    begin = at_hand.panel.offsets[places]
    return gather(at_hand.panel.targets, begin, last, last - most, most, 0, 0)


def _rows_from(at_hand: AtHand, places: Ints, start: Ints, stop: Ints) -> Floats:
    """The target in rows start[i] ... stop[i] - 1 of some series, counted from the first of each: [n, most], NaN where
    there is none.
    """
    first, last = start - at_hand.before[places], stop - at_hand.before[places]
    most = int((last - np.maximum(first, 0)).max(initial=0))
    begin = at_hand.panel.offsets[places]
    return gather(at_hand.panel.targets, begin, last, first, most, 0, 0)


def smoothed_quantiles(
    model: Forecaster,
    smoothed: dict[int, smoothing.Carried],
    consumed: Ints,
    histories: Histories,
    may_come: Support,
) -> dict[int, Floats]:
    """What each smoothing that is carried forecasts [n, horizon, q] after consumed[s] rows of each series, by its place
    in the pool; that of a series before its first renewal, all of whose rows are kept, is made from them.
    """
    some, spec, found = histories.series, model.spec, {}
    for place, every in smoothed.items():
        part = every.at(some)
        made = within(smoothing.quantiles(part, consumed[some], spec.horizon, spec.levels), may_come)
        young = np.flatnonzero(part.count == 0)
        if len(young):
            name, season = model.pool.names[place], model.pool.seasons[place]
            ends = histories.ends[some[young]]
            made[young] = baseline_quantiles(name, season, histories.panel, some[young], ends, spec, may_come.at(young))
        found[place] = made
    return found
