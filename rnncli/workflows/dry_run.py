"""What a command would do, what that would cost, and what would be refused: all is read and tried, nothing is written.

Costs are measured on this machine: the data are read as they would be, and a little of the work is done, from which
the whole is extrapolated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnncli import files, launched
from rnncli.data.limits import shown
from rnncli.data.sinks.sink import sink_of
from rnncli.errors import SeriesRefused, UsageError
from rnncli.events import Listener
from rnncli.memory import give_back, peak, resident
from rnncli.options import table
from rnncli.options.types import TrainOptions, columns_of
from rnncli.registry import BASE, REHEARSALS, find
from rnncli.tasks.task import Backtest, InParts
from rnncli.workflows.evaluate import refuse_two_counts
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.predict import into_of, refuse_what_cannot_go
from rnncli.workflows.run_training import workers_and_threads
from rnncli.workflows.train import prepared_job, refuse_to_replace_others, refuse_what_cannot_be


@dataclass(frozen=True)
class DryRun:
    """What a command would do: to so many `rows` of so many `series`, with a network of so many `parameters`, in so
    many `seconds` at most, at least where a search stops early, with `memory` bytes. `does` says it in words, `writes`
    are paths with what becomes of them.
    """

    command: str
    rows: int
    series: int
    parameters: int
    seconds_least: float
    seconds: float
    memory: int
    does: str
    writes: Mapping[str, str]
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return {
            "schema": "rnncli.dry-run/1",
            "command": self.command,
            "rows": self.rows,
            "series": self.series,
            "parameters": self.parameters,
            "seconds_least": round(self.seconds_least, 3),
            "seconds": round(self.seconds, 3),
            "memory": self.memory,
            "does": self.does,
            "writes": dict(self.writes),
            "notes": list(self.notes),
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
        }

    def facts(self) -> list[tuple[str, str]]:
        """Pairs of a name and a line, for people."""
        return [
            ("data", f"{self.series:,} series, {self.rows:,} rows" + self._skipped()),
            ("network", f"{self.parameters:,} parameters"),
            ("would", self.does),
            *(("write", f"{path}: {what}") for path, what in self.writes.items()),
            ("time", self._time()),
            ("memory", f"about {shown(self.memory)}"),
        ]

    def _time(self) -> str:
        least, most = _spoken(self.seconds_least), _spoken(self.seconds)
        early = "" if least == most else f"; {least} where training stops as early as it can"
        return f"about {most} on this machine{early}"

    def _skipped(self) -> str:
        return f"; {len(self.skipped):,} more would be skipped" if self.skipped else ""


def dry_train(data: Any, output: str | os.PathLike[str] | None, options: TrainOptions, tell: Listener) -> DryRun:
    """What `train` would do. It raises what `train` would raise before the first step."""
    began = time.monotonic()
    if launched.place() is not None:
        raise UsageError("--dry-run is for one process, and torchrun has started several", hint="run rnncli alone")
    refuse_what_cannot_be(options, data)
    keep_apart("train", {**options, "data": data, "output": output})
    if output is not None:
        refuse_to_replace_others(output)
    job, done = prepared_job(data, output, options, tell)
    panel, plan = job.loaded.panel, job.plan
    reading = time.monotonic() - began
    least, training = (0.0, 0.0) if done else _training_seconds(panel, plan, options)
    steps = plan.training.steps
    budget = "" if plan.training.time_budget is None else f" at most, within {_spoken(plan.training.time_budget)}"
    does = "nothing: the model is up to date" if done else f"train {steps:,} steps{budget}, then go on with all rows"
    size = _model_bytes(panel, plan)
    writes = {} if output is None or done else {os.fspath(output): f"{_becomes(output)}, about {shown(size)}"}
    memory = max(peak(), resident() + panel.values.nbytes)
    return DryRun(
        "train",
        len(panel.values),
        len(panel),
        _parameters(plan),
        reading + least,
        reading + training,
        memory,
        does,
        writes,
        job.loaded.notes,
        job.loaded.skipped,
    )


def dry_predict(
    data: Any, model: Any, output: str | os.PathLike[str] | None, options: Mapping[str, Any], tell: Listener
) -> DryRun:
    """What `predict` would do. It raises what `predict` would raise before the first forecast."""
    began = time.monotonic()
    refuse_what_cannot_go(data, options)  # type: ignore[arg-type]
    keep_apart("predict", {**options, "data": data, "model": model, "output": output})
    writes: dict[str, str] = {}
    if output is not None:
        sink = sink_of(output, into_of(options, 0.0))  # type: ignore[arg-type]
        sink.check()
        if options.get("if_exists") == "error":
            sink.refuse_existing()
        options = {**options, "out_format": sink.format}
    found = given(BASE if model is None else model)
    table.refuse_of_other_task(options, found.model.task.name, by_model=True)
    tried = _rehearsal(found.model, "predict")(data, found.model, column_choices(columns_of(options)), options, tell)
    if output is not None:
        writes = {os.fspath(output): f"{_becomes(output)}, {tried.made:,} rows, about {shown(tried.bytes)}"}
    does = f"forecast {tried.steps:,} rows of each series"
    return _dry("predict", tried, found.model, began, does, writes)


def dry_evaluate(
    data: Any,
    model: Any,
    forecasts: Any,
    windows: Mapping[str, Any],
    options: Mapping[str, Any],
    tell: Listener,
) -> DryRun:
    """What `evaluate` would do. It raises what `evaluate` would raise before the first forecast."""
    began = time.monotonic()
    if forecasts is not None:
        raise UsageError("--dry-run is for what a model does, and forecasts were saved", hint="leave --dry-run out")
    refuse_two_counts(windows["windows"], windows["start"])
    keep_apart("evaluate", {**options, "data": data, "model": model})
    parted = None if options.get("by") or options.get("plot") else InParts()
    wanted = Backtest(**windows, trained_on=None, group=None, in_parts=parted)
    found = given(BASE if model is None else model)
    table.refuse_of_other_task(options, found.model.task.name, by_model=True)

    def training(loaded: Any, of: Any) -> tuple[float, float]:
        from rnncli.workflows.trainable import require_torch

        require_torch("training once more")
        plan = of.task.planned_again(loaded, of)
        return _training_seconds(plan.task.seen_rows(loaded.panel, plan.spec), plan, options)

    work = _rehearsal(found.model, "evaluate")
    tried = work(data, found.model, column_choices(columns_of(options)), wanted, tell, training)
    again = ", after the network was trained once more" if tried.again else ""
    does = f"score {tried.made:,} forecasts of {tried.steps:,} rows{again}"
    output = options.get("output")
    writes = {} if output is None else {os.fspath(output): _becomes(output)}
    return _dry("evaluate", tried, found.model, began, does, writes)


def _dry(command: str, tried: Any, model: Any, began: float, does: str, writes: Mapping[str, str]) -> DryRun:
    spent = time.monotonic() - began - tried.trying
    parameters = sum(weight.size for weight in model.weights.values())
    return DryRun(
        command,
        tried.rows,
        tried.series,
        parameters,
        spent + tried.least,
        spent + tried.seconds,
        max(peak(), resident() + tried.memory),
        does,
        writes,
        tried.notes,
        tried.skipped,
    )


def _rehearsal(model: Any, command: str) -> Any:
    """What tries a command of a model's task on a few series. UsageError where there is none."""
    name = f"{model.task.name} {command}"
    if name not in REHEARSALS:
        raise UsageError(
            f"--dry-run of {command} is for forecasts, and the model is one of {model.task.name}",
            hint="rnncli check says what is wrong with the data",
        )
    return find(REHEARSALS, name, "rehearsal")


