"""The training loop: AdamW with warm-up and cosine decay, clipping, averaged weights, the best ones kept.

It knows no task: an objective gives the loss of a step and, where there are validation rows, a score.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor

from rnncli.errors import TrainingDiverged
from rnncli.spec import TrainingSpec
from rnncli.training.events import Evaluated, Event, Finished, Started, Stepped

WARM_UP = 20
FINAL_RATE = 0.03

Weights = dict[str, Tensor]


class Objective(Protocol):
    """What is minimised."""

    def loss(self, weights: Mapping[str, Tensor]) -> Tensor:
        """The training loss of the next batch, a scalar."""

    def score(self, weights: Mapping[str, Tensor]) -> float | None:
        """How wrong the weights are on the validation rows; None if there are none."""

    def blame(self) -> str:
        """Which series, if any, made the last loss not finite."""


def fit(
    weights: Weights, objective: Objective, spec: TrainingSpec, phase: str, patience: int | None = None
) -> Iterator[Event]:
    """Train for the planned steps, yielding events; `weights` ends as the best averaged weights.

    Training stops early after `patience` evaluations without a better score, or when the time budget is spent.
    Raises TrainingDiverged where the loss or its gradient is not finite; `weights` then holds the last good average.
    """
    live = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    optimiser = _optimiser(live, spec)
    average = {name: tensor.detach().clone() for name, tensor in live.items()}
    best_step, best_score, since_best, started = 0, math.inf, 0, time.monotonic()
    yield Started(phase, spec.steps)
    losses: list[float] = []
    step = 0
    for step in range(1, spec.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, spec)
        loss, norm = _update(live, optimiser, objective, step, spec.clip, phase)
        losses.append(loss)
        _average(average, live, step, spec.averaging)
        yield Stepped(phase, step, loss, norm)
        out_of_time = spec.time_budget is not None and time.monotonic() - started >= spec.time_budget
        if step % spec.evaluate_every and step < spec.steps and not out_of_time:
            continue
        score = objective.score(average)
        better = score is None or score < best_score
        if better:
            best_step, since_best = step, 0
            best_score = math.inf if score is None else score
            weights.update({name: tensor.clone() for name, tensor in average.items()})
        since_best += not better
        if score is not None:
            yield Evaluated(phase, step, sum(losses) / len(losses), score, better)
        losses.clear()
        if out_of_time or (patience is not None and since_best >= patience):
            break
    yield Finished(phase, step, best_step, None if math.isinf(best_score) else best_score)


def learning_rate(step: int, spec: TrainingSpec) -> float:
    """Linear warm-up, then half a cosine down to 3 % of the peak (Loshchilov & Hutter 2017)."""
    warm = min(1.0, step / min(WARM_UP, spec.steps))
    cosine = 0.5 * (1 + math.cos(math.pi * (step - 1) / spec.steps))
    return spec.learning_rate * warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine)


def _optimiser(live: Weights, spec: TrainingSpec) -> torch.optim.AdamW:
    """Decoupled weight decay on matrices only (Loshchilov & Hutter 2019); biases are not pulled to zero."""
    matrices = [tensor for tensor in live.values() if tensor.ndim > 1]
    vectors = [tensor for tensor in live.values() if tensor.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": spec.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=spec.learning_rate, betas=(0.9, 0.99))


def _update(
    live: Weights, optimiser: torch.optim.Optimizer, objective: Objective, step: int, clip: float, phase: str
) -> tuple[float, float]:
    loss = objective.loss(live)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(list(live.values()), clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        what = "loss" if not torch.isfinite(loss) else "gradient"
        raise TrainingDiverged(
            f"the {what} is not finite at step {step} of {phase}",
            where=objective.blame(),
            hint="lower --learning-rate or --clip, or look for values out of proportion in that series",
        )
    optimiser.step()
    return float(loss.detach()), float(norm)


def _average(average: Weights, live: Weights, step: int, decay: float) -> None:
    """Exponential moving average that starts as a plain mean (Polyak & Juditsky 1992)."""
    keep = min(decay, step / (step + 9))
    for name, tensor in average.items():
        tensor.lerp_(live[name].detach(), 1 - keep)
