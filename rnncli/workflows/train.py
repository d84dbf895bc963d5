"""Fit a network to every series in the data, compare it with the naive forecasts, and write the model file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from rnncli import checkpoint, files
from rnncli.cells.named import refuse_unused_activation
from rnncli.data.columns import described
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.data.statistics import summarise
from rnncli.errors import InputRefused, ModelRefused, TrainingDiverged
from rnncli.inference import forecaster as models
from rnncli.inference.forecaster import Forecaster
from rnncli.options import table
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import plan as planning
from rnncli.tasks.forecast.plan import Plan
from rnncli.tasks.forecast.rows import rows_seen
from rnncli.tasks.forecast.validation import Validated
from rnncli.workflows import options as said
from rnncli.workflows.arguments import public
from rnncli.workflows.doubt import chosen, comparison
from rnncli.workflows.events import Listener, Noted, unheard
from rnncli.workflows.held_out import Decided, decided, scores
from rnncli.workflows.holidays import with_holidays
from rnncli.workflows.model import Given, given
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.reading import load_known, load_new, within_bounds
from rnncli.workflows.request import request_of
from rnncli.workflows.training import Training, verdict

if TYPE_CHECKING:
    from rnncli.training.session import Trained

__all__ = ["Training", "make_plan", "refit", "train", "verdict"]

Path_ = str | os.PathLike[str]
SHARED = 256  # units from which several threads are worth what they cost one another
WARM_SHARE, WARM_RATE = planning.REFIT_SHARE, planning.REFIT_RATE  # what going on with new data takes, as a refit does


@dataclass(frozen=True)
class _Job:
    """What is to be done, known before torch is loaded."""

    loaded: Loaded
    plan: Plan
    output: Path_ | None
    request: str
    start: Forecaster | None
    goes_on: str = ""  # the request but for the model it starts from, where that is the output itself


@public
def train(
    data: Any,
    *,
    output: Path_ | None = None,
    on_event: Listener | None = None,
    **options: Unpack[TrainOptions],
) -> Training:
    """Train on `data` (paths, folders, globs, "-", or tables with the Arrow stream interface); write `output`.

    Whatever is not said is inferred. The same call after one that was broken off goes on from `output` + ".partial"
    and ends in the same bytes; after one that ended it does nothing, unless `fresh`. `warm_start` is a model that is
    trained on, with its columns and its network; it may be `output` itself. What `on_event` raises stops the training,
    which is kept.

    Raises the errors of `rnncli.errors`; where training diverges, the last good weights are in `output` + ".partial",
    and a model at `output` stays as it was.
    """
    tell = on_event or unheard
    _check(options)
    keep_apart("train", {**options, "data": data, "output": output})
    if output is not None:
        refuse_to_replace_others(output)
    with files.locked(output, options.get("lock_wait") or 0.0):
        job = _prepared(data, output, options, tell)
        done = None if options.get("fresh") else _up_to_date(job)
        return done or _trained(job, options, tell)


def refuse_to_replace_others(output: Path_) -> None:
    """StorageFailed or OutputExists where a model, or a training under way, cannot be or must not be written."""
    for path in (os.fspath(output), f"{os.fspath(output)}.partial"):
        files.check_writable(path)
        checkpoint.refuse_to_replace_others(path)


def _prepared(data: Any, output: Path_ | None, options: TrainOptions, tell: Listener) -> _Job:
    began = _start(options)
    start = None if began is None else began.forecaster
    if start is None:
        loaded = with_holidays(load_new(data, options, tell), options.get("holidays") or ())
    else:
        loaded = load_known(data, start, options, tell)
    loaded = within_bounds(loaded, said.bounds(options) if start is None else start.bounds, options, tell)
    if loaded.columns.future:  # rows that only hold what is known ahead teach nothing
        loaded = replace(loaded, panel=loaded.panel.cut(loaded.panel.observed_ends()))
    plan = make_plan(loaded, options) if start is None else _plan_on(loaded, start, options)
    tell(Noted(_inferred(loaded, plan)))
    in_place = began is not None and began.path is not None and output is not None and _same_file(began.path, output)
    goes_on = request_of(loaded, plan, None) if in_place else ""
    return _Job(loaded, plan, output, request_of(loaded, plan, start), start, goes_on)


def _same_file(one: Path_, other: Path_) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def _start(options: TrainOptions) -> Given | None:
    """The model that training goes on with, if one is given. UsageError where an option says what it is."""
    model = options.get("warm_start")
    if model is None:
        return None
    table.refuse_beside("--warm-start", options, table.of_model, "model")
    return given(model, "warm_start")


def _plan_on(loaded: Loaded, start: Forecaster, options: TrainOptions) -> Plan:
    """The model's own network and forecast, trained as long and as gently as a refit."""
    panel, old = loaded.panel, start.forecast
    if not old.each and old.link == "log" and planning.choose_link(panel) != "log":
        raise InputRefused(
            "the model was trained on the logarithm of positive values, and these are not all positive",
            hint="train afresh, without --warm-start",
        )
    fitted = planning.fitted_to(panel, old)
    scale = {name: getattr(old, name) for name in ("link", "spread_prior", "spread_unit", "spread_fixed")}
    forecast = replace(fitted, **scale)
    given = planning.Sizes(**said.only(planning.Sizes, options))
    usual = planning.training_spec(start.network, forecast, given)
    steps = given.steps or max(1, round(WARM_SHARE * usual.steps))
    rate = given.learning_rate or WARM_RATE * usual.learning_rate
    training = planning.training_spec(start.network, forecast, replace(given, steps=steps, learning_rate=rate))
    return Plan(start.network, forecast, training)


