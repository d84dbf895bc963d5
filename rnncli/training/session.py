"""A whole training of the forecast task: find the best weights on held-out rows, then go on with every row.

Each member is trained on its own, from its own seed, side by side with the others, and their forecasts are averaged.
The steps of every phase are planned before the first one, and where a training stands is in its `Progress`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rnncli.cells.cell import Cell
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.layers.stack import layer_weights
from rnncli.nn.initialise import initialise
from rnncli.registry import CELLS, find
from rnncli.spec import TrainingSpec
from rnncli.tasks.forecast.learn import Examples, Objective
from rnncli.tasks.forecast.network import HEAD, weight_shapes
from rnncli.tasks.forecast.plan import REFIT_RATE, REFIT_SHARE, Plan, affordable
from rnncli.tasks.forecast.validation import Holdout, Validated, hold_out
from rnncli.training.events import Event
from rnncli.training.fit import Weights, begin, fit, seconds_a_step
from rnncli.training.progress import Member, Progress
from rnncli.training.side_by_side import side_by_side

PATIENCE = 4
FORKED = 192  # targets of a crop: its origins times the horizon
Start = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Trained:
    """What training leaves: weights [members, ...], what the validation rows showed (None where there are none), and
    the best steps found.

    The plan is the one that was followed: a time budget turns into a number of steps.
    """

    plan: Plan
    weights: dict[str, NDArray[np.float32]]
    validated: Validated | None
    best_steps: tuple[int, ...]


@dataclass(frozen=True)
class _Session:
    """What the members share."""

    panel: Panel
    plan: Plan
    device: str
    holdout: Holdout
    progress: Progress
    start: Start | None
    workers: int


def train(
    panel: Panel,
    plan: Plan,
    device: str = "cpu",
    progress: Progress | None = None,
    start: Start | None = None,
    workers: int = 1,
) -> Iterator[Event | Trained]:
    """Yield the events of training and, last, what was trained.

    `progress`, which is whole at every event, is where to go on; `start` [members, ...] are weights to begin with;
    `workers` members are trained at a time. InputRefused if no series has two rows to learn from; TrainingDiverged
    leaves the last good weights in `progress`.
    """
    if not (panel.lengths >= 2).any():
        raise InputRefused("no series has the two rows that training needs", hint="give longer series")
    progress = progress or Progress()
    session = _Session(panel, plan, device, hold_out(panel, plan.forecast), progress, start, workers)
    _begin(session)
    yield from side_by_side([_member(session, member) for member in range(plan.network.members)], workers)
    yield _trained(session)


def _begin(session: _Session) -> None:
    """What is decided once for all members, unless it was before: their first weights and how long they train."""
    progress, plan = session.progress, session.plan
    if not progress.members:
        firsts = [_first_weights(session, member) for member in range(plan.network.members)]
        progress.training = _planned(session, firsts[0], _objective(session, session.holdout, 0))
        progress.members = [Member(run=begin(weights)) for weights in firsts]


def _member(session: _Session, number: int) -> Iterator[Event]:
    """Find one member's best weights on the held-out rows, then go on with every row, where some were held out."""
    member, training = session.progress.members[number], session.progress.training
    assert training is not None
    if member.searched is None:
        assert member.run is not None
        objective = _objective(session, session.holdout, number)
        yield from fit(member.run, objective, training, _phase("search", number, session.plan), PATIENCE)
        member.searched, member.best_step, member.run = member.run.best, member.run.best_step, None
    if member.trained is None and len(session.holdout):
        member.run = member.run or begin(member.searched)
        objective, spec = _objective(session, None, number), _refit_spec(training)
        yield from fit(member.run, objective, spec, _phase("refit", number, session.plan))
        member.trained, member.run = member.run.best, None
    member.trained = member.trained or member.searched


