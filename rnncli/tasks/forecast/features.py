"""From rows to what the network sees: causal level and spread, windows, seasonal components, calendar.

One code for training and prediction, in NumPy float64; float32 only after normalising. Everything at step t is a
function of the `lookback` rows that end at t.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnncli.arrays import Array, Bools, Floats, Inputs, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.panel import Panel, gather
from rnncli.tasks.forecast import gaps, universal
from rnncli.tasks.forecast.plain import past_errors, plain_forecasts
from rnncli.tasks.forecast.spec import Covariate, ForecastSpec
from rnncli.tasks.forecast.support import Support, support

LIMIT = 8.0
EXTRAS = 5
FARTHEST = 1e6  # spreads from the level
AT_ONCE = 1 << 19  # numbers of a float64 workspace: few enough to stay in the processor's cache


@dataclass(frozen=True)
class Crops:
    """Stretches of n series, aligned at their first step.

    `values` [n, lookback - 1 + steps + after] is NaN where a row is missing, lies outside its series, or cannot be on
    the logarithm on which its series is; `support` says which are, and what may come. `first` [n] is the ordinal of the
    first step, `phases` [n] as in the panel, `lengths` [n] the steps that are real (the rest is padding on the right).
    `covariates` [n, steps + after, covariates] as in the panel, those that are not known ahead NaN after the last real
    step.
    """

    values: Floats
    covariates: Floats
    first: Ints
    phases: Ints
    lengths: Ints
    support: Support

    def at(self, some: slice) -> Crops:
        """Some of the crops, in the same memory."""
        return Crops(
            self.values[some],
            self.covariates[some],
            self.first[some],
            self.phases[some],
            self.lengths[some],
            self.support.at(some),
        )


@dataclass(frozen=True)
class Normalised:
    """Values on the scale of their link with the causal level and spread of every step.

    `z` as Crops.values; `level`, `spread` [n, steps], 0 and 1 where nothing was observed yet; `seen` [n, steps] is
    how many rows of the lookback were observed.
    """

    z: Floats
    level: Floats
    spread: Floats
    seen: Floats
    support: Support

    def at(self, some: slice) -> Normalised:
        """The normalised values of some crops, in the same memory."""
        return Normalised(self.z[some], self.level[some], self.spread[some], self.seen[some], self.support.at(some))


def pieces(count: int, numbers: int) -> Iterator[slice]:
    """The places 0 ... count - 1 in slices of as many as have a workspace of at most `AT_ONCE` numbers, where each
    place takes `numbers` of them; a slice has one place at least.
    """
    size = max(1, AT_ONCE // max(1, numbers))
    for begin in range(0, count, size):
        yield slice(begin, min(begin + size, count))


def cut(
    panel: Panel,
    length: Ints,
    series: Ints,
    first_row: Ints,
    spec: ForecastSpec,
    may_come: Support | None = None,
    begun: Ints | None = None,
) -> Crops:
    """Crops of `spec.steps` steps from first_row on, with the horizon after the last; of series[i], row length[i] and
    all after it are not looked at, nor those before row begun[i]. What `may_come` is found if it is not given.
    """
    may_come = support(panel, series, length, spec, begun) if may_come is None else may_come
    values = gather(
        panel.targets, panel.offsets[series], length, first_row, spec.steps, spec.lookback - 1, spec.horizon
    )
    if begun is not None:
        values[first_row[:, None] + np.arange(1 - spec.lookback, spec.steps + spec.horizon) < begun[:, None]] = np.nan
    if may_come.logs.any():
        values[may_come.logs[:, None] & ~(values > 0)] = np.nan
    lengths = np.minimum(length - first_row, spec.steps)
    beside = _beside(panel, length, series, first_row, spec)
    return Crops(values, beside, panel.starts[series] + first_row, panel.phases[series], lengths, may_come)


def _beside(panel: Panel, length: Ints, series: Ints, first_row: Ints, spec: ForecastSpec) -> Floats:
    """The covariates from the first step to the end of the horizon: [n, steps + horizon, covariates]."""
    begin, every = panel.offsets[series], panel.lengths[series]
    parts = [np.zeros((len(series), spec.steps + spec.horizon, 0))]
    for covariate in spec.covariates:
        flat = panel.of(covariate.name)
        if covariate.role == "static":
            part = np.repeat(flat[begin][:, None], spec.steps + spec.horizon, axis=1)
        else:
            rows = every if covariate.ahead else length
            part = gather(flat, begin, rows, first_row, spec.steps, 0, spec.horizon)
        parts.append(part[..., None])
    return np.concatenate(parts, axis=2)


def latest(panel: Panel, ends: Ints, series: Ints, spec: ForecastSpec) -> tuple[Crops, Ints]:
    """Crops that end at row ends[s] - 1, and the step of each that is its last: what a forecast is made from."""
    length = ends[series]
    crops = cut(panel, length, series, np.maximum(length - spec.steps, 0), spec)
    return crops, crops.lengths - 1


def to_link(values: Floats, logs: Bools) -> Floats:
    """Values [n, ...] on the scale in which the network works: their logarithms where `logs` [n]."""
    return _where(logs, values, np.log)


def from_link(z: Floats, logs: Bools) -> Floats:
    """The inverse of `to_link`."""
    return _where(logs, z, np.exp)


def _where(logs: Bools, x: Floats, of: np.ufunc) -> Floats:
    if logs.all():
        return np.asarray(of(x))
    found = x.copy()
    found[logs] = of(x[logs])
    return found


def _trailing(x: Floats, width: int) -> tuple[Floats, Floats]:
    """Sum and count of what is observed in the `width` columns ending at each column."""
    seen = ~np.isnan(x)
    total = np.cumsum(np.where(seen, x, 0.0), axis=1)
    count = np.cumsum(seen, axis=1, dtype=np.float64)
    total[:, width:] -= total[:, :-width].copy()
    count[:, width:] -= count[:, :-width].copy()
    return total, count


def _carried(x: Floats) -> Floats:
    """Each NaN replaced by the last number before it in its row."""
    columns = np.where(np.isnan(x), 0, np.arange(x.shape[1]))
    return np.take_along_axis(x, np.maximum.accumulate(columns, axis=1), axis=1)


def _mean(total: Floats, count: Floats) -> Floats:
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan)


def normalise(crops: Crops, spec: ForecastSpec) -> Normalised:
    """Level: mean of the last `level_window` rows; spread: mean absolute seasonal difference over the lookback,
    drawn towards the prior as if `prior_rows` rows had shown it.
    """
    logs = crops.support.logs
    z = to_link(crops.values, logs)
    steps = slice(spec.lookback - 1, spec.lookback - 1 + spec.steps)
    past = z[:, : steps.stop]
    columns = np.arange(past.shape[0])
    anchor = np.nan_to_num(past[columns, np.argmax(~np.isnan(past), axis=1)])[:, None]  # keeps the running sums small
    level = _carried(_mean(*_trailing(past - anchor, spec.level_window)))[:, steps] + anchor
    season = spec.seasons[0]
    change = np.full_like(past, np.nan)
    change[:, season:] = np.abs(past[:, season:] - past[:, :-season])
    total, count = (part[:, steps] for part in _trailing(change, spec.lookback))
    size, seen = (part[:, steps] for part in _trailing(np.abs(past), spec.lookback))
    relative = np.where(logs[:, None], 1.0, _mean(size, seen))
    prior = spec.spread_prior * relative
    if spec.spread_fixed:
        prior = np.where(logs[:, None] | np.isnan(relative), prior, spec.spread_unit)
    spread = (total + spec.prior_rows * prior) / (count + spec.prior_rows)
    blank = np.isnan(level)
    spread = np.where(blank | ~(spread > 0), np.where(logs[:, None], 1.0, spec.spread_unit), spread)
    return Normalised(z, np.where(blank, 0.0, level), spread, seen, crops.support)


def input_count(spec: ForecastSpec, calendar_features: int) -> int:
    """The number of inputs of a step."""
    beside = sum(covariate.width for covariate in spec.covariates)
    beside += gaps.COLUMNS if spec.gaps else 0
    beside += universal.LAGS + universal.KINDS if spec.universal else 0
    return (
        spec.window + sum(_pooled(spec, season) for season in _long_seasons(spec)) + EXTRAS + beside + calendar_features
    )


def known_count(spec: ForecastSpec, calendar_features: int) -> int:
    """The number of values that are known of each step of the horizon."""
    ahead = universal.KNOWN if spec.universal else 0
    return ahead + calendar_features + sum(covariate.width for covariate in spec.covariates if covariate.ahead)


def _long_seasons(spec: ForecastSpec) -> tuple[int, ...]:
    if spec.universal:
        return ()
    return tuple(season for season in spec.seasons if season > spec.window)


def _pooled(spec: ForecastSpec, season: int) -> int:
    return min(48, spec.horizon, season)


def squash(x: Floats) -> Floats:
    """Linear near 0, logarithmic far out: an outlier is seen but does not rule."""
    return np.arcsinh(x / LIMIT) * LIMIT


def inputs(crops: Crops, norm: Normalised, spec: ForecastSpec, calendar: Calendar, only: slice = slice(None)) -> Inputs:
    """The inputs of the encoder at each step, or at some of them: [n, steps, inputs]."""
    begin, stop, _ = only.indices(spec.steps)
    width = input_count(spec, len(calendar.feature_names))
    made = np.empty((len(crops.lengths), max(0, stop - begin), width), np.float32)
    widest = max(spec.window, *(min(spec.horizon, season) for season in _long_seasons(spec)), width)
    for steps in pieces(made.shape[1], widest):
        for some in pieces(len(made), (steps.stop - steps.start) * widest):
            there = slice(begin + steps.start, begin + steps.stop)
            made[some, steps] = _inputs(crops.at(some), norm.at(some), spec, calendar, there)
    return made


def _inputs(crops: Crops, norm: Normalised, spec: ForecastSpec, calendar: Calendar, only: slice) -> Inputs:
    z, level, spread = norm.z, norm.level[:, only, None], norm.spread[:, only, None]
    start, steps = spec.lookback - 1, spec.steps
    parts = [sliding_window_view(z[:, start - spec.window + 1 : start + steps], spec.window, axis=1)[:, only]]
    parts += [_block_before(z, season, spec, only) for season in _long_seasons(spec)]
    parts += [universal.lagged(z, spec.seasons, start, steps)[:, only]] if spec.universal else []
    relative = [squash((part - level) / spread) for part in parts]
    latest = z[:, start : start + steps, None][:, only]
    seen = np.log1p(norm.seen[:, only, None]) / np.log1p(spec.lookback)
    observed = ~np.isnan(latest)
    share = np.isnan(parts[0]).mean(axis=2, keepdims=True)
    logs = norm.support.logs[:, None, None]
    size = np.where(logs, np.log(spread / spec.spread_prior), np.arcsinh(level / spread))
    growth = (level - _lagged(norm.level, spec.seasons[0])[:, only, None]) / spread
    extras = [observed, share, seen, squash(size), squash(growth)]
    when = crops.first[:, None] + np.arange(steps)[only]
    calendar_part = calendar.features(when, np.broadcast_to(crops.phases[:, None], when.shape))
    beside = encoded(crops.covariates[:, :steps][:, only], spec.covariates, spec.covariates)
    kinds = [_repeated(universal.kinds(spec.seasons), when.shape)] if spec.universal else []
    told = [_gaps(norm, spec, only)] if spec.gaps else []
    stacked = np.concatenate([*relative, *extras, *kinds, beside, calendar_part, *told], axis=2, dtype=np.float32)
    return np.nan_to_num(stacked, copy=False)


def _gaps(norm: Normalised, spec: ForecastSpec, only: slice) -> Floats:
    """What a cell asks for that follows gaps, the value relative to the level: [n, steps, 3]."""
    value, observed, gap = gaps.followed(norm.z[:, : spec.lookback - 1 + spec.steps], spec.lookback, only)
    return np.stack([squash((value - norm.level[:, only]) / norm.spread[:, only]), observed, gap], axis=2)


def _repeated(constants: tuple[float, ...], shape: tuple[int, ...]) -> Floats:
    return np.broadcast_to(np.array(constants), (*shape, len(constants)))


def encoded(values: Floats, covariates: tuple[Covariate, ...], chosen: tuple[Covariate, ...]) -> Floats:
    """The chosen ones of `covariates` [..., covariates] as the network sees them: [..., width].

    0 where one is missing, or a category that training did not have: on average it is that.
    """
    parts = [np.zeros((*values.shape[:-1], 0))]
    for place, covariate in enumerate(covariates):
        if covariate not in chosen:
            continue
        value = values[..., place, None]
        if covariate.categories:
            which = (value == np.arange(covariate.width)).astype(np.float64)
            parts.append(np.where(value >= 0, which - np.array(covariate.shares or 0.0), 0.0))
        else:
            parts.append(np.nan_to_num(squash((value - covariate.center) / covariate.scale)))
    return np.concatenate(parts, axis=-1)


def _lagged(level: Floats, lag: int) -> Floats:
    lag = min(lag, level.shape[1] - 1)
    return np.concatenate([np.repeat(level[:, :1], lag, axis=1), level[:, : level.shape[1] - lag]], axis=1)


def _block_before(z: Floats, season: int, spec: ForecastSpec, only: slice) -> Floats:
    """The horizon's values one season earlier, averaged into at most 48 bins, at some steps: [n, steps, bins]."""
    bins, width = _pooled(spec, season), min(spec.horizon, season)
    begin = spec.lookback - season
    blocks = sliding_window_view(z[:, begin : begin + spec.steps + width - 1], width, axis=1)[:, only]
    if bins == width:
        return blocks
    edges = np.linspace(0, width, bins + 1).astype(int)
    with np.errstate(invalid="ignore"):
        seen = ~np.isnan(blocks)
        total = np.add.reduceat(np.where(seen, blocks, 0.0), edges[:-1], axis=2)
        return np.asarray(_mean(total, np.add.reduceat(seen, edges[:-1], axis=2, dtype=np.float64)))


