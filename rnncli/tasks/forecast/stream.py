"""Forecasts from a state that is carried along: each row of a series is consumed once, in any number of runs.

The network has seen every row since the first, not the last `context` alone. What a row adds depends on the rows of a
window before it, which lies on the grid of blocks that a stream counts from the series' first row. The pool's
exponential smoothing is carried along too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.checkpoint import Layout
from rnncli.data.panel import Panel, gather
from rnncli.data.writers.table import time_texts
from rnncli.inference.advance import BLOCK, advanced, at_hand
from rnncli.inference.hidden import OUTPUT
from rnncli.inference.streaming import AtHand, NewRows
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.beyond import in_blocks
from rnncli.tasks.forecast.extras import (
    WAITING,
    ForecastExtras,
    ForecastState,
    extras_from,
    first_extras,
    shown_layout,
    smoothing_layout,
    waiting_layout,
)
from rnncli.tasks.forecast.forecaster import Forecaster, Histories, Origin, chunks
from rnncli.tasks.forecast.model_file import fitted_layout
from rnncli.tasks.forecast.network import decoded, known_at
from rnncli.tasks.forecast.smoothed import smoothed_on, smoothed_quantiles
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support, shown, shown_in, supported

FITTED = "fitted"  # what a file says of base as it was fitted to the series


@dataclass(frozen=True)
class StreamingForecaster:
    """A forecaster whose network consumes each row once; see `StreamingModel`."""

    model: Forecaster

    @property
    def network(self) -> NetworkSpec:
        """The network."""
        return self.model.network

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member of the network."""
        return self.model.members()

    @property
    def channels(self) -> int:
        """The target and the covariates."""
        return 1 + len(self.model.spec.covariates)

    @property
    def compared(self) -> Sequence[int]:
        """The channels that belong to a row: all but what is one value for a series."""
        covariates = enumerate(self.model.spec.covariates)
        return [0, *(1 + at for at, covariate in covariates if covariate.role != "static")]

    @property
    def rows_kept(self) -> int:
        """Rows that the inputs of the next row, and a forecast after the last one, can depend on."""
        spec = self.model.spec
        return max(spec.lookback + lead(spec) + BLOCK, self.model.context)

    @property
    def outputs_kept(self) -> int:
        """Those that the head attends to, or the last one."""
        return max(1, self.model.spec.attended)

    def when(self, panel: Panel, place: int, ordinal: int) -> str:
        """The time of the row of a series at this ordinal, in the style of the data."""
        times = panel.calendar.times(np.array([ordinal]), panel.phases[place : place + 1])
        (text,) = time_texts(times, self.model.columns, panel.calendar)
        return text

    def what_changed(self, was: Floats, now: Floats) -> str:
        """What is to be said of a row that is given again with other values: [channels] each."""
        late = np.isnan(was[0]) and not np.isnan(now[0])
        if late:
            return "a row came late: its place was consumed as missing"
        return "a row has changed since it was consumed"

    def inputs(self, at_hand: AtHand, new: NewRows) -> Iterable[Inputs]:
        """The inputs of each member of the network in new rows, which are the same: [n, length, I] each."""
        around = _around(self.model, at_hand, new.places, new.block, new.start + new.length)
        steps = (new.start - around.begin)[:, None] + np.arange(new.length)
        only = slice(int(steps.min()), int(steps.max()) + 1)
        x = features.inputs(around.crops, around.norm, around.spec, self.model.clock, only)
        return itertools.repeat(x[np.arange(len(new.places))[:, None], steps - only.start], self.network.members)

    def begun(self, panel: Panel) -> ForecastExtras:
        """The extras of the panel's series before their first row."""
        return first_extras(self.model.pool, len(panel), panel.values.shape[1], wall=self.model.spec.wall)

    def after(self, extras: ForecastExtras, at_hand: AtHand, consumed: Ints, target: Ints) -> ForecastExtras:
        """The extras after row target[s] - 1 of each series, from those after row consumed[s] - 1."""
        panel, seasons = at_hand.panel, self.model.pool.seasons
        came = shown(panel, np.arange(len(panel)), target - at_hand.before, consumed - at_hand.before)
        smoothed = {
            place: smoothed_on(part, seasons[place], at_hand, consumed, target)
            for place, part in extras.smoothed.items()
        }
        return replace(extras, shown=extras.shown.and_then(came), smoothed=smoothed)

    def layout(self, meta: Mapping[str, Any], series: int) -> Layout:
        """The tensors of the extras; files that older versions wrote hold less."""
        spec, found = self.model.spec, dict(smoothing_layout(self.model.pool, series))
        if "shown" in meta or spec.each:
            found |= shown_layout(series)
        if spec.wall:
            found |= waiting_layout(series, meta["series"][WAITING], self.channels)
        if FITTED in meta:
            found |= {f"{FITTED}.{name}": part for name, part in fitted_layout(meta[FITTED]).items()}
        return found

    def extras(self, tensors: Mapping[str, NDArray[Any]], series: int) -> ForecastExtras:
        """The extras in the tensors of a file. UsageError if they contradict themselves."""
        return extras_from(tensors, self.model.pool, series, wall=self.model.spec.wall)


def lead(spec: ForecastSpec) -> int:
    """Steps before a block that its inputs look back on, beside the lookback."""
    return spec.seasons[0]


