"""The pool: forecasts of the network and of baselines averaged, level by level, as held-out rows say.

Averages of forecasts are better than the best of them more often than not (Bates & Granger 1969), and how much better
a few held-out rows cannot tell. So the weights are those that would have been best, averaged over resamples of series
and windows, and drawn to an even share of the network and exponential smoothing by as much as a few per cent of loss.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.baselines.baseline import Baseline
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.errors import UsageError
from rnncli.registry import BASELINES, find
from rnncli.spec import Spec, added
from rnncli.tasks.forecast.guard import REACH, fitted_reach, guarded, seen_range
from rnncli.tasks.forecast.head import possible, within
from rnncli.tasks.forecast.linear import LINEAR
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import Support
from rnncli.tasks.forecast.validation import Holdout, Validated, quantile_loss

NETWORK, SMOOTHING = "network", "exponential-smoothing"
ROWS = 1_000  # that a baseline looks back on
AT_A_TIME = 128  # forecasts of a baseline
TENTHS = 10  # a weight is a number of these
RESAMPLES, SAMPLED = 200, 800  # of forecasts
TOLERANCE = 1e-4  # of weights that were rounded
PULL = 0.05  # of the log loss, for a step from the even share to one forecaster alone,
PULL_APART = 0.15  # and from the share of all series to that of a kind
CYCLES = {SMOOTHING: 2}  # that a baseline must have seen to know a season
SMALLEST_WEIGHT = 0.02  # less is not worth its time
KINDS = 3
GIANTS, FEW = 0.9, 0.1  # of the sum of all sizes, where so few of the series have so much of it


@dataclass(frozen=True)
class Pool(Spec):
    """Forecasters by name, `network` first, the season that each looks back on, and weights that add up to 1; none of
    them goes further beyond what its series has seen than the `reach` allows (see `guard`), if it is given. Where the
    series are of several kinds, each kind may have weights of its `own` (see `kinds`), and so may giants, whose latest
    values were on average larger than `giant`: the last of them, if there are any.
    """

    names: tuple[str, ...] = (NETWORK,)
    seasons: tuple[int, ...] = (1,)
    weights: tuple[float, ...] = (1.0,)
    reach: float | None = None
    own: tuple[tuple[float, ...], ...] = added((), since=4)
    giant: float | None = added(None, since=4)

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.seasons) == len(self.weights) > 0:
            raise UsageError("a pool has a name, a season and a weight for each forecaster")
        others = {*BASELINES["forecast"], LINEAR}
        if self.names[0] != NETWORK or not set(self.names[1:]) <= others:
            raise UsageError(f"a pool is the network and some of {', '.join(sorted(others))}")
        every = (self.weights, *self.own)
        kinds = KINDS + (self.giant is not None)
        if len(self.own) not in (0, kinds) or any(len(weights) != len(self.names) for weights in every):
            raise UsageError("a pool has weights for each forecaster, and for each kind of series or none")
        wrong = any(min(weights) < 0 or not abs(sum(weights) - 1) < TOLERANCE for weights in every)
        if wrong or min(self.seasons) < 1:
            raise UsageError("the seasons of a pool are at least 1 and its weights add up to 1")
        if self.reach is not None and not self.reach >= 0:
            raise UsageError(f"the reach of a pool is not below 0: {self.reach}")

    @property
    def rows(self) -> int:
        """Rows that its baselines look back on."""
        return ROWS if len(self.names) > 1 else 0

    @property
    def smoothing(self) -> dict[int, int]:
        """Where in the pool exponential smoothing is, and the season that it looks back on there."""
        return {place: self.seasons[place] for place, name in enumerate(self.names) if name == SMOOTHING}

    @property
    def linear(self) -> int | None:
        """Where in the pool the linear map is, None if it is not."""
        return self.names.index(LINEAR) if LINEAR in self.names else None

    @property
    def network(self) -> float:
        """The network's weight."""
        return self.weights[0]

    def shares(self, support: Support) -> Floats:
        """The weights for each of n series: [n, forecasters]."""
        own = self.kinds(support)
        return np.array(self.own)[own] if self.own else np.tile(self.weights, (len(own), 1))

    def kinds(self, support: Support) -> Ints:
        """The place among its own weights of those of each series."""
        own = kinds(support)
        return own if self.giant is None else np.where(support.size > self.giant, KINDS, own)

    def __str__(self) -> str:
        named = [name if name == NETWORK else f"{name.replace('-', ' ')}" for name in self.names]
        shares = ", ".join(f"{weight:.0%} {name}" for name, weight in zip(named, self.weights, strict=True))
        return f"{shares}, with other shares for each kind of series" if self.own else shares


NETWORK_ALONE = Pool()


def kinds(support: Support) -> Ints:
    """The kind of each series: 0 on the logarithm, 1 with a least value, 2 neither."""
    return np.where(support.logs, 0, np.where(np.isfinite(support.floor), 1, 2))


