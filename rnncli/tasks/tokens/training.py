"""From what a caller said to the plan of a training on documents, and from what it leaves to the model."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from rnncli.cells.named import refuse_bidirectional, refuse_unused_activation
from rnncli.data.load import Loaded
from rnncli.data.tokens.known import known_tokens
from rnncli.data.tokens.load import described
from rnncli.errors import UsageError
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.tasks.plan import Plan, Sizes, Trained
from rnncli.tasks.tokens import plan as planning
from rnncli.tasks.tokens.adaptive import ABOVE
from rnncli.tasks.tokens.decide import pool_of, scores
from rnncli.tasks.tokens.pool import Pool
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.task import TASK
from rnncli.tasks.tokens.token_model import TokenModel


def refuse_senseless(options: TrainOptions) -> None:
    """UsageError for options that exclude each other."""
    cell = options.get("cell") or planning.CELL
    refuse_bidirectional(cell, "the next token must not be seen before it is said")
    refuse_unused_activation(cell, options.get("activation"))
    if options.get("quantiles") and options.get("time") is None:
        raise UsageError(
            "--quantiles of tokens are those of the time to the next event, and no time is named",
            hint="name the column of times (--time), or leave --quantiles out",
        )
    if options.get("context") is not None:
        raise UsageError(
            "--context is for forecasts and labels: a document is read from its beginning on",
            hint="--tbptt says through how many tokens gradients go back",
        )


def planned(loaded: Loaded, options: TrainOptions) -> Plan[TokenSpec]:
    """The plan of a training: everything that is decided before its first step. UsageError or InputRefused."""
    given, panel = Sizes(**fields_given(Sizes, options)), loaded.panel
    spec = planning.token_spec(panel, options, counted=loaded.columns.time_type == "integer")
    network = planning.network_spec(panel, given)
    training = planning.training_spec(panel, spec, given)
    return Plan(TASK, network, spec, training, refit=planning.REFIT)


def planned_on(loaded: Loaded, start: TokenModel, options: TrainOptions) -> Plan[TokenSpec]:
    """A model's own network and vocabulary, trained as long and as gently as a refit."""
    given = Sizes(**fields_given(Sizes, options))
    spec = replace(start.spec, steps=options.get("tbptt") or start.spec.steps)
    usual = planning.training_spec(loaded.panel, spec, given)
    return Plan(TASK, start.network, spec, planning.training_spec(loaded.panel, spec, given.gently(usual)))


def planned_again(loaded: Loaded, model: TokenModel) -> Plan[TokenSpec]:
    """The plan of a model's training, once more on other documents and without a time budget."""
    del loaded
    training = replace(model.training, time_budget=None)
    return Plan(TASK, model.network, model.spec, training, refit=planning.REFIT)


def inferred(loaded: Loaded, plan: Plan[TokenSpec]) -> str:
    """The inference in one line, printed before anything is trained."""
    assert loaded.tokens is not None
    width = f"{plan.network.layers} x {plan.network.hidden}"
    kinds = f"{plan.spec.tokens:,} kinds{_clustered(plan.spec)}"
    taken = described(loaded.columns, loaded.tokens, loaded.panel.channels[1:])
    return f"{taken}; {kinds}; {plan.network.cell}, {width}"


def _clustered(spec: TokenSpec) -> str:
    """What is said of a vocabulary that is too large for one softmax."""
    if not spec.clusters:
        return ""
    sizes = ", ".join(f"{end - first:,}" for first, end in pairwise((0, *spec.clusters, spec.tokens)))
    return f", more than {ABOVE:,}: an adaptive softmax over clusters of {sizes}, the rarer ones narrower"


def settled(loaded: Loaded, plan: Plan[TokenSpec], trained: Trained[TokenSpec], start: TokenModel | None) -> TokenModel:
    """The model, with what is recorded of its training."""
    del plan
    count = len(loaded.panel.values)
    pool, pooled = pool_of(loaded.panel, trained, None if start is None else start.pool)
    record = {"rows": count, "observed": count, "best_steps": list(trained.best_steps)}
    record |= scores(loaded.panel, trained, pooled)
    return _to_model(loaded, trained, record, start, pool)


def refitted(loaded: Loaded, trained: Trained[TokenSpec]) -> TokenModel:
    """The model that a repeated training leaves, with an empty record."""
    return _to_model(loaded, trained, {}, None, pool_of(loaded.panel, trained)[0])


def unsettled(loaded: Loaded, trained: Trained[TokenSpec]) -> TokenModel:
    """The model that a training leaves which was not finished."""
    return _to_model(loaded, trained, {}, None, None)


def _to_model(
    loaded: Loaded,
    trained: Trained[TokenSpec],
    record: dict[str, Any],
    start: TokenModel | None,
    pool: Pool | None,
) -> TokenModel:
    plan = trained.plan
    known = known_tokens(loaded) if start is None else start.known
    names = tuple(dict.fromkeys([*loaded.panel.ids, *(() if start is None else start.names)]))
    return TokenModel(plan.network, plan.spec, plan.training, known, trained.weights, names, record, pool)
