"""A whole training of the forecast task: find the best weights on held-out rows, then go on with every row.

Each member is trained on its own, from its own seed, and their forecasts are averaged. The steps of every phase are
planned before the first one, and where a training stands is in its `Progress`.
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
from rnncli.tasks.forecast.learn import Examples, Holdout, Objective, Validated, hold_out
from rnncli.tasks.forecast.network import HEAD, weight_shapes
from rnncli.tasks.forecast.plan import REFIT_RATE, REFIT_SHARE, Plan, affordable
from rnncli.training.events import Event
from rnncli.training.fit import Weights, begin, fit, seconds_a_step
from rnncli.training.progress import Progress

PATIENCE = 4
FORKED = 512  # targets of a crop: its origins times the horizon
Start = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Trained:
    """What training leaves: weights [members, ...], what the validation rows showed, and the best steps found.

    The plan is the one that was followed: a time budget turns into a number of steps.
    """

    plan: Plan
    weights: dict[str, NDArray[np.float32]]
    validated: tuple[Validated, ...]
    best_steps: tuple[int, ...]


@dataclass(frozen=True)
class _Session:
    """What the phases share."""

    panel: Panel
    plan: Plan
    device: str
    holdout: Holdout
    progress: Progress
    start: Start | None


def train(
    panel: Panel, plan: Plan, device: str = "cpu", progress: Progress | None = None, start: Start | None = None
) -> Iterator[Event | Trained]:
    """Yield the events of training and, last, what was trained.

    `progress`, which is whole at every event, is where to go on; `start` [members, ...] are weights to begin with.
    InputRefused if no series has two rows to learn from; TrainingDiverged leaves the last good weights in `progress`.
    """
    if not (panel.lengths >= 2).any():
        raise InputRefused("no series has the two rows that training needs", hint="give longer series")
    progress = progress or Progress()
    session = _Session(panel, plan, device, hold_out(panel, plan.forecast), progress, start)
    for member in range(len(progress.members), plan.network.members):
        yield from _search(session, member)
        yield from _refit(session, member)
    yield _trained(session)


def _search(session: _Session, member: int) -> Iterator[Event]:
    """Find the best weights on the held-out rows."""
    progress = session.progress
    if len(progress.searched) > member:
        return
    objective = _objective(session, session.holdout, member)
    if progress.run is None:
        weights = _first_weights(session, member)
        progress.training = progress.training or _planned(session, weights, objective)
        progress.run = begin(weights)
    assert progress.training is not None
    yield from fit(progress.run, objective, progress.training, _phase("search", member, session.plan), PATIENCE)
    progress.searched.append(progress.run.best)
    progress.best_steps.append(progress.run.best_step)
    progress.run = None


def _refit(session: _Session, member: int) -> Iterator[Event]:
    """Go on with every row, where some were held out."""
    progress = session.progress
    assert progress.training is not None
    weights = progress.searched[member]
    if len(session.holdout.validated):
        spec = _refit_spec(progress.training)
        objective = _objective(session, None, member)
        progress.run = progress.run or begin(weights)
        yield from fit(progress.run, objective, spec, _phase("refit", member, session.plan))
        weights = progress.run.best
    progress.members.append(weights)
    progress.run = None


def _planned(session: _Session, weights: Weights, objective: Objective) -> TrainingSpec:
    """The steps to take: those of the plan, or as many of them as the time budget allows."""
    training = session.plan.training
    if training.time_budget is None:
        return training
    return affordable(training, session.plan.network.members, seconds_a_step(weights, objective, training))


def _refit_spec(training: TrainingSpec) -> TrainingSpec:
    budget = None if training.time_budget is None else training.time_budget * REFIT_SHARE
    steps = max(1, round(REFIT_SHARE * training.steps))
    return replace(training, steps=steps, learning_rate=training.learning_rate * REFIT_RATE, time_budget=budget)


def _trained(session: _Session) -> Trained:
    plan, progress, series = session.plan, session.progress, session.holdout.validated
    assert progress.training is not None
    found = []
    for member, weights in enumerate(progress.searched if len(series) else []):
        found.append(_objective(session, session.holdout, member).validation(weights, series))
    validated = tuple(_averaged(windows) for windows in zip(*found, strict=True))
    followed = replace(plan, training=replace(progress.training, time_budget=plan.training.time_budget))
    return Trained(followed, stacked(progress.members), validated, tuple(progress.best_steps))


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
    for name in ("weight_state", "weight_known"):
        matrix = weights[HEAD + name]
        matrix.uniform_(-1, 1, generator=generator).mul_((3 / matrix.shape[1]) ** 0.5)
    weights[HEAD + "scale_step"].normal_(1, 0.3, generator=generator)
    weights[HEAD + "bias_step"].normal_(0, 0.3, generator=generator)
    for name in ("weight_mix", "weight_shift", "weight_spread"):
        weights[HEAD + name].normal_(0, 0.01, generator=generator)
    weights[HEAD + "bias_spread"].fill_(-1.0)
    return weights


def _averaged(members: tuple[Validated, ...]) -> Validated:
    return replace(members[0], quantiles=np.mean([found.quantiles for found in members], axis=0))