def pooled(
    pool: Pool,
    network: Floats,
    panel: Panel,
    series: Ints,
    ends: Ints,
    spec: ForecastSpec,
    support: Support,
    made: Mapping[int, Floats] | None = None,
) -> Floats:
    """The average of the network's quantiles [n, horizon, q] and the baselines' from the first ends[i] rows of each
    series[i]; those of some places in the pool may be `made` already.
    """
    made = made or {}
    seen = seen_range(panel, series, ends, spec)
    shares = pool.shares(support)[:, :, None, None]
    total = shares[:, 0] * guarded(network, seen, pool.reach)
    for place in range(1, len(pool.names)):
        found = made.get(place)
        if found is None:
            found = baseline_quantiles(pool.names[place], pool.seasons[place], panel, series, ends, spec, support)
        total += shares[:, place] * guarded(found, seen, pool.reach)
    return total


def baseline_quantiles(
    name: str, season: int, panel: Panel, series: Ints, ends: Ints, spec: ForecastSpec, support: Support
) -> Floats:
    """The forecasts of a baseline from the last rows up to ends[i] of each series[i]: [n, horizon, q]."""
    baseline: Baseline = find(BASELINES["forecast"], name, "baseline")
    made = np.empty((len(series), spec.horizon, len(spec.levels)))
    for begin in range(0, len(series), AT_A_TIME):  # their rows are copied
        some = slice(begin, begin + AT_A_TIME)
        made[some] = _quantiles(baseline, season, panel, series[some], ends[some], spec)
    return within(made, support)


def _quantiles(baseline: Baseline, season: int, panel: Panel, series: Ints, ends: Ints, spec: ForecastSpec) -> Floats:
    rows = np.minimum(ends, ROWS)
    flat = panel.targets[ranges(panel.offsets[series] + ends - rows, rows)]
    return baseline.quantiles(flat, offsets_of(rows), spec.horizon, season, spec.levels)[0]


def prior_pool(spec: ForecastSpec) -> Pool:
    """The pool where no rows can be held out: what `fitted_pool` is drawn to."""
    return Pool((NETWORK, SMOOTHING), (spec.seasons[0], spec.seasons[0]), (0.5, 0.5), REACH)


def fitted_pool(
    panel: Panel,
    found: Validated,
    spec: ForecastSpec,
    smoothed: Floats | None = None,
    linear: Floats | None = None,
) -> tuple[Pool, Floats]:
    """The pool that held-out rows ask for, and its forecasts from there [N, horizon, q].

    `smoothed` is what exponential smoothing over the first season forecasts from there, if that is known, and `linear`
    what a linear map does, if there is one.
    """
    holdout = found.holdout

    def plain(name: str, season: int) -> Floats:
        if smoothed is not None and (name, season) == (SMOOTHING, spec.seasons[0]):
            return smoothed
        return baseline_quantiles(name, season, panel, holdout.series, holdout.origins, spec, found.support)

    reach, seen = fitted_reach(panel, found, spec), seen_range(panel, holdout.series, holdout.origins, spec)
    made = {(NETWORK, spec.seasons[0]): guarded(found.quantiles, seen, reach)}
    drift = () if linear is not None else ("drift",)  # a linear map can say it
    for name in (SMOOTHING, "seasonal-naive", "naive", *drift):
        one = name in ("naive", "drift") or spec.seasons == (1,)
        seasons = [1] if one else judged_as_used(name, sorted({spec.seasons[0], spec.seasons[-1]}), holdout)
        tried = {m: guarded(plain(name, m), seen, reach) for m in seasons}
        best = min(tried, key=lambda m: float(np.nanmean(scaled(found.made(tried[m]), spec))))
        if name != "seasonal-naive" or best > 1:
            made[name, best] = tried[best]
    if linear is not None:
        made[LINEAR, 1] = guarded(linear, seen, reach)
    pool = _weighed(found, made, spec, reach)
    shares = pool.shares(found.support)[:, :, None, None]
    chosen = [made[key] for key in zip(pool.names, pool.seasons, strict=True)]
    return pool, sum((shares[:, place] * one for place, one in enumerate(chosen)), np.zeros(()))


def judged_as_used(name: str, seasons: list[int], holdout: Holdout) -> list[int]:
    """The seasons that a baseline could look back on from half of the held-out origins: what forecasts with a season
    must not have been judged without it. Season 1 where it had none.
    """
    known = [m for m in seasons if np.mean(holdout.origins >= CYCLES.get(name, 1) * m) >= 0.5]
    return known or [1]