@dataclass(frozen=True)
class Around:
    """Crops around a block of the grid, which begin at row begin[i] of each series, and their normalised values; `spec`
    is the model's with as many steps as a crop has.
    """

    crops: features.Crops
    norm: features.Normalised
    spec: ForecastSpec
    begin: Ints


def _around(
    model: Forecaster,
    at_hand: AtHand,
    places: Ints,
    block: Ints | int,
    length: Ints,
    may_come: Support | None = None,
) -> Around:
    """Crops around a block, of which rows from length[i] on are not looked at. What `may_come` is given, or what the
    rows before the block say.
    """
    spec = replace(model.spec, steps=lead(model.spec) + BLOCK)
    begin = np.maximum(block * BLOCK - lead(spec), 0)
    first_row = begin - at_hand.before[places]
    if may_come is None:
        past = _before(at_hand, places, np.broadcast_to(block * BLOCK, places.shape), spec)
        may_come = supported(shown_in(past), past, model.spec)
    crops = features.cut(at_hand.panel, length - at_hand.before[places], places, first_row, spec, may_come)
    return Around(crops, features.normalise(crops, spec), spec, np.broadcast_to(begin, places.shape))


def _before(at_hand: AtHand, places: Ints, row: Ints, spec: ForecastSpec) -> Floats:
    """The target in the last rows before row[i] of some series that a block can look back on: [n, rows]."""
    at = row - at_hand.before[places]
    rows = spec.lookback + lead(spec)
    return gather(at_hand.panel.targets, at_hand.panel.offsets[places], at, at, 0, rows, 0)


def kept_and_after(carried: ForecastState, panel: Panel) -> Panel:
    """The tail of each series and, behind it, the rows of `panel` that were not consumed: what is known ahead."""
    return at_hand(carried, panel).panel


def quantiles(model: Forecaster, carried: ForecastState, panel: Panel, steps: int | None = None) -> Floats:
    """Quantiles for the `steps` (default: `horizon`) rows after the last row consumed, NaN where nothing was seen:
    [series, steps, q].

    They are a function of what is carried and of what is known ahead; `panel` is one of `kept_and_after`. Beyond the
    trained horizon, medians are consumed by a copy of the state as if they had been observed.
    """
    steps, after, rows = steps or model.spec.horizon, carried, carried.tail.rows
    if steps <= model.spec.horizon:
        return _trained_horizon(model, carried, panel)[:, :steps]

    def block(waiting: Panel, ends: Ints) -> Floats:
        nonlocal after
        after = advanced(StreamingForecaster(model), after, waiting, ends)
        return _trained_horizon(model, after, kept_and_after(after, waiting))

    def may_come() -> Support:
        past = gather(panel.targets, panel.offsets[:-1], rows, rows, 0, model.spec.context, 0)
        return supported(carried.extras.shown, past, model.spec)

    return in_blocks(block, panel, rows, steps, model.spec, may_come)


def _trained_horizon(model: Forecaster, carried: ForecastState, panel: Panel) -> Floats:
    spec = model.spec
    made = np.empty((len(panel), spec.horizon, len(spec.levels)))
    for places in chunks(len(panel), spec):
        made[places] = _forecast(model, carried, panel, places)
    return made


def _forecast(model: Forecaster, carried: ForecastState, panel: Panel, places: Ints) -> Floats:
    """Quantiles of the trained horizon for some series of a panel of `kept_and_after`: [n, horizon, q]."""
    spec, rows, kept = model.spec, carried.tail.rows, carried.extras
    past = gather(panel.targets, panel.offsets[places], rows[places], rows[places], 0, spec.context, 0)
    may_come = supported(kept.shown.at(places), past, spec)
    usable = np.where(may_come.logs[:, None] & ~(past > 0), np.nan, past)
    visible = np.asarray(~np.isnan(usable).all(axis=1))
    made = np.full((len(places), spec.horizon, len(spec.levels)), np.nan)
    some = places[visible]
    if not len(some):
        return made
    last = carried.consumed[some] - 1
    may_come = may_come.at(visible)
    known = AtHand(panel, carried.consumed - rows)
    around = _around(model, known, some, last // BLOCK, carried.consumed[some], may_come)
    crops, norm, origins, at = around.crops, around.norm, last - around.begin, np.arange(len(some))
    ahead = known_at(around.spec, crops, norm, origins, model.clock)
    outputs = carried.hidden[OUTPUT]
    newest = np.minimum(carried.consumed[some], outputs.shape[2]) - 1
    relative = [
        decoded(weights, around.spec, ahead, _from_the_first(outputs[member, some], newest), at, newest)
        for member, weights in enumerate(model.members())
    ]
    origin = Origin(norm.level[at, origins], norm.spread[at, origins], past[visible], may_come)
    histories = Histories(panel, some, rows)
    baselines = smoothed_quantiles(model, kept.smoothed, carried.consumed, histories, may_come)
    made[visible] = model.finished(relative, origin, histories, baselines)
    return made


def _from_the_first(outputs: Inputs, newest: Ints) -> Inputs:
    """Outputs [n, kept, H] of which the last newest[i] + 1 are real, with these in front."""
    step = np.arange(outputs.shape[1])
    place = np.minimum(step - newest[:, None] - 1, -1)
    found: Inputs = outputs[np.arange(len(outputs))[:, None], place]
    return found
