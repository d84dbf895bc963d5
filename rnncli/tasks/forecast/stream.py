"""Forecasts from a state that is carried along: each row of a series is consumed once, in any number of runs.

The network has seen every row since the first, not the last `context` alone. What a row adds depends on the rows of a
window before it, which lies on a grid of blocks of rows counted from the series' first: so it has the same bits
whichever run it comes in, and whatever comes with it. The pool's exponential smoothing is carried along too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines import carried as smoothing
from rnncli.baselines.smoothing import LONGEST
from rnncli.cells.named import cells_of
from rnncli.data.panel import Panel, gather, offsets_of, stretches
from rnncli.layers.stack import encoded
from rnncli.layers.unroll import unroll
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.beyond import in_blocks
from rnncli.tasks.forecast.carried import BLOCK, OUTPUT, Carried, Hidden, lead, rows_kept
from rnncli.tasks.forecast.consumed import fingerprints
from rnncli.tasks.forecast.forecaster import CHUNK, Forecaster, Origin, chunks
from rnncli.tasks.forecast.head import within
from rnncli.tasks.forecast.network import decoded, known_at
from rnncli.tasks.forecast.pool import baseline_quantiles
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support, shown, shown_in, supported


def advanced(model: Forecaster, carried: Carried, panel: Panel, ends: Ints) -> Carried:
    """The state after the first ends[s] rows of each series; those that were consumed before are not looked at."""
    work, before = _work(carried, panel)
    hidden = {name: part.copy() for name, part in carried.hidden.items()}
    target = np.maximum(panel.starts + ends - carried.starts, carried.consumed)
    for block, places in _blocks(carried.consumed, target):
        for begin in range(0, len(places), CHUNK):
            some = places[begin : begin + CHUNK]
            start = np.maximum(carried.consumed[some], block * BLOCK)
            stop = np.minimum(target[some], (block + 1) * BLOCK)
            for length in np.unique(stop - start):
                same = stop - start == length
                _consume(model, work, before, hidden, (block, some[same], start[same], int(length)))
    rows, new = np.minimum(target, rows_kept(model)), target - carried.consumed
    tail = work.values[stretches(work.offsets[:-1] + target - before - rows, rows)]
    consumed = work.values[stretches(work.offsets[:-1] + carried.rows, new)]
    return replace(
        carried,
        consumed=target,
        rows=rows,
        tail=tail,
        fingerprints=carried.fingerprints + fingerprints(model, consumed, carried.consumed, new),
        hidden=hidden,
        shown=carried.shown.and_then(shown(work, np.arange(len(work)), carried.rows + new, carried.rows)),
        smoothed={
            place: _smoothed(part, model.pool.seasons[place], work, before, (carried.consumed, target))
            for place, part in carried.smoothed.items()
        },
    )


def _smoothed(
    carried: smoothing.Carried, season: int, work: Panel, before: Ints, rows: tuple[Ints, Ints]
) -> smoothing.Carried:
    """A smoothing after row rows[1][s] - 1 of each series, from where it was before row rows[0][s]."""
    if not carried.count.any() and (smoothing.last_renewal(rows[1], season) <= rows[0]).all():
        return carried  # nothing is begun, so nothing goes on
    after = carried.copy()
    for begin in range(0, len(before), CHUNK):
        some = np.arange(begin, min(begin + CHUNK, len(before)))
        own = after.at(slice(begin, begin + CHUNK))
        consumed, target = (part[some] for part in rows)
        renewal = smoothing.last_renewal(target, season)
        late = np.flatnonzero(renewal > consumed)
        window = _rows(work, before, some[late], (renewal[late] - LONGEST, renewal[late]))
        smoothing.renew(own, late, window, renewal[late])
        start = np.maximum(renewal, consumed)
        values = _rows(work, before, some, (start, target), from_first=True)
        smoothing.go_on(own, values, start, target - start)
    return after


def _rows(work: Panel, before: Ints, places: Ints, rows: tuple[Ints, Ints], *, from_first: bool = False) -> Floats:
    """The target in rows rows[0][i] ... rows[1][i] - 1 of some series, counted from their first: [n, most], NaN where
    there is none.
    """
    first, stop = (part - before[places] for part in rows)
    begin, most = work.offsets[places], int((stop - np.maximum(first, 0)).max(initial=0))
    at = first if from_first else stop - most
    return gather(work.targets, begin, stop, at, most, 0, 0)


def _work(carried: Carried, panel: Panel) -> tuple[Panel, Ints]:
    """The tail of each series with the rows after it; and how many rows of the series lie before the first of them."""
    known = np.maximum(carried.ends - panel.starts, 0)
    new = np.maximum(panel.lengths - known, 0)
    offsets = offsets_of(carried.rows + new)
    values = np.empty((int(offsets[-1]), panel.values.shape[1]))
    values[stretches(offsets[:-1], carried.rows)] = carried.tail
    values[stretches(offsets[:-1] + carried.rows, new)] = panel.values[stretches(panel.offsets[:-1] + known, new)]
    first = carried.ends - carried.rows
    return replace(panel, offsets=offsets, values=values, starts=first), first - carried.starts


def _blocks(consumed: Ints, target: Ints) -> Iterator[tuple[int, Ints]]:
    """Each block of the grid in which rows are new, and the series that have them, in the order of time."""
    waiting = target > consumed
    if not waiting.any():
        return
    first, last = consumed // BLOCK, (target - 1) // BLOCK
    for block in range(int(first[waiting].min()), int(last[waiting].max()) + 1):
        places = np.flatnonzero(waiting & (first <= block) & (block <= last))
        if len(places):
            yield block, places


def _crops(
    model: Forecaster,
    work: Panel,
    before: Ints,
    places: Ints,
    block: Ints | int,
    length: Ints,
    may_come: Support | None = None,
) -> tuple[features.Crops, features.Normalised, ForecastSpec, Ints]:
    """Crops around a block of the grid, of which rows from length[i] on are not looked at; and the row of each series
    at which its crop begins. What `may_come` is given, or what the rows before the block say.
    """
    spec = replace(model.spec, steps=lead(model.spec) + BLOCK)
    begin = np.maximum(block * BLOCK - lead(spec), 0)
    first_row = begin - before[places]
    if may_come is None:
        past = _before(work, before, places, np.broadcast_to(block * BLOCK, places.shape), spec)
        may_come = supported(shown_in(past), past, model.spec)
    crops = features.cut(work, length - before[places], places, first_row, spec, may_come)
    return crops, features.normalise(crops, spec), spec, np.broadcast_to(begin, places.shape)


def _before(work: Panel, before: Ints, places: Ints, row: Ints, spec: ForecastSpec) -> Floats:
    """The target in the last rows before row[i] of some series that a block can look back on: [n, rows]."""
    at = row - before[places]
    rows = spec.lookback + lead(spec)
    return gather(work.targets, work.offsets[places], at, at, 0, rows, 0)


def _consume(model: Forecaster, work: Panel, before: Ints, hidden: Hidden, rows: tuple[int, Ints, Ints, int]) -> None:
    """Carry the state of some series over `length` rows of one block, in place."""
    block, places, start, length = rows
    crops, norm, spec, begin = _crops(model, work, before, places, block, start + length)
    steps = (start - begin)[:, None] + np.arange(length)
    only = slice(int(steps.min()), int(steps.max()) + 1)
    x = features.inputs(crops, norm, spec, model.clock, only)[np.arange(len(places))[:, None], steps - only.start]
    cells = cells_of(model.network.cell, model.network.layers)
    for member, weights in enumerate(model.members()):

        def run_cell(index: int, own: Mapping[str, Any], x: Any, member: int = member) -> Any:
            kept = hidden[f"layer{index}"]
            state = tuple(np.ascontiguousarray(part) for part in kept[member, places].swapaxes(0, 1))
            made, after = unroll(cells[index], own, x, state, np, activation=model.network.activation)
            kept[member, places] = np.stack(after, axis=1)
            return made

        outputs = encoded(run_cell, model.network.layers, weights, x, model.network.residual)
        hidden[OUTPUT][member, places, 0] = outputs[:, -1]


def kept_and_after(carried: Carried, panel: Panel) -> Panel:
    """The tail of each series and, behind it, the rows of `panel` that were not consumed: what is known ahead."""
    return _work(carried, panel)[0]


def quantiles(model: Forecaster, carried: Carried, panel: Panel, steps: int | None = None) -> Floats:
    """Quantiles for the `steps` (default: `horizon`) rows after the last row consumed, NaN where nothing was seen:
    [series, steps, q].

    They are a function of what is carried and of what is known ahead; `panel` is one of `kept_and_after`. Beyond the
    trained horizon, medians are consumed by a copy of the state as if they had been observed.
    """
    steps, after = steps or model.spec.horizon, carried
    if steps <= model.spec.horizon:
        return _trained_horizon(model, carried, panel)[:, :steps]

    def block(waiting: Panel, ends: Ints) -> Floats:
        nonlocal after
        after = advanced(model, after, waiting, ends)
        return _trained_horizon(model, after, kept_and_after(after, waiting))

    def may_come() -> Support:
        past = gather(panel.targets, panel.offsets[:-1], carried.rows, carried.rows, 0, model.spec.context, 0)
        return supported(carried.shown, past, model.spec)

    return in_blocks(block, panel, carried.rows, steps, model.spec, may_come)


def _trained_horizon(model: Forecaster, carried: Carried, panel: Panel) -> Floats:
    rows, before = carried.rows, carried.consumed - carried.rows
    spec = model.spec
    made = np.empty((len(panel), spec.horizon, len(spec.levels)))
    for places in chunks(len(panel), spec):
        made[places] = _forecast(model, carried, (panel, before, rows), places)
    return made


def _forecast(model: Forecaster, carried: Carried, seen: tuple[Panel, Ints, Ints], places: Ints) -> Floats:
    work, before, rows = seen
    spec = model.spec
    past = gather(work.targets, work.offsets[places], rows[places], rows[places], 0, spec.context, 0)
    may_come = supported(carried.shown.at(places), past, spec)
    usable = np.where(may_come.logs[:, None] & ~(past > 0), np.nan, past)
    visible = np.asarray(~np.isnan(usable).all(axis=1))
    made = np.full((len(places), spec.horizon, len(spec.levels)), np.nan)
    some = places[visible]
    if not len(some):
        return made
    last = carried.consumed[some] - 1
    may_come = may_come.at(visible)
    crops, norm, grid, begin = _crops(model, work, before, some, last // BLOCK, carried.consumed[some], may_come)
    origins, at = last - begin, np.arange(len(some))
    ahead = known_at(grid, (crops, norm, origins), model.clock)
    relative = [
        decoded(weights, grid, ahead, carried.hidden[OUTPUT][member, some, 0])
        for member, weights in enumerate(model.members())
    ]
    origin = Origin(norm.level[at, origins], norm.spread[at, origins], past[visible], may_come)
    baselines = _smoothed_quantiles(model, carried, (work, some, rows), may_come)
    made[visible] = model.finished(relative, origin, (work, some, rows), baselines)
    return made


def _smoothed_quantiles(
    model: Forecaster, carried: Carried, made_from: tuple[Panel, Ints, Ints], may_come: Support
) -> dict[int, Floats]:
    """What each smoothing that is carried forecasts [n, horizon, q], by its place in the pool; that of a series before
    its first renewal, all of whose rows are kept, is made from them.
    """
    (work, some, rows), spec, found = made_from, model.spec, {}
    for place, every in carried.smoothed.items():
        part = every.at(some)
        made = within(smoothing.quantiles(part, carried.consumed[some], spec.horizon, spec.levels), spec, may_come)
        young = np.flatnonzero(part.count == 0)
        if len(young):
            name, season = model.pool.names[place], model.pool.seasons[place]
            made[young] = baseline_quantiles(
                name, season, work, some[young], rows[some[young]], spec, may_come.at(young)
            )
        found[place] = made
    return found
