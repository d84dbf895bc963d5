"""What the rows that a search had not seen decide, and what they say of the result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel
from rnncli.evaluation.backtest import Split
from rnncli.evaluation.paired import compare
from rnncli.evaluation.report import Report
from rnncli.evaluation.run import MODEL, Made, evaluate_made
from rnncli.registry import BASELINES
from rnncli.tasks.forecast.calibration import calibrated, fitted_calibration, fitted_young
from rnncli.tasks.forecast.guard import guarded, seen_range
from rnncli.tasks.forecast.head import within
from rnncli.tasks.forecast.linear import LinearMap, around, fitted_maps, looked_back_on, of_all_rows
from rnncli.tasks.forecast.pool import (
    NETWORK,
    NETWORK_ALONE,
    SAMPLED,
    SMOOTHING,
    Pool,
    baseline_quantiles,
    fitted_pool,
    prior_pool,
    scaled,
)
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.validation import Validated
from rnncli.tasks.plan import Trained

FORECAST = "forecast"
RIVALS = ("naive", "seasonal naive", "drift", "exponential smoothing")


@dataclass(frozen=True)
class Decided:
    """The pool, the calibration [horizon, q] of its intervals, its forecasts and those of exponential smoothing from
    the held-out origins [N, horizon, q], and the calibration [k, horizon, q] for young series; without these four
    where no rows could be spared. The linear map of all rows, if the pool has one.
    """

    pool: Pool = NETWORK_ALONE
    calibration: Floats | None = None
    quantiles: Floats | None = None
    smoothed: Floats | None = None
    young: Floats | None = None
    linear: LinearMap | None = None


def decided(panel: Panel, trained: Trained[ForecastSpec], *, learnt: bool = True) -> Decided:
    """The pool, the calibration and the forecasts of both that the held-out answers of a training ask for. What is
    `learnt` from the data beside the network is in the pool if it is worth it.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None:
        return Decided(prior_pool(spec))
    series, origins = found.holdout.series, found.holdout.origins
    smoothed = baseline_quantiles(SMOOTHING, spec.seasons[0], panel, series, origins, spec, found.support)
    straight, said = _linear(panel, found, spec) if learnt else (None, None)
    pool, mixed = fitted_pool(panel, found, spec, smoothed, said)
    calibration = fitted_calibration(found.made(mixed), spec)
    young = fitted_young(trained.further, spec) if trained.further else None
    made = within(calibrated(mixed, calibration, spec), found.support)
    linear = None if pool.linear is None or straight is None else of_all_rows(straight, panel, spec)
    return Decided(pool, calibration, made, smoothed, young, linear)


def _linear(panel: Panel, found: Validated, spec: ForecastSpec) -> tuple[LinearMap | None, Floats | None]:
    """The linear map that forecasts the held-out rows best of those that have not seen them, and its forecasts [N,
    horizon, q]; None where there is none.
    """
    known = np.flatnonzero(~np.isnan(found.actual).all(axis=1))
    if not len(known):
        return None, None
    ends = found.holdout.ends(panel.lengths)
    maps = fitted_maps(panel, ends, looked_back_on(spec, ends, found.holdout.origins), spec)
    if not maps:
        return None, None
    some = found.at(known[np.unique(np.linspace(0, len(known) - 1, min(len(known), SAMPLED)).astype(np.int64))])
    best = min(maps, key=lambda one: float(np.nanmean(scaled(some.made(_said(one, panel, some, spec)), spec))))
    return best, _said(best, panel, found, spec)


def _said(one: LinearMap, panel: Panel, found: Validated, spec: ForecastSpec) -> Floats:
    """What a linear map forecasts from the held-out origins: [N, horizon, q]."""
    points = one.points(panel, found.holdout.series, found.holdout.origins)
    return within(around(points, found.quantiles, spec), found.support)


def scores(panel: Panel, trained: Trained[ForecastSpec], decision: Decided) -> dict[str, Any]:
    """The training record's part about the held-out rows: the scores of the forecast, its network and the baselines,
    and whether the first two are better than the best baseline, by a paired test.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or decision.quantiles is None:
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    seen = seen_range(panel, found.holdout.series, found.holdout.origins, spec)
    alone = found.made(guarded(found.quantiles, seen, decision.pool.reach))
    report = _report(panel, alone, decision, spec)
    named = {FORECAST: MODEL, NETWORK: NETWORK} | {name: name for name in RIVALS}
    overall = {name: report.scores[theirs].overall for name, theirs in named.items()}
    rival = best(overall, RIVALS)
    return {
        "validation": {name: {m: _known(values[m]) for m in ("mase", "wql")} for name, values in overall.items()},
        "validated_origins": len(found.holdout),
        "comparisons": {name: compare(report.losses, named[name], rival).to_json() for name in (FORECAST, NETWORK)},
    }


def best(scored: dict[str, dict[str, float]], names: tuple[str, ...]) -> str:
    """The forecaster of the lowest MASE times WQL: one must not win on one by losing on the other."""
    return min(names, key=lambda name: _product(scored[name]))


def _product(found: dict[str, float]) -> float:
    defined = [found[metric] for metric in ("mase", "wql") if not math.isnan(found[metric])]
    return math.prod(defined) if defined else math.inf


def _report(panel: Panel, found: Validated, decision: Decided, spec: ForecastSpec) -> Report:
    """Every window as a split, the earliest first; a baseline's forecasts are made for all of them at once."""
    holdout, season = found.holdout, spec.seasons[0]
    places = [np.flatnonzero(holdout.window == window) for window in np.unique(holdout.window)[::-1]]
    splits = [Split(holdout.series[chosen], holdout.origins[chosen], spec.horizon) for chosen in places]
    others = {NETWORK: _by_window(within(found.quantiles, found.support), places, spec)}
    for name in BASELINES["forecast"]:
        plain = decision.smoothed if name == SMOOTHING else None
        if plain is None:
            plain = baseline_quantiles(name, season, panel, holdout.series, holdout.origins, spec, found.support)
        others[name.replace("-", " ")] = _by_window(plain, places, spec)
    assert decision.quantiles is not None
    made = _by_window(decision.quantiles, places, spec)
    return evaluate_made(panel, splits, made, spec.levels, season, others=others)


def _by_window(quantiles: Floats, places: list[Ints], spec: ForecastSpec) -> list[Made]:
    return [Made(quantiles[chosen], quantiles[chosen][..., spec.median]) for chosen in places]


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
