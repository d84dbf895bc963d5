"""Fit a network to every series in the data, compare it with what is simpler, and write the model file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from rnncli import checkpoint, files, launched
from rnncli import model as models
from rnncli.cells.named import on_grid
from rnncli.data.frames.files import holds_frames, is_array
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.data.tokens.load import holds_text
from rnncli.errors import GateFailed, ModelRefused, RankLost, TrainingDiverged, UsageError
from rnncli.events import Budgeted, Listener, Noted, Phase, unheard
from rnncli.near import did_you_mean
from rnncli.options import table
from rnncli.options.types import FrameOptions, TrainOptions
from rnncli.registry import PRETRAINED, TASKS, find
from rnncli.spec import NetworkSpec
from rnncli.tasks.plan import Plan, Trained
from rnncli.tasks.reading import listed
from rnncli.tasks.task import Again, Model, Task
from rnncli.workflows.arguments import public
from rnncli.workflows.model import Given, given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.request import request_of
from rnncli.workflows.result import Training
from rnncli.workflows.tracking import check as check_tracking
from rnncli.workflows.tracking import tracked
from rnncli.workflows.trainable import require_torch

if TYPE_CHECKING:
    from rnncli.diagnostics.events import Exploded, Gradients, Strayed
    from rnncli.training.events import Event
    from rnncli.training.progress import Progress
    from rnncli.training.ranks import Ranks
    from rnncli.training.unfinished import Unfinished

__all__ = ["Training", "make_plan", "refit", "repeating", "train"]

Path_ = str | os.PathLike[str]
COURSES = {
    "exploding": "lower --clip or --learning-rate; inspect-gradients with the same options says which layer it is",
    "collapse": "lower --learning-rate; inspect-gradients with the same options says how far a step moves the weights",
    "plateau": "inspect-gradients with the same options says whether the gradient reaches what matters",
}
"""Where a training goes when it goes wrong, and what is to be done then."""
SHARED = 256  # units from which several threads are worth what they cost one another


@dataclass(frozen=True)
class _Job:
    """What is to be done, known before torch is loaded."""

    loaded: Loaded
    plan: Plan[Any]
    output: Path_ | None
    request: str
    start: Model | None
    goes_on: str = ""  # the request but for the model it starts from, where that is the output itself


def task_of(options: TrainOptions, data: Any) -> Task[Any]:
    """The task that options and data ask for: labels where a label is named, sets where these are said, tokens or
    frames where it is said what they are or data are texts or files of frames and not said to be tables (`format`),
    else forecasts.
    """
    said = any(options.get(key) is not None for key in ("split", "text", "token"))
    framed = any(options.get(key) is not None for key in FrameOptions.__annotations__)
    if options.get("label") is not None:
        name = "labels"
    elif options.get("multi_hot") or options.get("set_separator") is not None:
        name = "sets"
    elif said or (options.get("format") is None and _holds(data, holds_text)):
        name = "tokens"
    elif framed or any(map(is_array, listed(data))) or (options.get("format") is None and _holds(data, holds_frames)):
        name = "frames"
    else:
        name = "forecast"
    task: Task[Any] = find(TASKS, name, "task")
    return task


def _holds(data: Any, kind: Callable[[Any], bool]) -> bool:
    """Whether data are paths of files of a kind; whatever else is wrong with them is said when they are read."""
    if not all(isinstance(item, (str, os.PathLike)) and os.fspath(item) for item in listed(data)):
        return False
    try:
        return kind(data)
    except (OSError, ValueError):
        return False


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
    which is kept. Where torchrun starts this call in several processes they train one network together, of which the
    first one alone writes; all return the same model.

    Raises the errors of `rnncli.errors`; where training diverges, the last good weights are in `output` + ".partial",
    and a model at `output` stays as it was.
    """
    tell = on_event or unheard
    refuse_what_cannot_be(options, data)
    keep_apart("train", {**options, "data": data, "output": output})
    if launched.place() is not None:
        return _train_together(data, output, options, tell)
    return _train(data, output, options, tell, _alone)


def _train_together(data: Any, output: Path_ | None, options: TrainOptions, tell: Listener) -> Training:
    from rnncli.training.joining import joined

    if any(isinstance(item, str) and item == "-" for item in listed(data)):
        raise UsageError("several processes cannot read one standard input", hint="give a file that each can read")
    with joined(options.get("device"), options.get("lock_wait") or 0.0) as ranks:
        if not ranks.first:
            output = None
            options = {**options, "tensorboard": None, "mlflow": None, "watch_gradients": None, "fail_on": ()}
        return _train(data, output, options, tell, lambda job, options, tell: _agreed(job, options, tell, ranks))


