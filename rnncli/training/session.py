"""A whole training of the forecast task: find the best weights on held-out rows, then go on with every row.

Each member is trained on its own, from its own seed, and their forecasts are averaged. The steps of every phase are
planned before the first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rnncli.cells.cell import Cell
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, TrainingDiverged
from rnncli.layers.stack import layer_weights
from rnncli.nn.initialise import initialise
from rnncli.registry import CELLS, find
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast.learn import Examples, Holdout, Objective, Validated, hold_out
from rnncli.tasks.forecast.network import HEAD, weight_shapes
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.training.events import Event
from rnncli.training.fit import Weights, fit

REFIT_SHARE, REFIT_RATE = 0.3, 0.3
PATIENCE = 4
FORKED = 512  # targets of a crop: its origins times the horizon


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first step."""

    network: NetworkSpec
    forecast: ForecastSpec
    training: TrainingSpec

    @property
    def refit_steps(self) -> int:
        """Steps with every row, after the best weights on the held-out rows were found."""
        return max(1, round(REFIT_SHARE * self.training.steps))


@dataclass(frozen=True)
class Trained:
    """What training leaves: weights [members, ...], what the validation rows showed, and the steps taken."""

    plan: Plan
    weights: dict[str, NDArray[np.float32]]
    validated: tuple[Validated, ...]
    best_steps: tuple[int, ...]
    complete: bool = True


def train(panel: Panel, plan: Plan, device: str = "cpu") -> Iterator[Event | Trained]:
    """Yield the events of training and, last, what was trained.

    InputRefused if no series has two rows to learn from. Before a TrainingDiverged, the last good weights are yielded
    as what was trained, not `complete`.
    """
    if not (panel.lengths >= 2).any():
        raise InputRefused("no series has the two rows that training needs", hint="give longer series")
    holdout = hold_out(panel, plan.forecast)
    members: list[Weights] = []
    best_steps, found = [], []
    for member in range(plan.network.members):
        weights = {
            name: tensor.to(device) for name, tensor in initial_weights(plan, plan.training.seed + member).items()
        }
        members.append(weights)
        objective = _objective(panel, plan, holdout, member, device)
        best = plan.training.steps
        try:
            for event in fit(weights, objective, plan.training, _phase("search", member, plan), PATIENCE):
                best = getattr(event, "best_step", best)
                yield event
            best_steps.append(best)
            found.append(objective.validation(weights, holdout.validated) if len(holdout.validated) else [])
            if len(holdout.validated):
                everything = _objective(panel, plan, None, member, device)
                yield from fit(weights, everything, _refit_spec(plan), _phase("refit", member, plan))
        except TrainingDiverged:
            so_far = replace(plan, network=replace(plan.network, members=len(members)))
            yield Trained(so_far, _stacked(members), (), tuple(best_steps), complete=False)
            raise
    validated = tuple(_averaged(windows) for windows in zip(*found, strict=True))
    yield Trained(plan, _stacked(members), validated, tuple(best_steps))


def _stacked(members: list[Weights]) -> dict[str, NDArray[np.float32]]:
    """Weights with a leading axis of members."""
    return {name: np.stack([weights[name].numpy(force=True) for weights in members]) for name in members[0]}


def _phase(name: str, member: int, plan: Plan) -> str:
    return name if plan.network.members == 1 else f"{name} {member + 1}"


def _refit_spec(plan: Plan) -> TrainingSpec:
    training = plan.training
    budget = None if training.time_budget is None else training.time_budget * REFIT_SHARE
    return replace(
        training, steps=plan.refit_steps, learning_rate=training.learning_rate * REFIT_RATE, time_budget=budget
    )


def _objective(panel: Panel, plan: Plan, holdout: Holdout | None, member: int, device: str) -> Objective:
    ends = panel.lengths if holdout is None else holdout.ends(panel.lengths)
    seed = (plan.training.seed, member, int(holdout is None))
    torch.manual_seed(hash_seed(seed))
    examples = Examples(panel, plan.forecast, ends, device)
    forks = max(4, FORKED // plan.forecast.horizon)
    rng = np.random.default_rng(seed)
    return Objective(examples, plan.network, plan.training, forks, holdout, rng, panel)


def hash_seed(seed: tuple[int, ...]) -> int:
    """One number for several, for generators that take one."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0])


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