def _weighed(found: Validated, made: Mapping[tuple[str, int], Floats], spec: ForecastSpec, reach: float) -> Pool:
    """The pool of those forecasters that are worth their time, with the weights of all series and of each kind."""
    every = list(made.values())
    even = np.zeros(len(made))
    even[:2] = 0.5

    def of(places: Ints, drawn_to: Floats, pull: float) -> Floats:
        return _weights(found.at(places), [one[places] for one in every], spec, drawn_to, pull)

    giant = giants_from(found)
    huge = np.zeros(len(found.scale), np.bool_) if giant is None else found.support.size > giant
    weights = of(np.flatnonzero(~huge), even, PULL)
    of_kind = kinds(found.support)
    own = np.tile(weights, (KINDS + (giant is not None), 1))
    if len(np.unique(of_kind[~huge])) > 1:
        for kind in np.unique(of_kind[~huge]).tolist():
            own[kind] = of(np.flatnonzero((of_kind == kind) & ~huge), weights, PULL_APART)
    if giant is not None:  # they are too few to be asked alone
        own[KINDS] = of(np.arange(len(huge)), even, PULL)
    most = np.vstack([weights, own]).max(axis=0)
    kept = [place for place in range(len(made)) if not place or most[place] >= SMALLEST_WEIGHT]
    names, seasons = zip(*(list(made)[place] for place in kept), strict=True)
    shares = [_rounded(one[kept]) for one in (weights, *own)]
    if len(set(shares)) == 1:
        return Pool(names, seasons, shares[0], reach)
    return Pool(names, seasons, shares[0], reach, tuple(shares[1:]), giant)


def giants_from(found: Validated) -> float | None:
    """The size from which a series is a giant, halfway between the least of them and the largest other; None where no
    few series have most of the sum of all sizes.
    """
    size = np.zeros(int(found.series.max(initial=-1)) + 1)
    np.maximum.at(size, found.series, found.support.size)
    size = np.sort(size[size > 0])[::-1]
    count = int(np.searchsorted(np.cumsum(size), GIANTS * size.sum())) + 1
    if not len(size) or count > FEW * len(size):
        return None
    return float(np.sqrt(size[count - 1] * size[count]))


def _rounded(weights: Floats) -> tuple[float, ...]:
    return tuple((weights / weights.sum()).round(6).tolist())


def scaled(found: Validated, spec: ForecastSpec) -> Floats:
    """The scaled quantile loss of each forecast as it would be printed: [N]."""
    return quantile_loss(found.made(within(found.quantiles, found.support)), spec.levels) / found.scale


def _weights(found: Validated, made: list[Floats], spec: ForecastSpec, drawn_to: Floats, pull: float = PULL) -> Floats:
    """The average over resamples of series and windows of the weights that minimise the logarithms of the scaled and
    of the plain loss, so that neither many small series nor a few large ones decide alone: [forecasters].
    """
    rng = np.random.default_rng(0)
    usable = np.flatnonzero(~np.isnan(found.actual).all(axis=1))
    chosen = usable if len(usable) <= SAMPLED else np.sort(rng.choice(usable, SAMPLED, replace=False))
    part = found.at(chosen)
    tried = _simplex(len(made)) / TENTHS
    losses = _losses(part, np.stack([one[chosen] for one in made]), tried, spec)
    drawn = pull * ((tried - drawn_to) ** 2).sum(axis=1)
    best = []
    for times in _resamples(rng, part.holdout.series, part.holdout.window):
        loss = np.log(losses / part.scale @ times + 1e-300) + np.log(losses @ times + 1e-300)
        best.append(tried[np.argmin(loss + drawn)])
    return np.asarray(np.mean(best, axis=0)) if best else drawn_to


def _losses(part: Validated, quantiles: Floats, tried: Floats, spec: ForecastSpec) -> Floats:
    """The quantile loss of each forecast with each of the weights `tried` [ways, forecasters], from the forecasters'
    quantiles [forecasters, N, horizon, q]: [ways, N].

    The pinball loss of y at level l is l (y - q) + max(q - y, 0). Averages of quantiles that ascend do so too.
    """
    losses = np.empty((len(tried), len(part.actual)))
    for n, actual in enumerate(part.actual):
        seen = ~np.isnan(actual)
        y, levels = np.repeat(actual[seen], len(spec.levels)), np.tile(spec.levels, int(seen.sum()))
        mixed = tried @ quantiles[:, n, seen].reshape(len(quantiles), -1)
        away = possible(mixed, part.support.at(np.full(len(tried), n))) - y
        losses[:, n] = 2 * (np.maximum(away, 0.0).sum(axis=1) - away @ levels) / len(y)
    return losses


def _simplex(parts: int) -> NDArray[np.int64]:
    """Every way of giving TENTHS tenths to so many parts: [ways, parts]."""
    bars = itertools.combinations(range(TENTHS + parts - 1), parts - 1)
    return np.array([np.diff([-1, *bar, TENTHS + parts - 1]) - 1 for bar in bars])


def _resamples(rng: np.random.Generator, series: Ints, window: Ints) -> list[Floats]:
    """The number of times that each forecast is drawn where series and windows are drawn with replacement: [N] each."""
    (names, one), (windows, other) = np.unique(series, return_inverse=True), np.unique(window, return_inverse=True)
    drawn = [
        rng.multinomial(len(names), np.full(len(names), 1 / len(names)))[one]
        * rng.multinomial(len(windows), np.full(len(windows), 1 / len(windows)))[other]
        for _ in range(RESAMPLES if len(series) else 0)
    ]
    return [times.astype(np.float64) for times in drawn if times.any()]