def _planned(session: _Session, weights: Weights, objective: Objective) -> TrainingSpec:
    """The steps to take: those of the plan, or as many of them as the time budget allows."""
    training, members = session.plan.training, session.plan.network.members
    if training.time_budget is None:
        return training
    turns = -(-members // session.workers)
    return affordable(training, turns, seconds_a_step(weights, objective, training))


def _refit_spec(training: TrainingSpec) -> TrainingSpec:
    budget = None if training.time_budget is None else training.time_budget * REFIT_SHARE
    steps = max(1, round(REFIT_SHARE * training.steps))
    return replace(training, steps=steps, learning_rate=training.learning_rate * REFIT_RATE, time_budget=budget)


def _trained(session: _Session) -> Trained:
    plan, progress, holdout = session.plan, session.progress, session.holdout
    assert progress.training is not None
    followed = replace(plan, training=replace(progress.training, time_budget=plan.training.time_budget))
    weights = stacked([member.trained for member in progress.members if member.trained is not None])
    best_steps = tuple(member.best_step for member in progress.members)
    return Trained(followed, weights, _validated(session) if len(holdout) else None, best_steps)


def _validated(session: _Session) -> Validated:
    """What the members' searches forecast from the held-out origins, on average."""
    found = [
        _objective(session, session.holdout, number).validation(member.searched, session.holdout)
        for number, member in enumerate(session.progress.members)
        if member.searched is not None
    ]
    return found[0].made(np.mean([one.quantiles for one in found], axis=0))


def stacked(members: list[Weights]) -> dict[str, NDArray[np.float32]]:
    """Weights with a leading axis of members."""
    return {name: np.stack([weights[name].numpy(force=True) for weights in members]) for name in members[0]}


def _phase(name: str, member: int, plan: Plan) -> str:
    return name if plan.network.members == 1 else f"{name} {member + 1}"


def _objective(session: _Session, holdout: Holdout | None, member: int) -> Objective:
    plan, panel = session.plan, session.panel
    ends = panel.lengths if holdout is None else holdout.ends(panel.lengths)
    examples = Examples(panel, plan.forecast, ends, session.device)
    forks = max(4, FORKED // plan.forecast.horizon)
    seed = (plan.training.seed, member, int(holdout is None))
    return Objective(examples, plan.network, plan.training, forks, holdout, seed, panel)


def _first_weights(session: _Session, member: int) -> Weights:
    """Fresh weights, or those that were given to start with."""
    if session.start is None:
        weights = initial_weights(session.plan, session.plan.training.seed + member)
    else:
        weights = {name: torch.tensor(array[member]) for name, array in session.start.items()}
    return {name: tensor.to(session.device) for name, tensor in weights.items()}


def initial_weights(plan: Plan, seed: int) -> Weights:
    """Weights before training: the network begins as an even mixture of the plain forecasts."""
    generator = torch.Generator().manual_seed(seed)
    cell: Cell = find(CELLS, plan.network.cell, "cell")
    weights = {name: torch.zeros(shape) for name, shape in weight_shapes(plan.network, plan.forecast).items()}
    for index in range(plan.network.layers):
        initialise(cell.name, layer_weights(weights, index), plan.network.init, generator)
    for name in ("weight_state", "weight_known", *(["weight_errors"] if plan.forecast.judged else [])):
        matrix = weights[HEAD + name]
        matrix.uniform_(-1, 1, generator=generator).mul_((3 / matrix.shape[1]) ** 0.5)
    weights[HEAD + "scale_step"].normal_(1, 0.3, generator=generator)
    weights[HEAD + "bias_step"].normal_(0, 0.3, generator=generator)
    for name in ("weight_mix", "weight_shift", "weight_spread"):
        weights[HEAD + name].normal_(0, 0.01, generator=generator)
    weights[HEAD + "bias_spread"].fill_(-1.0)
    if plan.forecast.judged:
        weights[HEAD + "mix_errors"].fill_(1.0)
    return weights