def components(norm: Normalised, rows: Ints, origins: Ints, spec: ForecastSpec) -> tuple[Inputs, Inputs]:
    """Plain forecasts from origin (rows[i], step origins[i]), relative to its level and spread: [o, horizon, c]; and
    how far off each was before (see `past_errors`): [o, c], or [o, 0] if that is not looked at.
    """
    count = len(spec.plain)
    made = np.empty((len(rows), spec.horizon, count), np.float32)
    errors = np.empty((len(rows), count if spec.judged else 0), np.float32)
    for some in pieces(len(rows), (spec.horizon + spec.judged) * count + spec.lookback):
        far, errors[some] = _components(norm, rows[some], origins[some], spec)
        made[some] = _bounded(far)
    return made, errors


def _components(norm: Normalised, rows: Ints, origins: Ints, spec: ForecastSpec) -> tuple[Floats, Floats]:
    level, spread = norm.level[rows, origins][:, None], norm.spread[rows, origins][:, None]
    at = (origins + spec.lookback - 1)[:, None]
    history = norm.z[rows[:, None], at - spec.lookback + 1 + np.arange(spec.lookback)]
    relative = (history - level) / spread
    made = plain_forecasts(relative, spec.plain, spec.seasons, spec.horizon)
    errors = past_errors(relative, spec.plain, spec.seasons, spec.judged) if spec.judged else made[:, 0, :0]
    return made, errors