def _up_to_date(job: _Job) -> Training | None:
    """The model that is there already, if the same request made it."""
    if job.output is None or not Path(job.output).exists():
        return None
    try:
        forecaster = models.load(job.output)
    except ModelRefused:  # a file that cannot be read is replaced
        return None
    made = forecaster.record.get("request") == job.request
    if not made and not (job.goes_on and forecaster.record.get("goes_on") == job.goes_on):
        return None
    files.remove(f"{os.fspath(job.output)}.partial")
    size = Path(job.output).stat().st_size
    return Training(forecaster, os.fspath(job.output), size, job.loaded.notes, job.loaded.skipped, up_to_date=True)


def _trained(job: _Job, options: TrainOptions, tell: Listener) -> Training:
    from pyarrow import default_memory_pool

    from rnncli.training.unfinished import Unfinished, bytes_needed

    default_memory_pool().release_unused()  # nothing of the tables is needed any more
    if job.output is not None:
        files.check_writable(job.output, bytes_needed(job.plan))
    every = options.get("checkpoint_every")
    unfinished = Unfinished(job.output, job.request, job.plan, *(() if every is None else (every,)))
    trained = run(job.loaded, job.plan, options, tell, unfinished, None if job.start is None else job.start.weights)
    made = _finish(job, trained)
    unfinished.remove()
    return made


def _check(options: TrainOptions) -> None:
    table.refuse_of_other_task(options, "forecast")
    said.quantile_levels(options, planning.DEFAULT_LEVELS)
    said.bounds(options)
    if options.get("warm_start") is None:
        refuse_unused_activation(options.get("cell") or planning.Sizes.cell, options.get("activation"))


def make_plan(loaded: Loaded, options: Mapping[str, Any]) -> Plan:
    """Everything that is decided before the first step."""
    panel = loaded.panel
    given = planning.Sizes(**said.only(planning.Sizes, options))
    horizon = options.get("horizon") or planning.default_horizon(panel.calendar, panel.lengths)
    levels = said.quantile_levels(options, planning.DEFAULT_LEVELS)
    beside = planning.covariates(panel, loaded.columns, loaded.categories)
    carried = options.get("tbptt") is not None
    forecast = planning.forecast_spec(panel, horizon, levels, options.get("context"), beside, carried=carried)
    forecast = planning.bounded(panel, forecast, *said.bounds(options))
    network = planning.network_spec(panel, forecast, given)
    plan = Plan(network, forecast, planning.training_spec(network, forecast, given))
    return plan if options.get("keep_covariates") else planning.doubted(panel, plan)