def _train(
    data: Any,
    output: Path_ | None,
    options: TrainOptions,
    tell: Listener,
    made: Callable[[_Job, TrainOptions, Listener], Training],
) -> Training:
    """What is `made` while nobody else writes the output."""
    if output is not None:
        refuse_to_replace_others(output)
        if os.fspath(output) in PRETRAINED:
            tell(Noted(f"-m {output} is the model that comes with the program; the one that is trained is ./{output}"))
    with files.locked(output, options.get("lock_wait") or 0.0):
        return made(_prepared(data, output, options, tell), options, tell)


def _alone(job: _Job, options: TrainOptions, tell: Listener) -> Training:
    done = None if options.get("fresh") else _up_to_date(job)
    made = done or _trained(job, options, tell)
    assert made is not None
    return made


def _agreed(job: _Job, options: TrainOptions, tell: Listener, ranks: Ranks) -> Training:
    """What all ranks make together, and the first one writes."""
    ranks.refuse_others(job.request)
    done = None if options.get("fresh") else _up_to_date(job)
    if not ranks.greatest(int(done is not None)):
        done = _trained(job, options, tell, ranks)
    if done is not None:
        ranks.data(models.to_bytes(done.model))
        return done
    data = ranks.data(b"")
    model: Model = models.from_bytes(data, "what the first process has made")
    return Training(model, None, len(data), job.loaded.notes, job.loaded.skipped)


def refuse_what_cannot_be(options: TrainOptions, data: Any) -> None:
    """UsageError or MissingDependency for what can be refused before any data are read."""
    require_torch()
    check_tracking(options)
    _check(options, data)


def prepared_job(
    data: Any, output: Path_ | None, options: TrainOptions, tell: Listener
) -> tuple[_Job, Training | None]:
    """What is to be done, and the model that is there already if it has been done."""
    job = _prepared(data, output, options, tell)
    return job, None if options.get("fresh") else _up_to_date(job)


def refuse_to_replace_others(output: Path_) -> None:
    """StorageFailed or OutputExists where a model, or a training under way, cannot be or must not be written."""
    for path in (os.fspath(output), f"{os.fspath(output)}.partial"):
        files.check_writable(path)
        checkpoint.refuse_to_replace_others(path)


def _prepared(data: Any, output: Path_ | None, options: TrainOptions, tell: Listener) -> _Job:
    began = _start(options)
    start = None if began is None else began.model
    task = task_of(options, data) if start is None else start.task
    loaded = task.load_to_train(data, column_choices(options), options, start, tell)
    plan = task.planned(loaded, options) if start is None else _on_from(start, loaded, options)
    tell(Noted(task.inferred(loaded, plan)))
    in_place = began is not None and began.path is not None and output is not None and _same_file(began.path, output)
    goes_on = request_of(loaded, replace(plan, first=None)) if in_place else ""
    return _Job(loaded, plan, output, request_of(loaded, plan), start, goes_on)


def _on_from(start: Model, loaded: Loaded, options: TrainOptions) -> Plan[Any]:
    """The plan of a training that goes on from a model's weights."""
    plan: Plan[Any] = start.task.planned_on(loaded, start, options)
    return replace(plan, first=start.weights) if plan.first is None else plan


def _same_file(one: Path_, other: Path_) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def _start(options: TrainOptions) -> Given | None:
    """The model that training goes on with, if one is given. UsageError where an option says what it is."""
    model = options.get("warm_start")
    if model is None:
        return None
    found = given(model, "warm_start")
    if options.get("from_scratch"):
        raise UsageError("--from-scratch begins with no model, and --warm-start gives one", hint="leave one out")
    if not found.model.unfitted:
        table.refuse_beside("--warm-start", options, table.of_model, "model")
    table.refuse_of_other_task(options, found.model.task.name, by_model=True)
    return found