def known(crops: Crops, rows: Ints, origins: Ints, spec: ForecastSpec, calendar: Calendar) -> Inputs:
    """The values known of each step of the horizon before it comes, calendar and covariates: [o, horizon, known]."""
    width = known_count(spec, len(calendar.feature_names))
    made = np.empty((len(rows), spec.horizon, width), np.float32)
    for some in pieces(len(rows), spec.horizon * (width + 1)):
        made[some] = _known(crops, rows[some], origins[some], spec, calendar)
    return made


def _known(crops: Crops, rows: Ints, origins: Ints, spec: ForecastSpec, calendar: Calendar) -> Inputs:
    ahead = np.arange(1, spec.horizon + 1)
    when = (crops.first[rows] + origins)[:, None] + ahead
    calendar_part = calendar.features(when, np.broadcast_to(crops.phases[rows][:, None], when.shape))
    if spec.universal:
        far = np.broadcast_to(universal.ahead(spec.horizon, spec.seasons), (*when.shape, universal.KNOWN))
        calendar_part = np.concatenate([far, calendar_part], axis=2)
    chosen = tuple(covariate for covariate in spec.covariates if covariate.ahead)
    if not chosen:
        return calendar_part
    beside = encoded(crops.covariates[rows[:, None], origins[:, None] + ahead], spec.covariates, chosen)
    return np.concatenate([calendar_part, beside], axis=2, dtype=np.float32)


