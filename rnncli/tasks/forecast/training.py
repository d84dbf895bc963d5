"""From what a caller said to the plan of a forecast's training, and from what it leaves to the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.cells.named import refuse_unused_activation
from rnncli.data.columns import described
from rnncli.data.load import Loaded
from rnncli.data.statistics import summarise
from rnncli.errors import InputRefused, UsageError
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.tasks.forecast import begun
from rnncli.tasks.forecast import options as asked
from rnncli.tasks.forecast import plan as planning
from rnncli.tasks.forecast.decide import Decided, decided, scores
from rnncli.tasks.forecast.doubt import comparison
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.plan import WITHOUT_COVARIATES
from rnncli.tasks.forecast.rows import rows_seen
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan, Sizes, Trained


def refuse_senseless(options: TrainOptions) -> None:
    """UsageError for options by which no forecast can be trained, before any work."""
    asked.quantile_levels(options, planning.DEFAULT_LEVELS)
    asked.bounds(options)
    if options.get("attention"):
        _refuse_stretches(options)
    if options.get("warm_start") is None:
        refuse_unused_activation(options.get("cell") or planning.CELL, options.get("activation"))


def _refuse_stretches(options: TrainOptions) -> None:
    """UsageError where a network that attends to earlier outputs is to learn from stretches."""
    if options.get("tbptt") is not None:
        raise UsageError(
            "--tbptt learns from stretches of a series, and --attention reads rows that came before them",
            hint="leave --tbptt or --attention out; --context says how many rows are read",
        )


def planned(loaded: Loaded, options: TrainOptions) -> Plan[ForecastSpec]:
    """The plan of a training: everything that is decided before its first step. It begins from base, unless that is
    refused, or a network of another kind is asked for. UsageError or InputRefused.
    """
    scratch = options.get("from_scratch") or begun.unlike(begun.base(), options)
    return _planned(loaded, options, None if scratch else begun.base())


def _planned(loaded: Loaded, options: TrainOptions, base: Forecaster | None) -> Plan[ForecastSpec]:
    panel = loaded.panel
    given = Sizes(**fields_given(Sizes, options))
    horizon = options.get("horizon") or planning.default_horizon(panel.calendar, panel.lengths)
    levels = asked.quantile_levels(options, planning.DEFAULT_LEVELS)
    beside = planning.covariates(panel)
    carried = options.get("tbptt") is not None
    spec = planning.forecast_spec(panel, horizon, levels, options.get("context"), beside, carried=carried)
    spec = spec if base is None else planning.universal_spec(panel, spec)
    spec = planning.bounded(panel, spec, *asked.bounds(options))
    attends = bool(options.get("attention")) or (base is not None and base.spec.attends)
    spec = planning.with_attention(spec, attends=attends)
    if base is None:
        spec = planning.with_gaps(spec, given)
        network = planning.network_spec(panel, spec, given)
        plan = Plan(TASK, network, spec, planning.training_spec(network, spec, given))
    else:
        network = begun.network_spec(base, panel, spec, given)
        plan = Plan(TASK, network, spec, begun.training_spec(panel, spec, given))
    plan = plan if options.get("keep_covariates") else planning.doubted(panel, plan)
    return plan if base is None else begun.begun(plan, base)


def planned_on(loaded: Loaded, start: Forecaster, options: TrainOptions) -> Plan[ForecastSpec]:
    """A model's own network and forecast, trained as long and as gently as a refit; of one that no data have taught,
    as from base.
    """
    if start.unfitted:
        for flag in begun.unlike(start, options):
            raise UsageError(
                f"--{flag} asks for another network than --warm-start gives", hint=f"leave --warm-start or --{flag} out"
            )
        return _planned(loaded, options, start)
    panel, old = loaded.panel, start.spec
    if old.attends:
        _refuse_stretches(options)
        if options.get("attention") is False:
            raise UsageError(
                "--no-attention asks for another network than --warm-start gives, which has attention",
                hint="leave --warm-start or --no-attention out",
            )
    if not old.each and old.link == "log" and planning.choose_link(panel) != "log":
        raise InputRefused(
            "the model was trained on the logarithm of positive values, and these are not all positive",
            hint="train afresh, without --warm-start",
        )
    fitted = planning.fitted_to(panel, old)
    scale = {name: getattr(old, name) for name in ("link", "spread_prior", "spread_unit", "spread_fixed")}
    spec = replace(fitted, **scale)
    given = Sizes(**fields_given(Sizes, options))
    usual = planning.training_spec(start.network, spec, given)
    return Plan(TASK, start.network, spec, planning.training_spec(start.network, spec, given.gently(usual)))


def planned_again(loaded: Loaded, model: Forecaster) -> Plan[ForecastSpec]:
    """The plan of a model's training, once more on other rows and without a time budget."""
    spec = planning.fitted_to(loaded.panel, model.spec)
    training = replace(model.training, time_budget=None)  # its steps are what the budget allowed
    plan = Plan(TASK, model.network, spec, training)
    return begun.begun(plan, begun.base()) if begun.began(model) else plan