def _up_to_date(job: _Job) -> Training | None:
    """The model that is there already, if the same request made it."""
    if job.output is None or not Path(job.output).exists():
        return None
    try:
        model = models.load(job.output)
    except ModelRefused:  # a file that cannot be read is replaced
        return None
    made = model.record.get("request") == job.request
    if not made and not (job.goes_on and model.record.get("goes_on") == job.goes_on):
        return None
    files.remove(f"{os.fspath(job.output)}.partial")
    size = Path(job.output).stat().st_size
    return Training(model, os.fspath(job.output), size, job.loaded.notes, job.loaded.skipped, up_to_date=True)


def _trained(job: _Job, options: TrainOptions, tell: Listener, ranks: Ranks | None = None) -> Training | None:
    """The model that is trained, written; None from a rank that is not the first."""
    from pyarrow import default_memory_pool

    from rnncli.training.unfinished import Unfinished, bytes_needed

    default_memory_pool().release_unused()  # nothing of the tables is needed any more
    if job.output is not None:
        files.check_writable(job.output, bytes_needed(job.plan))
    every = options.get("checkpoint_every")
    unfinished = Unfinished(job.output, job.request, job.plan, *(() if every is None else (every,)))
    settings = table.settled(
        {"network": job.plan.network, "training": job.plan.training, job.plan.task.name: job.plan.spec}
    )
    name = "model" if job.output is None else Path(job.output).stem
    with tracked(options, job.request, name, settings, tell) as (listen, validated):
        trained = run(job.loaded, job.plan, options, listen, unfinished, ranks)
        if ranks is not None and not ranks.first:
            return None
        made = _finish(job, trained)
        validated(made.validation)
    unfinished.remove()
    return made


def _check(options: TrainOptions, data: Any) -> None:
    task = task_of(options, data)
    courses = tuple(options.get("fail_on") or ())
    if courses and options.get("watch_gradients") is None:
        raise UsageError("--fail-on is for a training that is watched", hint="say how often: --watch-gradients 10")
    for course in courses:
        if course not in COURSES:
            raise UsageError(f"a training is not stopped on {course!r}", hint=did_you_mean(course, list(COURSES)))
    if options.get("warm_start") is None:
        table.refuse_of_other_task(options, task.name)
    task.refuse_senseless(options)


def make_plan(loaded: Loaded, options: TrainOptions, data: Any = None) -> Plan[Any]:
    """The plan of a training: everything that is decided before the first step. UsageError or InputRefused."""
    return task_of(options, data).planned(loaded, options)


def run(
    loaded: Loaded,
    plan: Plan[Any],
    options: TrainOptions,
    tell: Listener,
    unfinished: Unfinished,
    together: Ranks | None = None,
) -> Trained[Any]:
    """Train from where `unfinished` stands, passing on every event. What the listener raises stops the training after
    it was kept; where it diverges, the best weights are kept as a model. Where others train `together` with this one
    and are lost, what there is is kept too.
    """
    from rnncli.nn.runtime import device, prepared
    from rnncli.training.progress import Progress
    from rnncli.training.ranks import ALONE
    from rnncli.training.session import train

    ranks = together or ALONE
    workers, threads = workers_and_threads(plan, options.get("threads"), alone=ranks.size == 1)
    with prepared(threads) as settings:
        for name, value in settings.items():
            tell(Noted(f"{name.replace('_', ' ')}: {value}", detail=True))
        where = device(options.get("device"))
        progress, line = (None, "") if options.get("fresh") else unfinished.found(where, ranks)
        if line:
            tell(Noted(line))
        progress = progress or Progress()
        panel = plan.task.seen_rows(loaded.panel, plan.spec)
        watching = _watching(panel, plan, where, options.get("watch_gradients"), progress)
        failing = _failing(tell, tuple(options.get("fail_on") or ()))
        with _kept_if_it_fails(loaded, plan, where, progress, unfinished, ranks):
            for event in train(panel, plan, where, progress, workers, ranks):
                if isinstance(event, Budgeted):
                    tell(Noted(str(event)))
                    continue
                if isinstance(event, Trained):
                    return event
                for seen in watching(event):
                    _pass_on(seen, failing, progress, unfinished)
                _pass_on(event, tell, progress, unfinished)
    raise AssertionError("training ends in what it trained")


