"""From what a caller said to the plan of a training on sets, and from what it leaves to the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnncli.cells.named import refuse_bidirectional, refuse_unused_activation
from rnncli.data.load import Loaded
from rnncli.data.tokens.known import known_tokens
from rnncli.data.tokens.load import described
from rnncli.errors import UsageError
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.tasks.plan import Plan, Sizes, Trained
from rnncli.tasks.sets import plan as planning
from rnncli.tasks.sets.decide import scores
from rnncli.tasks.sets.examples import documents_of
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.spec import SetSpec
from rnncli.tasks.sets.task import TASK


def refuse_senseless(options: TrainOptions) -> None:
    """UsageError for options that exclude each other."""
    if options.get("token") is None:
        flag = "--multi-hot" if options.get("multi_hot") else "--set-separator"
        raise UsageError(f"{flag} needs the column of sets", hint="say which column it is: --token NAME")
    cell = options.get("cell") or planning.CELL
    refuse_bidirectional(cell, "the next set must not be seen before it is said")
    refuse_unused_activation(cell, options.get("activation"))
    if options.get("context") is not None:
        raise UsageError(
            "--context is for forecasts and labels: a document is read from its beginning on",
            hint="--tbptt says through how many steps gradients go back",
        )


def planned(loaded: Loaded, options: TrainOptions) -> Plan[SetSpec]:
    """The plan of a training: everything that is decided before its first step. UsageError or InputRefused."""
    given, panel = Sizes(**fields_given(Sizes, options)), loaded.panel
    spec = planning.set_spec(panel, options)
    return Plan(TASK, planning.network_spec(panel, given), spec, planning.training_spec(panel, spec, given))


def planned_on(loaded: Loaded, start: SetModel, options: TrainOptions) -> Plan[SetSpec]:
    """A model's own network and vocabulary, trained as long and as gently as a refit."""
    given = Sizes(**fields_given(Sizes, options))
    spec = replace(start.spec, steps=options.get("tbptt") or start.spec.steps)
    usual = planning.training_spec(loaded.panel, spec, given)
    return Plan(TASK, start.network, spec, planning.training_spec(loaded.panel, spec, given.gently(usual)))


def planned_again(loaded: Loaded, model: SetModel) -> Plan[SetSpec]:
    """The plan of a model's training, once more on other documents and without a time budget."""
    del loaded
    return Plan(TASK, model.network, model.spec, replace(model.training, time_budget=None))


def inferred(loaded: Loaded, plan: Plan[SetSpec]) -> str:
    """The inference in one line, printed before anything is trained."""
    assert loaded.tokens is not None
    width = f"{plan.network.layers} x {plan.network.hidden}"
    return f"{described(loaded.columns, loaded.tokens)}; {plan.spec.outputs:,} kinds; {plan.network.cell}, {width}"


def settled(loaded: Loaded, plan: Plan[SetSpec], trained: Trained[SetSpec], start: SetModel | None) -> SetModel:
    """The model, with what is recorded of its training."""
    del plan
    known = int(documents_of(loaded.panel).known.sum())
    counts = {"rows": len(loaded.panel.values), "observed": known, "best_steps": list(trained.best_steps)}
    return _to_model(loaded, trained, counts | scores(loaded.panel, trained), start)


def refitted(loaded: Loaded, trained: Trained[SetSpec]) -> SetModel:
    """The model that a repeated training leaves, with an empty record."""
    return _to_model(loaded, trained, {}, None)


def unsettled(loaded: Loaded, trained: Trained[SetSpec]) -> SetModel:
    """The model of a training that was not finished."""
    return _to_model(loaded, trained, {}, None)


def _to_model(loaded: Loaded, trained: Trained[SetSpec], record: dict[str, Any], start: SetModel | None) -> SetModel:
    plan = trained.plan
    known = known_tokens(loaded) if start is None else start.known
    names = tuple(dict.fromkeys([*loaded.panel.ids, *(() if start is None else start.names)]))
    return SetModel(plan.network, plan.spec, plan.training, known, trained.weights, names, record)