def inferred(loaded: Loaded, plan: Plan[ForecastSpec]) -> str:
    """The inference in one line, printed before anything is trained."""
    calendar = loaded.panel.calendar
    seasons = " and ".join(map(str, calendar.seasons)) if calendar.seasons != (1,) else "none"
    what = described(loaded.columns, str(calendar.frequency))
    begins = "begins from base" if plan.spec.universal else "begins from scratch"
    return f"{what}, season {seasons}, horizon {plan.spec.horizon}; {begins}"


def settled(
    loaded: Loaded, plan: Plan[ForecastSpec], trained: Trained[ForecastSpec], start: Forecaster | None
) -> Forecaster:
    """The model, with what the held-out rows decided and what is recorded of its training."""
    target = loaded.panel.targets
    seen = rows_seen(loaded.panel, trained.plan.spec)
    decision = decided(seen, trained)
    record = {
        "rows": len(target),
        "observed": int(np.count_nonzero(~np.isnan(target))),
        "statistics": _statistics(target),
        "best_steps": list(trained.best_steps),
    } | scores(seen, trained, decision)
    return to_forecaster(loaded, trained, decision, record | about_covariates(loaded, plan, trained, start))


def refitted(loaded: Loaded, trained: Trained[ForecastSpec]) -> Forecaster:
    """The model that a repeated training leaves, with an empty record."""
    return to_forecaster(loaded, trained, decided(rows_seen(loaded.panel, trained.plan.spec), trained), {})


def unsettled(loaded: Loaded, trained: Trained[ForecastSpec]) -> Forecaster:
    """The model that a training leaves which broke off, with neither pool nor calibrated intervals."""
    return to_forecaster(loaded, trained, Decided(), {})


def to_forecaster(
    loaded: Loaded, trained: Trained[ForecastSpec], decision: Decided, record: dict[str, Any]
) -> Forecaster:
    """The model that a training leaves, with what the held-out rows decided."""
    plan = trained.plan
    loaded = _target_alone(loaded) if plan.variant == WITHOUT_COVARIATES else loaded
    panel = loaded.panel
    cutoffs = dict(zip(panel.ids, panel.ends().tolist(), strict=True))
    return Forecaster(
        plan.network,
        plan.spec,
        plan.training,
        loaded.columns,
        panel.calendar,
        trained.weights,
        cutoffs,
        record,
        summarise(panel, plan.spec.horizon),
        decision.pool,
        decision.calibration,
        decision.young,
        decision.linear,
    )


def _target_alone(loaded: Loaded) -> Loaded:
    """The data as if they had no covariates."""
    columns = replace(loaded.columns, past=(), future=(), static=())
    return replace(loaded, panel=planning.target_alone(loaded.panel), columns=columns)


def about_covariates(
    loaded: Loaded, plan: Plan[ForecastSpec], trained: Trained[ForecastSpec], start: Forecaster | None
) -> dict[str, Any]:
    """The training record's part about the covariates: how it was without them, here or where the model began."""
    if trained.candidates:
        off = loaded.panel.calendar.holidays
        names = [covariate.name for covariate in plan.spec.covariates]
        names += [f"holidays {region}" for region in (off.regions if off else ())]
        return {"covariates": comparison(trained.candidates, plan.spec, names)}
    before = {} if start is None else start.record
    return {"covariates": before["covariates"]} if "covariates" in before else {}


def _statistics(target: Floats) -> dict[str, float | None]:
    seen = target[~np.isnan(target)]
    if not seen.size:
        return {}
    least, most = float(seen.min()), float(seen.max())
    return {"minimum": least, "median": float(np.median(seen, overwrite_input=True)), "maximum": most}
