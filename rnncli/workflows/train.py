"""Fit a network to every series in the data, compare it with what is simpler, and write the model file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from rnncli import checkpoint, files, launched
from rnncli import model as models
from rnncli.data.frames.files import holds_frames, is_array
from rnncli.data.load import Loaded
from rnncli.data.tokens.load import holds_text
from rnncli.errors import ModelRefused, UsageError
from rnncli.events import Listener, Noted, unheard
from rnncli.near import did_you_mean
from rnncli.options import table
from rnncli.options.types import FrameOptions, TrainOptions
from rnncli.registry import PRETRAINED, TASKS, find
from rnncli.tasks.plan import Plan, Trained
from rnncli.tasks.reading import listed
from rnncli.tasks.task import Model, Task
from rnncli.workflows.arguments import public
from rnncli.workflows.model import Given, given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.request import request_of
from rnncli.workflows.result import Training
from rnncli.workflows.run_training import COURSES, run
from rnncli.workflows.tracking import check as check_tracking
from rnncli.workflows.tracking import tracked
from rnncli.workflows.trainable import require_torch

if TYPE_CHECKING:
    from rnncli.training.ranks import Ranks

__all__ = ["Training", "make_plan", "train"]

Path_ = str | os.PathLike[str]


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
