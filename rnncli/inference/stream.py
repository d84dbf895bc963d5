"""Forecasts from a state that is carried along: each row of a series is consumed once, in any number of runs.

The network has seen every row since the first, not the last `context` alone. What a row adds depends on the rows of a
window before it, which lies on a grid of blocks of rows counted from the series' first: so it has the same bits
whichever run it comes in, and whatever comes with it. The pool's exponential smoothing is carried along too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.baselines import carried as smoothing
from rnncli.baselines.smoothing import LONGEST
from rnncli.cells.named import cells_of
from rnncli.data.panel import Panel
from rnncli.data.writers.table import time_texts
from rnncli.errors import SeriesRefused
from rnncli.inference.forecaster import CHUNK, Forecaster
from rnncli.layers.stack import encoded
from rnncli.layers.unroll import unroll
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.network import decoded
from rnncli.tasks.forecast.output import within
from rnncli.tasks.forecast.pool import baseline_quantiles
from rnncli.tasks.forecast.spec import ForecastSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Hidden = dict[str, NDArray[np.float32]]

BLOCK = 32  # rows whose inputs are made at once
OUTPUT = "output"  # of the last layer, at the last row that was consumed


@dataclass(frozen=True)
class Carried:
    """What is kept of each series: the ordinal of its first row, how many rows were `consumed`, its phase, the last
    of these rows (`tail`, oldest first: [rows, channels] each), and the network's state: `hidden` holds for each layer
    [members, series, parts, H], and the last layer's output [members, series, 1, H]. `smoothed` is the state of each
    exponential smoothing in the pool, by its place there.
    """

    ids: tuple[str, ...]
    starts: Ints
    consumed: Ints
    phases: Ints
    tail: tuple[Floats, ...]
    hidden: Hidden
    smoothed: dict[int, smoothing.Carried]

    @property
    def ends(self) -> Ints:
        """Ordinal of the first row that was not consumed."""
        return self.starts + self.consumed


def shapes(model: Forecaster, series: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the network's state for so many series."""
    network = model.network
    found: dict[str, tuple[int, ...]] = {OUTPUT: (network.members, series, 1, network.hidden)}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        found[f"layer{index}"] = (network.members, series, len(cell.state_names), network.hidden)
    return found


def rows_kept(model: Forecaster) -> int:
    """Rows of the tail: what the inputs of the next row, and a forecast after the last one, can depend on."""
    spec = model.forecast
    return max(spec.lookback + _lead(spec) + BLOCK, model.context)


def begun(model: Forecaster, panel: Panel) -> Carried:
    """The series of a panel before their first row is consumed."""
    network, count = model.network, len(panel)
    hidden = {name: np.zeros(shape, np.float32) for name, shape in shapes(model, count).items()}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        for part, name in enumerate(cell.state_names):
            hidden[f"layer{index}"][:, :, part] = cell.initial.get(name, 0.0)
    nothing = tuple(np.zeros((0, panel.values.shape[1])) for _ in range(count))
    smoothed = {place: smoothing.nothing(count, season) for place, season in model.pool.smoothing.items()}
    return Carried(panel.ids, panel.starts, np.zeros(count, np.int64), panel.phases, nothing, hidden, smoothed)


def known_and_new(model: Forecaster, carried: Carried, panel: Panel) -> tuple[Carried, Carried]:
    """What is kept of each series of the panel, in its order, or the beginning of one that is new; and what is kept of
    the series that the panel does not have.
    """
    place = {name: at for at, name in enumerate(carried.ids)}
    fresh = begun(model, panel)
    both = joined(carried, fresh)
    order = [place.get(name, len(carried.ids) + at) for at, name in enumerate(panel.ids)]
    here = set(panel.ids)
    absent = [at for at, name in enumerate(carried.ids) if name not in here]
    return chosen(both, order), chosen(carried, absent)


def joined(one: Carried, other: Carried) -> Carried:
    """The series of both."""
    return Carried(
        one.ids + other.ids,
        np.concatenate([one.starts, other.starts]),
        np.concatenate([one.consumed, other.consumed]),
        np.concatenate([one.phases, other.phases]),
        one.tail + other.tail,
        {name: np.concatenate([one.hidden[name], other.hidden[name]], axis=1) for name in other.hidden},
        {place: part.beside(other.smoothed[place]) for place, part in one.smoothed.items()},
    )


