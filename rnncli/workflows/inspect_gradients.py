"""Examine a network's gradients on the user's own series: what is wrong, what may be done, and whether that helps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack, cast

from rnncli import files
from rnncli.data.load import Loaded
from rnncli.errors import GateFailed, MissingDependency, UsageError
from rnncli.events import Listener, unheard
from rnncli.near import did_you_mean
from rnncli.options import table
from rnncli.options.types import InspectOptions, Model, TrainOptions
from rnncli.outline import Outline, shown
from rnncli.registry import BASE, GRADIENT_CHECKS, TRIAL_CHECKS
from rnncli.tasks.plan import Plan
from rnncli.workflows.arguments import public
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.train import make_plan, task_of
from rnncli.workflows.trainable import require_torch

if TYPE_CHECKING:
    from rnncli.diagnostics.report import GradientReport
    from rnncli.workflows.probe import Probe

Path_ = str | os.PathLike[str]
PICTURES = (".png", ".svg")


@shown
@dataclass(frozen=True)
class Inspection:
    """What was found out about a model, or an untrained network, on some series."""

    report: GradientReport
    source: str
    frequency: str
    notes: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = ()
    plot: str | None = None

    @property
    def failed(self) -> tuple[str, ...]:
        """What was found of that which must not be."""
        return tuple(name for name in self.fail_on if self.report.has(name))

    def outline(self) -> Outline:
        """What was looked at, the diagnosis, and what may be done."""
        report = self.report.outline()
        found = report.facts[0], ("network", self.source), *report.facts[1:]
        failed = [("failed", ", ".join(self.failed))] if self.failed else []
        plot = [("picture", self.plot)] if self.plot else []
        return Outline("Inspection", [*found, *failed, *plot], report.header, report.rows, report.more)

    def check(self) -> None:
        """GateFailed if something was found that must not be."""
        if self.failed:
            where = [f"layer {layer}" for layer in self.report.layers_with(self.failed[0])]
            raise GateFailed(
                f"the gradients are {', '.join(self.failed)}" + (f" ({', '.join(where)})" if where else ""),
                hint=self.report.advice(self.failed),
            )

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        beside = {
            "source": self.source,
            "frequency": self.frequency,
            "notes": list(self.notes),
            "fail_on": list(self.fail_on),
            "failed": list(self.failed),
            "plot": self.plot,
        }
        return self.report.to_json() | beside


@public
def inspect_gradients(
    data: Any,
    model: Model | None = None,
    *,
    series: int | None = None,
    quick: bool = False,
    attempt: bool = False,
    attempt_steps: int | None = None,
    fail_on: Iterable[str] = (),
    plot: Path_ | None = None,
    threads: int | None = None,
    on_event: Listener | None = None,
    **options: Unpack[InspectOptions],
) -> Inspection:
    """Examine a model or, without one, the network of the given architecture as training would begin with it, on up to
    `series` series.

    `quick` looks at less; `attempt` tries each remedy by a short training from the same seed; `plot` is a picture to
    write. What `fail_on` names (verdicts and checks) is in the result's `failed`, and its `check` raises GateFailed.
    UsageError, InputRefused or ModelRefused; MissingDependency where a picture is wanted and matplotlib is not there.
    """
    asked = cast("TrainOptions", options)  # an untrained network is planned as one that is to be trained
    if model is None:
        task = task_of(asked, data)
        table.refuse_of_other_task(options, task.name)
        task.refuse_senseless(asked)
    else:
        table.refuse_beside("-m", options, table.of_network, "network")
        table.refuse_beside("-m", options, table.of_labels, "model")
    require_torch("the diagnosis of gradients")
    gates, tell = _gates(fail_on), on_event or unheard
    keep_apart("inspect-gradients", {**options, "data": data, "model": model, "plot": plot})
    _check_plot(plot)
    from rnncli.nn.runtime import prepared

    loaded, plan, start, source = _subject(data, model, asked, tell)
    members = ("the first of the network's members is inspected",) if plan.network.members > 1 else ()
    with prepared(threads):
        from rnncli.diagnostics.report import GradientReport
        from rnncli.workflows.probe import FULL, QUICK

        probe = replace(_probe(loaded, plan, start), taught=source != BASE)
        evidence = probe.evidence(QUICK if quick else FULL, series)
        report = GradientReport.of(evidence)
        if attempt:
            from rnncli.workflows.trying import try_remedies

            report = try_remedies(probe, loaded, report, tell, attempt_steps)
    step = plan.task.facts(loaded.panel, plan.spec).step or str(loaded.panel.calendar.frequency)
    done = Inspection(report, source, step, members, gates, None)
    return done if plot is None else _drawn(done, plot)


def _subject(
    data: Any, model: Model | None, options: TrainOptions, tell: Listener
) -> tuple[Loaded, Plan[Any], Mapping[str, Any] | None, str]:
    """The data, the plan, the weights (None: those training begins with) and what they are called."""
    choices = column_choices(options)
    if model is None:
        loaded = task_of(options, data).load_new(data, choices, options, tell)
        plan = make_plan(loaded, options, data)
        return loaded, plan, None, "an untrained network" if plan.first is None else "what training begins with"
    found = given(model)
    trained = found.model
    loaded = trained.task.load_known(data, choices, trained, tell)
    trained = trained.for_data(loaded, options.get("horizon"))
    plan = Plan(trained.task, trained.network, trained.spec, trained.training)
    return loaded, plan, {name: weight[0] for name, weight in trained.weights.items()}, found.path or found.named


def _probe(loaded: Loaded, plan: Plan[Any], start: Mapping[str, Any] | None) -> Probe:
    import torch

    from rnncli.training.session import initial_weights
    from rnncli.workflows.probe import Probe

    panel = plan.task.seen_rows(loaded.panel, plan.spec)
    if start is None:
        return Probe(panel, plan, initial_weights(plan), trained=plan.first is not None)
    weights = {name: torch.tensor(weight) for name, weight in start.items()}
    return Probe(panel, plan, weights, trained=True)


def _gates(fail_on: Iterable[str]) -> tuple[str, ...]:
    """The names that must not be found. UsageError where nothing is called so."""
    names = tuple(fail_on)
    known = sorted({"vanishing", "exploding", "chaotic", *GRADIENT_CHECKS, *TRIAL_CHECKS})
    for name in names:
        if name not in known:
            raise UsageError(f"nothing is called {name!r}", hint=did_you_mean(name, known))
    return names


def _check_plot(plot: Path_ | None) -> None:
    """UsageError, MissingDependency or StorageFailed before any work is done."""
    if plot is None:
        return
    if not os.fspath(plot).lower().endswith(PICTURES):
        raise UsageError(f"a picture ends in {' or '.join(PICTURES)}, not {os.fspath(plot)!r}")
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise MissingDependency("a picture needs matplotlib", hint="pip install 'rnncli[plot]'")
    files.check_writable(plot)


def _drawn(done: Inspection, plot: Path_) -> Inspection:
    from rnncli.diagnostics.plot import draw

    path = os.fspath(plot)
    files.atomic_write(plot, draw(done.report, done.frequency, path.rpartition(".")[2].lower()))
    return replace(done, plot=path)
