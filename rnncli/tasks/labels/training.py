"""From what a caller said to the plan of a training on labels, and from what it leaves to the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.cells.named import refuse_unused_activation
from rnncli.data.channel import Channel
from rnncli.data.labels.known import known_labels
from rnncli.data.labels.load import described
from rnncli.data.load import Loaded
from rnncli.errors import UsageError
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.tasks.labels import head
from rnncli.tasks.labels import plan as planning
from rnncli.tasks.labels.decide import Decided, decided, scores, settled_spec
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.named import table_names
from rnncli.tasks.labels.online import refuse_what_looks_ahead
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.labels.task import TASK
from rnncli.tasks.plan import Plan, Sizes, Trained
from rnncli.tasks.seen import named_shapes


def refuse_senseless(options: TrainOptions) -> None:
    """UsageError for options that exclude each other."""
    per_step, online = options.get("per_step"), options.get("online")
    if online and not per_step:
        raise UsageError(
            "--online labels each step as it comes, and here a sequence has one label", hint="add --per-step"
        )
    if per_step and options.get("pooling") is not None:
        raise UsageError(
            "--pooling is for one label a sequence, and with --per-step each step has one", hint="leave it out"
        )
    if options.get("tbptt") is not None and not online:
        raise UsageError(
            "--tbptt learns from stretches of a sequence, which needs labels per step", hint="add --online"
        )
    if options.get("context") is not None and not per_step:
        raise UsageError(
            "--context is for forecasts and labels per step: a sequence is read whole", hint="leave it out"
        )
    if online:
        refuse_what_looks_ahead(options.get("cell") or planning.ONLINE_CELL)
    if options.get("channels") and options.get("frame") is not None:
        raise UsageError("a label of frames is read from these alone", hint="leave --channels out")
    refuse_unused_activation(options.get("cell") or planning.CELL, options.get("activation"))


def planned(loaded: Loaded, options: TrainOptions) -> Plan[LabelSpec]:
    """The plan of a training: everything that is decided before its first step. UsageError or InputRefused, also where
    its answers could not be written.
    """
    given, panel = Sizes(**fields_given(Sizes, options)), loaded.panel
    _refuse_of_other_kind(options, panel.channels[0])
    spec = planning.label_spec(panel, options)
    table_names(loaded.columns, spec, panel.channels[0].vocabulary, len(panel))
    network = planning.network_spec(panel, spec, given)
    training = planning.training_spec(panel, spec, network, given)
    return Plan(TASK, network, spec, training, refit=planning.refit_of(panel, spec))


def _refuse_of_other_kind(options: TrainOptions, label: Channel) -> None:
    """UsageError for options about classes where labels are numbers, and about numbers where they are classes."""
    number = label.kind == "number"
    for name in ("class_weights", "label_smoothing") if number else ("quantiles",):
        if options.get(name) is not None:
            flag, kinds = name.replace("_", "-"), ("classes", "numbers") if number else ("numbers", "classes")
            raise UsageError(
                f"--{flag} is for labels that are {kinds[0]}, and those in column {label.name!r} are {kinds[1]}",
                hint=f"leave --{flag} out, or say what labels are: --label-kind {'class' if number else 'number'}",
            )


def planned_on(loaded: Loaded, start: Labeler, options: TrainOptions) -> Plan[LabelSpec]:
    """A model's own network and label, trained as long and as gently as a refit."""
    given = Sizes(**fields_given(Sizes, options))
    panel, spec, network = loaded.panel, start.spec, start.network
    usual = planning.training_spec(panel, spec, network, given)
    return Plan(TASK, network, spec, planning.training_spec(panel, spec, network, given.gently(usual)))


def planned_again(loaded: Loaded, model: Labeler) -> Plan[LabelSpec]:
    """The plan of a model's training, once more on other sequences and without a time budget."""
    training = replace(model.training, time_budget=None)
    return Plan(TASK, model.network, model.spec, training, refit=planning.refit_of(loaded.panel, model.spec))


def inferred(loaded: Loaded, plan: Plan[LabelSpec]) -> str:
    """The inference in one line, printed before anything is trained."""
    panel, spec = loaded.panel, plan.spec
    kind = f"{spec.classes:,} classes" if spec.classes else "a number"
    each = "each step" if spec.per_step else "each sequence"
    frames = f", read in frames of {spec.window} steps" if spec.stride > 1 and spec.pictures is None else ""
    frames += f", rows of {spec.raster} values" if spec.raster > 1 else ""
    frames += _on_grid(plan)
    return f"{described(loaded.columns, panel.channels)}; label {panel.channels[0].name!r} of {each}: {kind}{frames}"


def _on_grid(plan: Plan[LabelSpec]) -> str:
    """The grid and the layers of a network that sees frames."""
    spec, network = plan.spec, plan.network
    if spec.pictures is None:
        return ""
    some = f"; {spec.window} frames at a time" if spec.window > 1 else ""
    grid = "none" if spec.pictures.flat else "x".join(map(str, spec.pictures.grid))
    return f"{some}; {network.cell}, {network.layers} x {network.hidden}, grid {grid}"


def settled(loaded: Loaded, plan: Plan[LabelSpec], trained: Trained[LabelSpec], start: Labeler | None) -> Labeler:
    """The model, with what the held-out sequences decided and what is recorded of its training."""
    del plan
    panel = loaded.panel
    decision = decided(trained)
    record = {
        "rows": len(panel.values),
        "observed": int(np.count_nonzero(~np.isnan(panel.targets))),
        "best_steps": list(trained.best_steps),
    } | scores(panel, trained, decision)
    return _to_labeler(loaded, trained, decision, record, start)


def refitted(loaded: Loaded, trained: Trained[LabelSpec]) -> Labeler:
    """The model that a repeated training leaves, with an empty record."""
    return _to_labeler(loaded, trained, decided(trained), {}, None)


def unsettled(loaded: Loaded, trained: Trained[LabelSpec]) -> Labeler:
    """The model that a training leaves which was not finished."""
    return _to_labeler(loaded, trained, Decided(), {}, None)


def _to_labeler(
    loaded: Loaded, trained: Trained[LabelSpec], decision: Decided, record: dict[str, Any], start: Labeler | None
) -> Labeler:
    plan = trained.plan
    spec = settled_spec(plan.spec, decision)
    weights = _of_one(trained.weights, plan, spec)
    assert loaded.labels is not None
    known = known_labels(loaded, loaded.labels) if start is None else start.known
    names = tuple(dict.fromkeys([*loaded.panel.ids, *(() if start is None else start.names)]))
    return Labeler(plan.network, spec, plan.training, known, weights, names, record, decision.temperature)


def _of_one(
    weights: dict[str, NDArray[np.float32]], plan: Plan[LabelSpec], spec: LabelSpec
) -> dict[str, NDArray[np.float32]]:
    """The weights of the pooling that answers, and of what lies before it."""
    kept = named_shapes(plan.network, head.shapes(spec, plan.network.hidden))
    return {name: weights[name] for name in kept}