def chosen(carried: Carried, places: list[int]) -> Carried:
    """The series at these places, in that order."""
    at = np.array(places, np.int64)
    return Carried(
        tuple(carried.ids[place] for place in places),
        carried.starts[at],
        carried.consumed[at],
        carried.phases[at],
        tuple(carried.tail[place] for place in places),
        {name: part[:, at] for name, part in carried.hidden.items()},
        {place: part.at(at) for place, part in carried.smoothed.items()},
    )


def refusals(model: Forecaster, carried: Carried, panel: Panel, ends: Ints) -> list[SeriesRefused]:
    """Why series of the panel cannot go on from what is kept of them (`carried`, in the panel's order): a row between
    was never seen, or one that was consumed is another now.
    """
    found = (_refusal(model, carried, panel, place, int(ends[place])) for place in range(len(panel)))
    return [refusal for refusal in found if refusal is not None]


def _refusal(model: Forecaster, carried: Carried, panel: Panel, place: int, end: int) -> SeriesRefused | None:
    name, first, due = panel.ids[place], int(panel.starts[place]), int(carried.ends[place])

    def refused(message: str, hint: str, ordinal: int) -> SeriesRefused:
        at, phase = np.array([ordinal]), panel.phases[place : place + 1]
        (when,) = time_texts(panel.calendar.times(at, phase), model.columns, panel.calendar)
        return SeriesRefused(f"{message} ({when})", name, where=f"series {name!r}", hint=hint)

    if panel.phases[place] != carried.phases[place]:
        return refused("its times lie between those of the state", "give times on the same grid", first)
    if carried.consumed[place] and first > due:
        return refused(f"{first - due:,} rows are missing between the state and the data", "give all rows since", due)
    tail = carried.tail[place]
    begin, stop = max(first, due - len(tail)), min(first + end, due)
    if begin >= stop:
        return None
    now = panel.series(place)[begin - first : stop - first]
    was = tail[begin - due + len(tail) : stop - due + len(tail)]
    columns = [0, *(1 + at for at, covariate in enumerate(model.forecast.covariates) if covariate.role != "static")]
    other = ~((now == was) | (np.isnan(now) & np.isnan(was)))[:, columns].all(axis=1)
    if not other.any():
        return None
    at = int(np.argmax(other))
    late = bool(np.isnan(was[at, 0]) and not np.isnan(now[at, 0]))
    what = "a row came late: its place was consumed as missing" if late else "a row has changed since it was consumed"
    return refused(what, "begin a new state from the whole history", begin + at)


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
    kept = rows_kept(model)
    tail = tuple(work.series(s)[max(0, rows - kept) : rows].copy() for s, rows in enumerate(target - before))
    smoothed = {
        place: _smooth(part, model.pool.seasons[place], work, before, (carried.consumed, target))
        for place, part in carried.smoothed.items()
    }
    return replace(carried, consumed=target, tail=tail, hidden=hidden, smoothed=smoothed)


def _smooth(
    carried: smoothing.Carried, season: int, work: Panel, before: Ints, rows: tuple[Ints, Ints]
) -> smoothing.Carried:
    """Carry a smoothing from row rows[0][s] of each series to row rows[1][s]."""
    found = smoothing.nothing(0, season)
    for begin in range(0, len(before), CHUNK):
        some = np.arange(begin, min(begin + CHUNK, len(before)))
        consumed, target = (part[some] for part in rows)
        renewal = smoothing.last_renewal(target, season)
        late = renewal > consumed
        own = carried.at(some)
        if late.any():
            window = _rows(work, before, some[late], (renewal[late] - LONGEST, renewal[late]))
            old = own.at(np.flatnonzero(~late)).beside(smoothing.renewed(window, renewal[late], season))
            own = old.at(np.argsort(np.concatenate([np.flatnonzero(~late), np.flatnonzero(late)])))
        start = np.where(late, renewal, consumed)
        values = _rows(work, before, some, (start, target), aligned_left=True)
        found = found.beside(smoothing.gone_on(own, values, start, target - start))
    return found


def _rows(work: Panel, before: Ints, places: Ints, rows: tuple[Ints, Ints], *, aligned_left: bool = False) -> Floats:
    """The target in rows rows[0][i] ... rows[1][i] - 1 of some series, counted from their first: [n, most], NaN where
    there is none.
    """
    first, stop = (part - before[places] for part in rows)
    begin, most = work.offsets[places], int((stop - np.maximum(first, 0)).max(initial=0))
    at = first if aligned_left else stop - most
    return features.gather(work.values[:, 0], begin, stop, at, most, 0, 0)