def _training_seconds(panel: Any, plan: Any, options: Mapping[str, Any]) -> tuple[float, float]:
    """The seconds of a training at least and at most; a few steps and scores of it are tried."""
    from rnncli.nn.runtime import device, prepared
    from rnncli.training.session import expected_seconds

    give_back()
    workers, threads = workers_and_threads(plan, options.get("threads"), alone=True)
    with prepared(threads):
        seconds = expected_seconds(plan.task.seen_rows(panel, plan.spec), plan, device(options.get("device")), workers)
    budget = plan.training.time_budget
    return seconds if budget is None else (min(seconds[0], budget), min(seconds[1], budget))


def _parameters(plan: Any) -> int:
    return int(plan.network.members) * sum(int(np.prod(shape)) for shape in plan.shapes.values())


def _model_bytes(panel: Any, plan: Any) -> int:
    """Weights, of each series its name, and what the task keeps beside them."""
    names = sum(len(name.encode()) for name in panel.ids) + 8 * len(panel)
    return 4 * _parameters(plan) + names + int(plan.spec.bytes_beside_weights(panel))


def _becomes(path: str | os.PathLike[str]) -> str:
    files.check_writable(path)
    return "replaced" if Path(path).exists() else "new"


def _spoken(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 6_000 else f"{seconds / 3_600:.1f} hours"