def targets(norm: Normalised, rows: Ints, origins: Ints, spec: ForecastSpec, noise: Floats | None = None) -> Inputs:
    """The horizon that came after each origin, relative to its level and spread; NaN where missing: [o, horizon].

    To whole numbers `noise` [o, horizon] from [-1/2, 1/2) is added, if there is any: quantiles of what is continuous
    can be learnt, and those of the counts follow from them (see `output.within`).
    """
    at = (origins + spec.lookback)[:, None] + np.arange(spec.horizon)
    z = norm.z[rows[:, None], at]
    whole = norm.support.whole[rows]
    if noise is not None and whole.any():
        logs = norm.support.logs[rows]
        z = to_link(from_link(z, logs) + noise * whole[:, None], logs)
    level, spread = norm.level[rows, origins][:, None], norm.spread[rows, origins][:, None]
    with np.errstate(over="ignore"):
        return _bounded((z - level) / spread)


def units(norm: Normalised, rows: Ints, origins: Ints) -> dict[str, Array]:
    """The scale of quantiles at each origin: level and spread, and whether they are on the logarithm: [o]."""
    at = rows, origins
    return {"level": norm.level[at], "spread": norm.spread[at], "logs": norm.support.logs[rows]}


def _bounded(relative: Floats) -> Inputs:
    """As float32, no farther out than that what is computed with it stays finite."""
    return np.asarray(np.clip(relative, -FARTHEST, FARTHEST).astype(np.float32))