def _work(carried: Carried, panel: Panel) -> tuple[Panel, Ints]:
    """The tail of each series with the rows after it; and how many rows of the series lie before the first of them."""
    parts, starts = [], []
    for s, tail in enumerate(carried.tail):
        rows = panel.series(s)
        new = max(0, int(carried.ends[s] - panel.starts[s]))
        parts.append(np.concatenate([tail, rows[new:]]))
        starts.append(carried.ends[s] - len(tail))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(part) for part in parts], dtype=np.int64)])
    values = np.concatenate(parts) if parts else panel.values
    first = np.array(starts, np.int64)
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


def _lead(spec: ForecastSpec) -> int:
    """Steps before a block that its inputs look back on, beside the lookback."""
    return spec.seasons[0]


def _crops(
    model: Forecaster, work: Panel, before: Ints, places: Ints, block: Ints | int, length: Ints
) -> tuple[features.Crops, features.Normalised, ForecastSpec, Ints]:
    """Crops around a block of the grid, of which rows from length[i] on are not looked at; and the row of each series
    at which its crop begins.
    """
    spec = replace(model.forecast, steps=_lead(model.forecast) + BLOCK)
    begin = np.maximum(block * BLOCK - _lead(spec), 0)
    first_row = begin - before[places]
    crops = features.usable(features.cut(work, length - before[places], places, first_row, spec), spec)
    return crops, features.normalise(crops.values, spec), spec, np.broadcast_to(begin, places.shape)


def _consume(model: Forecaster, work: Panel, before: Ints, hidden: Hidden, rows: tuple[int, Ints, Ints, int]) -> None:
    """Carry the state of some series over `length` rows of one block, in place."""
    block, places, start, length = rows
    crops, norm, spec, begin = _crops(model, work, before, places, block, start + length)
    steps = (start - begin)[:, None] + np.arange(length)
    x = features.inputs(crops, norm, spec, model.calendar)[np.arange(len(places))[:, None], steps]
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


def quantiles(model: Forecaster, carried: Carried, panel: Panel) -> Floats:
    """Quantiles for the horizon after the last row consumed, NaN where nothing was seen: [series, horizon, q].

    They are a function of what is carried and of what is known ahead; `panel` is one of `kept_and_after`.
    """
    rows = np.array([len(tail) for tail in carried.tail], np.int64)
    before = carried.consumed - rows
    parts = [
        _forecast(model, carried, (panel, before, rows), np.arange(begin, min(begin + CHUNK, len(panel))))
        for begin in range(0, len(panel), CHUNK)
    ]
    spec = model.forecast
    return np.concatenate(parts) if parts else np.zeros((0, spec.horizon, len(spec.levels)))


def _forecast(model: Forecaster, carried: Carried, seen: tuple[Panel, Ints, Ints], places: Ints) -> Floats:
    work, before, rows = seen
    spec = model.forecast
    past = features.gather(work.values[:, 0], work.offsets[places], rows[places], rows[places], 0, spec.context, 0)
    visible = ~np.isnan(np.where(past > 0, past, np.nan) if spec.link == "log" else past).all(axis=1)
    made = np.full((len(places), spec.horizon, len(spec.levels)), np.nan)
    some = places[visible]
    if not len(some):
        return made
    last = carried.consumed[some] - 1
    crops, norm, grid, begin = _crops(model, work, before, some, last // BLOCK, carried.consumed[some])
    origins, at = last - begin, np.arange(len(some))
    relative = [
        decoded(weights, grid, (crops, norm, origins), carried.hidden[OUTPUT][member, some, 0], model.calendar)
        for member, weights in enumerate(model.members())
    ]
    level, spread = norm.level[at, origins], norm.spread[at, origins]
    baselines = _smoothed_quantiles(model, carried, (work, some, rows))
    made[visible] = model.finished(relative, level, spread, past[visible], (work, some, rows), baselines)
    return made


def _smoothed_quantiles(model: Forecaster, carried: Carried, made_from: tuple[Panel, Ints, Ints]) -> dict[int, Floats]:
    """What each smoothing that is carried forecasts [n, horizon, q], by its place in the pool; that of a series before
    its first renewal, all of whose rows are kept, is made from them.
    """
    (work, some, rows), spec, found = made_from, model.forecast, {}
    for place, every in carried.smoothed.items():
        part = every.at(some)
        made = within(smoothing.quantiles(part, carried.consumed[some], spec.horizon, spec.levels), spec)
        young = np.flatnonzero(part.count == 0)
        if len(young):
            name, season = model.pool.names[place], model.pool.seasons[place]
            made[young] = baseline_quantiles(name, season, work, some[young], rows[some[young]], spec)
        found[place] = made
    return found