def run(
    loaded: Loaded,
    plan: Plan,
    options: TrainOptions,
    tell: Listener,
    unfinished: Any,
    start: Mapping[str, Any] | None = None,
) -> Trained:
    """Train from where `unfinished` stands, passing on every event. What the listener raises stops the training after
    it was kept; where it diverges, the best weights are kept as a model.
    """
    from rnncli.nn.runtime import available_cpus, device, prepared
    from rnncli.training.events import Budgeted
    from rnncli.training.progress import Progress
    from rnncli.training.session import Trained, train

    workers = min(options.get("threads") or available_cpus(), plan.network.members * len(plan.candidates))
    with prepared(1 if workers > 1 else options.get("threads") or _threads(plan.network)) as settings:
        for name, value in settings.items():
            tell(Noted(f"{name.replace('_', ' ')}: {value}", detail=True))
        where = device(options.get("device"))
        progress, line = (None, "") if options.get("fresh") else unfinished.found(where)
        if line:
            tell(Noted(line))
        progress = progress or Progress()
        panel = rows_seen(loaded.panel, plan.forecast)
        watching = _watching(panel, plan, where, options.get("watch_gradients"), progress)
        try:
            for event in train(panel, plan, where, progress, start, workers, chosen, _judge(panel, plan)):
                if isinstance(event, Budgeted):
                    tell(Noted(str(event)))
                    continue
                if isinstance(event, Trained):
                    return event
                for seen in watching(event):
                    tell(seen)
                _pass_on(event, tell, progress, unfinished)
        except TrainingDiverged as error:
            error.where = _named(panel, plan, where, progress, error) or error.where
            _keep_diverged(loaded, plan, progress, unfinished, error)
            raise
    raise AssertionError("training ends in what it trained")


def _judge(panel: Panel, plan: Plan) -> Callable[[Validated], object]:
    """What is done with the held-out forecasts in the end, for what it costs."""

    def judged(found: Validated) -> object:
        trial = Trained(plan, {}, found, ())
        return scores(panel, trial, decided(panel, trial))

    from rnncli.training.session import Trained

    return judged


def _watching(panel: Panel, plan: Plan, device: str, every: int | None, progress: Any) -> Callable[[object], Any]:
    """Who looks at gradients while they are there; nobody, unless that was asked for."""
    if every is None:
        return lambda _: ()
    from rnncli.workflows.watching import Watching

    return Watching(panel, plan, device, every, progress)


def _named(panel: Panel, plan: Plan, device: str, progress: Any, error: TrainingDiverged) -> str:
    """Series, origin, layer and lag of a step that is not finite."""
    from rnncli.workflows.watching import named

    return named(panel, plan, device, progress, error.phase)


def _pass_on(event: object, tell: Listener, progress: Any, unfinished: Any) -> None:
    from rnncli.training.events import Finished

    try:
        tell(event)
    except BaseException as stop:
        if unfinished.keep(progress):
            stop.add_note(f"the training so far is in {unfinished.path}; the same command goes on from there")
        raise
    if isinstance(event, Finished):
        unfinished.keep(progress)
    else:
        unfinished.keep_now_and_then(progress)


def _keep_diverged(loaded: Loaded, plan: Plan, progress: Any, unfinished: Any, error: TrainingDiverged) -> None:
    from rnncli.training.session import good_so_far

    so_far = good_so_far(progress, plan)
    if unfinished.path is None or so_far is None:
        return
    models.save(unfinished.path, to_forecaster(loaded, so_far, Decided(), {}))
    error.hint = f"{error.hint}; the last good weights are in {unfinished.path}"


def _threads(network: NetworkSpec) -> int | None:
    """One thread where the work of a step is too small to be shared; else as many as there are."""
    return 1 if network.layers * network.hidden < SHARED else None