@contextmanager
def _kept_if_it_fails(
    loaded: Loaded, plan: Plan[Any], device: str, progress: Progress, unfinished: Unfinished, ranks: Ranks
) -> Iterator[None]:
    """Keep the training so far where another rank is lost, and the last good weights where it diverges."""
    try:
        yield
    except RankLost as error:
        if unfinished.keep(progress):
            error.hint = f"{error.hint} from {unfinished.path}"
        raise
    except TrainingDiverged as error:
        ranks.outlast_the_first()  # it looks for the place, keeps what is good, and tells
        if ranks.first:
            seen = plan.task.seen_rows(loaded.panel, plan.spec)
            error.where = _named(seen, plan, device, progress, error) or error.where
            _keep_diverged(loaded, plan, progress, unfinished, error)
        raise


def workers_and_threads(plan: Plan[Any], asked: int | None, *, alone: bool) -> tuple[int, int | None]:
    """How many members are trained at a time, and by how many threads each."""
    from rnncli.nn.runtime import MOST_THREADS
    from rnncli.processors import available_cpus

    own = asked or threads_of(plan.network)
    if not alone:
        from rnncli.training.joining import cpus_of

        return 1, own or min(cpus_of(available_cpus()), MOST_THREADS)
    workers = min(asked or available_cpus(), plan.network.members * len(plan.candidates))
    return workers, 1 if workers > 1 else own


def _watching(
    panel: Panel, plan: Plan[Any], device: str, every: int | None, progress: Progress
) -> Callable[[Event], Iterator[Gradients | Exploded | Strayed]]:
    """What turns events into reports on gradients, every so many steps; without `every` it tells nothing."""
    if every is None:
        return lambda _: iter(())
    from rnncli.workflows.watching import Watching

    return Watching(panel, plan, device, every, progress)


def _named(panel: Panel, plan: Plan[Any], device: str, progress: Progress, error: TrainingDiverged) -> str:
    """Series, origin, layer and lag of a step that is not finite."""
    from rnncli.workflows.watching import named

    assert isinstance(error.phase, Phase)
    return named(panel, plan, device, progress, error.phase)


def _failing(tell: Listener, courses: tuple[str, ...]) -> Listener:
    """A listener that raises GateFailed where a training goes in a way that it must not."""

    def heard(event: Any) -> None:
        tell(event)
        course = getattr(event, "course", None)
        if course in courses:
            raise GateFailed(f"the training is stopped: {event.text}", hint=COURSES[course])

    return heard


def _pass_on(event: object, tell: Listener, progress: Progress, unfinished: Unfinished) -> None:
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


def _keep_diverged(
    loaded: Loaded, plan: Plan[Any], progress: Progress, unfinished: Unfinished, error: TrainingDiverged
) -> None:
    from rnncli.training.session import good_so_far

    so_far = good_so_far(progress, plan)
    if unfinished.path is None or so_far is None:
        return
    models.save(unfinished.path, plan.task.unsettled(loaded, so_far))
    error.hint = f"{error.hint}; the last good weights are in {unfinished.path}"


def threads_of(network: NetworkSpec) -> int | None:
    """One thread where the work of a step is too small to be shared; else, as on a grid, as many as there are."""
    return 1 if network.layers * network.hidden < SHARED and not on_grid(network.cell) else None


def _finish(job: _Job, trained: Trained[Any]) -> Training:
    made = job.plan.task.settled(job.loaded, job.plan, trained, job.start)
    goes_on = {"goes_on": job.goes_on} if job.goes_on else {}
    model: Model = replace(made, record=made.record | {"request": job.request} | goes_on | about_time(trained))
    size = models.save(job.output, model) if job.output is not None else 0
    output = None if job.output is None else os.fspath(job.output)
    return Training(model, output, size, job.loaded.notes, job.loaded.skipped)


def about_time(trained: Trained[Any]) -> dict[str, Any]:
    """The training record's part about a time budget: the steps that it allowed, of those that were planned."""
    if trained.budgeted is None:
        return {}
    return {"time_budget": {"steps": trained.budgeted.steps, "planned_steps": trained.budgeted.planned}}


def refit(loaded: Loaded, model: Model, options: TrainOptions, tell: Listener) -> Model:
    """A model of the same network, trained in the same way on other rows."""
    require_torch("training once more")
    from rnncli.training.unfinished import Unfinished

    plan = model.task.planned_again(loaded, model)
    trained = run(loaded, plan, options, tell, Unfinished(None, "", plan))
    again: Model = model.task.refitted(loaded, trained)
    return again


def repeating(device: str | None, threads: int | None, tell: Listener) -> Again:
    """What trains a model once more on other rows, there and by so many threads."""
    return lambda loaded, model: refit(loaded, model, {"device": device, "threads": threads}, tell)
