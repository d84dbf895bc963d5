"""Remedies tried: each runs the same short training from the same seed, and is compared with the one without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.load import Loaded
from rnncli.diagnostics.dynamics import layer_dynamics
from rnncli.diagnostics.finding import Proposal
from rnncli.diagnostics.report import GradientReport
from rnncli.diagnostics.trial import Trial
from rnncli.diagnostics.unrolling import paths
from rnncli.diagnostics.verdict import judge
from rnncli.errors import TrainingDiverged
from rnncli.events import Listener, Noted, Phase
from rnncli.options import table
from rnncli.options.types import TrainOptions
from rnncli.tasks.plan import Plan
from rnncli.training.fit import Weights, begin, fit
from rnncli.training.session import drawn_weights
from rnncli.workflows.probe import Effort, Probe, choose

STEPS, MEMORY_STEPS = 60, 240
"""Whether a training goes well is seen soon; to use what is remembered takes longer to learn: on series that need
memory the loss with it is as high as without it after 60 and after 120 steps, and half as high after 240.
"""
OF_MEMORY = frozenset({"vanishing", "context-short", "context-long"})
LOOK = Effort(series=12, origins=24, paths=5, steps=150, exponents=4)
_OF_TRAINING = {"learning_rate", "clip", "batch", "dropout", "recurrent_dropout"}


def try_remedies(
    probe: Probe, loaded: Loaded, report: GradientReport, tell: Listener, steps: int | None = None
) -> GradientReport:
    """The report with every remedy tried that is an option of training, by so many `steps` each.

    A trained model is trained on, as it is and with each remedy; one that changes the network begins anew, and is
    compared with the same network begun anew.
    """
    proposals = [proposal for proposal in report.proposals if proposal.options]
    if not _can_begin_anew(probe, loaded):
        tell(Noted("remedies that change the network are not tried: training would not begin one like it"))
        proposals = [proposal for proposal in proposals if _leaves_weights(proposal)]
    of_memory = any(OF_MEMORY.intersection(proposal.against) for proposal in proposals)
    count = steps or (MEMORY_STEPS if of_memory else STEPS)
    tell(Noted(f"trying: {count} steps without a remedy"))
    before = _trial(probe.plan, probe, None, count)
    afresh, trials = before, list[Trial]()
    if probe.trained and not all(map(_leaves_weights, proposals)):
        tell(Noted(f"trying: {count} steps without a remedy, begun anew"))
        first = drawn_weights(probe.plan, probe.plan.training.seed)
        afresh = replace(_trial(probe.plan, replace(probe, weights=first), None, count), afresh=True)
        trials.append(afresh)
    for proposal in proposals:
        tell(Noted(f"trying: {count} steps with {proposal.flags}"))
        asked = cast("TrainOptions", {**options_of(probe.plan), **proposal.options})
        plan = probe.plan.task.planned(loaded, asked)
        if probe.trained and _leaves_weights(proposal):
            plan = _gone_on_with(probe.plan, plan)
        anew = probe.trained and not _leaves_weights(proposal)
        made = _trial(plan, probe, proposal, count)
        trials.append(replace(made, against=afresh if anew else before, afresh=anew))
    return report.tried(before, tuple(trials))


def _can_begin_anew(probe: Probe, loaded: Loaded) -> bool:
    """Whether a training of the same options has weights of the same shapes: that of a universal network has not."""
    plan = probe.plan
    return not probe.trained or plan.task.planned(loaded, options_of(plan)).shapes == plan.shapes


def _gone_on_with(plan: Plan[Any], asked: Plan[Any]) -> Plan[Any]:
    """A model's own plan, with how it is trained as it is asked for."""
    dropped = {name: getattr(asked.network, name) for name in ("dropout", "recurrent_dropout")}
    return replace(plan, training=asked.training, network=replace(plan.network, **dropped))


def options_of(plan: Plan[Any]) -> TrainOptions:
    """The options of training that make this plan again."""
    specs = {"network": plan.network, "training": plan.training}
    return cast("TrainOptions", table.settled({plan.task.name: plan.spec} | specs))


def _trial(plan: Plan[Any], probe: Probe, proposal: Proposal | None, steps: int) -> Trial:
    """Train for a few steps, score the held-out rows, and look at the gradients again."""
    start = _start(plan, probe, proposal)
    training = replace(plan.training, steps=steps, evaluate_every=steps, time_budget=None)
    here = Probe(probe.panel, replace(plan, training=training), start, probe.trained)
    run, objective, broke = begin(start), here.objective(), ""
    try:
        for _ in fit(run, objective, training, Phase("trial")):
            pass
    except TrainingDiverged as error:
        broke = str(error)
    losses, groups = _scored(here, run.average)
    return _looked_at(replace(here, weights=run.average), proposal, steps, losses, groups, broke)


def _leaves_weights(proposal: Proposal) -> bool:
    """Whether the weights that were given can be trained on with this remedy."""
    return set(proposal.options) <= _OF_TRAINING


def _start(plan: Plan[Any], probe: Probe, proposal: Proposal | None) -> Weights:
    """The weights that were given, of a trained model or planted, where a remedy leaves them; else those that training
    begins with.
    """
    if proposal is None or _leaves_weights(proposal):
        return {name: weight.detach().clone() for name, weight in probe.weights.items()}
    return drawn_weights(plan, plan.training.seed)


def _scored(here: Probe, weights: Weights) -> tuple[Floats, Ints]:
    """Scaled quantile losses on the held-out rows, and the series each is of; of training's own where none are."""
    objective = here.objective()
    assert objective.holdout is not None
    if not len(objective.holdout):
        return np.zeros(0), np.zeros(0, np.int64)
    found = objective.validation(weights, objective.holdout)
    values = here.plan.task.losses(here.plan.spec, found)
    seen = ~np.isnan(values)
    return values[seen], found.series[seen]


def _looked_at(here: Probe, proposal: Proposal | None, steps: int, losses: Floats, groups: Ints, broke: str) -> Trial:
    rows = choose(here.panel, here.plan, LOOK.series, LOOK.origins)
    flow = here.flow(LOOK.series, LOOK.origins)
    long = here.long(rows, LOOK)
    _, along = paths(here.network, here.batch(long).inputs.double())
    dynamics = [layer_dynamics(here.network, path, long.series, LOOK.exponents) for path in along]
    lags = here.subject().lags_that_matter
    verdicts = tuple(judge(part, lags, moving) for part, moving in zip(flow.layers, dynamics, strict=True))
    return Trial(proposal, steps, losses, groups, flow.layers, verdicts, lags, broke)