def to_forecaster(loaded: Loaded, trained: Trained, decision: Decided, record: dict[str, Any]) -> Forecaster:
    """The model that a training leaves, with what the held-out rows decided."""
    plan = trained.plan
    loaded = _target_alone(loaded) if trained.alone else loaded
    panel = loaded.panel
    cutoffs = dict(zip(panel.ids, panel.ends().tolist(), strict=True))
    return Forecaster(
        plan.network,
        plan.forecast,
        plan.training,
        loaded.columns,
        panel.calendar,
        trained.weights,
        cutoffs,
        record,
        summarise(panel, plan.forecast.horizon),
        decision.pool,
        decision.stretch,
        decision.young,
    )


def _target_alone(loaded: Loaded) -> Loaded:
    """The same data as if they had no covariates."""
    columns = replace(loaded.columns, past=(), future=(), static=())
    return replace(loaded, panel=planning.target_alone(loaded.panel), columns=columns, categories={})


def _finish(job: _Job, trained: Trained) -> Training:
    loaded = job.loaded
    target = loaded.panel.values[:, 0]
    seen = rows_seen(loaded.panel, trained.plan.forecast)
    decision = decided(seen, trained)
    record = {
        "rows": len(target),
        "observed": int(np.count_nonzero(~np.isnan(target))),
        "statistics": _statistics(target),
        "best_steps": list(trained.best_steps),
        "request": job.request,
        **({"goes_on": job.goes_on} if job.goes_on else {}),
    } | scores(seen, trained, decision)
    record |= about_covariates(job, trained) | about_time(trained)
    forecaster = to_forecaster(loaded, trained, decision, record)
    size = models.save(job.output, forecaster) if job.output is not None else 0
    output = None if job.output is None else os.fspath(job.output)
    return Training(forecaster, output, size, loaded.notes, loaded.skipped)


def about_covariates(job: _Job, trained: Trained) -> dict[str, Any]:
    """The training record's part about the covariates: how it was without them, here or where the model began."""
    if trained.candidates:
        off = job.loaded.panel.calendar.holidays
        names = [covariate.name for covariate in job.plan.forecast.covariates]
        names += [f"holidays {region}" for region in (off.regions if off else ())]
        return {"covariates": comparison(trained.candidates, job.plan.forecast, names)}
    before = {} if job.start is None else job.start.record
    return {"covariates": before["covariates"]} if "covariates" in before else {}


def about_time(trained: Trained) -> dict[str, Any]:
    """The training record's part about a time budget: the steps that it allowed, of those that were planned."""
    if trained.budgeted is None:
        return {}
    return {"time_budget": {"steps": trained.budgeted.steps, "planned_steps": trained.budgeted.planned}}


def _statistics(target: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    seen = target[~np.isnan(target)]
    if not seen.size:
        return {}
    middle = float(np.median(seen))
    return {"minimum": float(seen.min()), "median": middle, "maximum": float(seen.max())}


def _inferred(loaded: Loaded, plan: Plan) -> str:
    """The inference in one line, printed before anything is trained."""
    calendar = loaded.panel.calendar
    seasons = " and ".join(map(str, calendar.seasons)) if calendar.seasons != (1,) else "none"
    what = described(loaded.columns, str(calendar.frequency))
    return f"{what}, season {seasons}, horizon {plan.forecast.horizon}"


def refit(loaded: Loaded, forecaster: Forecaster, options: TrainOptions, tell: Listener) -> Forecaster:
    """The same network, trained the same way on other rows."""
    from rnncli.training.unfinished import Unfinished

    spec = planning.fitted_to(loaded.panel, forecaster.forecast)
    training = replace(forecaster.training, time_budget=None)  # its steps are what the budget allowed
    plan = Plan(forecaster.network, spec, training)
    trained = run(loaded, plan, options, tell, Unfinished(None, "", plan))
    return to_forecaster(loaded, trained, decided(rows_seen(loaded.panel, spec), trained), {})
