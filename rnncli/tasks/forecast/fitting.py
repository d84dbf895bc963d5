"""The forecaster that comes with the program, fitted to data: their columns, calendar, link and spread, and the weights
that made-up series have taught it. What it is averaged with, and how wide its intervals are, their own past decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.columns import described
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.data.statistics import summarise
from rnncli.events import Listener, Noted
from rnncli.layers.encoder import outputs
from rnncli.tasks.forecast import head
from rnncli.tasks.forecast.decide import Decided, decided
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.network import decoded
from rnncli.tasks.forecast.plan import default_horizon, forecast_spec, universal_spec, with_attention
from rnncli.tasks.forecast.pool import prior_pool
from rnncli.tasks.forecast.reading import without_calendar
from rnncli.tasks.forecast.rows import rows_seen
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.forecast.universal import ONE_PASS
from rnncli.tasks.forecast.validation import Holdout
from rnncli.tasks.plan import Plan, Trained
from rnncli.tasks.seen import Seen
from rnncli.tasks.task import Asking

F = TypeVar("F", bound=Forecaster)

JUDGED = 96  # series whose past is looked at
STRANGE = 0.1  # share of a network below which it is said that it knows nothing of such series
LOOKED_BACK = 16_000  # steps of a network over that past, in all


def fitted(base: F, loaded: Loaded, horizon: int | None = None) -> F:
    """The forecaster of these data."""
    loaded = without_calendar(loaded)
    panel, calendar = loaded.panel, loaded.panel.calendar
    steps = min(ONE_PASS, horizon or default_horizon(calendar, panel.lengths))
    spec = universal_spec(panel, forecast_spec(panel, steps, base.spec.levels))
    spec = with_attention(spec, attends=base.spec.attends)
    if not (panel.lengths <= spec.young[-1]).any():
        spec = replace(spec, young=())
    cutoffs = dict(zip(panel.ids, panel.ends().tolist(), strict=True))
    found = replace(
        base,
        spec=spec,
        columns=loaded.columns,
        calendar=calendar,
        cutoffs=cutoffs,
        record={},
        statistics=summarise(panel, spec.horizon),
    )
    decision = judged(found, panel)
    return replace(found, pool=decision.pool, calibration=decision.calibration, young=decision.young)


def tell_fitted(model: Forecaster, tell: Listener) -> None:
    """What an unfitted model took from the data, and whether their past says that it knows nothing of them."""
    seasons = " and ".join(map(str, model.spec.seasons)) if model.spec.seasons != (1,) else "none"
    what = described(model.columns, str(model.calendar.frequency))
    told = f"{what}, season {seasons}, horizon {model.spec.horizon}; {model.pool}"
    tell(Noted(f"base, trained on made-up series alone: {told}"))
    if model.pool.network < STRANGE:
        tell(Noted("on the past of these series simpler forecasts did better than its network: train one for them"))


def judged(forecaster: Forecaster, panel: Panel) -> Decided:
    """The pool and the calibration that the past of some series asks for, which training would hold out."""
    spec = forecaster.spec
    seen = rows_seen(panel, spec)
    some = seen.select(np.unique(np.linspace(0, len(seen) - 1, min(len(seen), JUDGED)).astype(np.int64)))
    holdout = _observed(some, TASK.hold_out(some, spec), spec.horizon).some(LOOKED_BACK // spec.steps)
    if not len(holdout):
        return Decided(prior_pool(spec))
    plan = Plan(TASK, forecaster.network, spec, forecaster.training)
    found = _answered(forecaster, TASK.held_out(some, spec, holdout))
    young = tuple(_answered(forecaster, asking) for asking in TASK.further(some, spec, holdout))
    return decided(some, Trained(plan, forecaster.weights, found, (), further=young), learnt=False)


def _observed(panel: Panel, holdout: Holdout, horizon: int) -> Holdout:
    """The origins before and after which something is observed."""
    seen = np.concatenate([[0], np.cumsum(~np.isnan(panel.targets))])
    begin = panel.offsets[holdout.series]
    at, end = begin + holdout.origins, np.minimum(begin + holdout.origins + horizon, panel.offsets[holdout.series + 1])
    return holdout.at(np.flatnonzero((seen[at] > seen[begin]) & (seen[end] > seen[at])))


def _answered(forecaster: Forecaster, asking: Asking) -> Any:
    return asking.answers.made(np.concatenate([_said(forecaster, part) for part in asking.seen()]))


def _said(forecaster: Forecaster, seen: Seen) -> Floats:
    """The network's quantiles in the data's units: [o, horizon, q]."""
    beside = seen.beside["components"], seen.beside["errors"], seen.beside["known"]
    total = np.zeros(())
    for weights in forecaster.members():
        made = outputs(forecaster.network, weights, seen.inputs)
        relative = decoded(weights, forecaster.spec, beside, made, seen.rows, seen.origins).astype(np.float64)
        total = total + head.to_units(relative, seen.units["level"], seen.units["spread"], seen.units["logs"])
    return np.asarray(total / forecaster.network.members)
