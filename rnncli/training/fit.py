"""The training loop: AdamW with warm-up and cosine decay, clipping, averaged weights, the best ones kept.

It knows no task: an objective gives the loss of a step and, where there are validation rows, a score. What a step
depends on is in a `Run`, which is whole at every event, so that it can be kept there and gone on with later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from rnncli.errors import TrainingDiverged
from rnncli.events import Phase
from rnncli.spec import TrainingSpec
from rnncli.training.adamw import adamw
from rnncli.training.events import Evaluated, Event, Finished, Started, Stepped

WARM_UP = 20
FINAL_RATE = 0.03
TRIAL = Phase("trial")
TRIED = 3  # steps that say how long one takes
EARLY = (8, 4, 2)  # parts of the steps between two evaluations
EARLY_SCORES = 1 + len(EARLY)
CLEARLY = 0.95  # of a later score, below which an early one is better: what is learnt longer is expected to be

Weights = dict[str, Tensor]


class Objective(Protocol):
    """A loss to minimise, and the score by which the best weights are found."""

    def loss(self, weights: Mapping[str, Tensor], step: int, carried: Weights) -> Tensor:
        """The training loss of the batch of this step, a scalar. It depends on nothing else that happened before, but
        for what an earlier step left in `carried`; tensors there are replaced, not changed.
        """

    def score(self, weights: Mapping[str, Tensor]) -> float | None:
        """The loss of the weights on the validation rows, lower is better; None if there are none."""

    def blame(self) -> str:
        """Which series, if any, made the last loss not finite."""


class Team(Protocol):
    """What makes of a process's share of each step the whole step, where several train together."""

    def averaged(self, weights: Mapping[str, Tensor], loss: Tensor) -> Tensor:
        """The loss of the whole batch, a scalar; the gradients of the weights become those of the whole batch."""

    def seconds(self, own: float) -> float:
        """The seconds on whose end all agree."""


@dataclass
class Run:
    """A phase of training as far as it got: all that its next step depends on.

    `live` weights are trained, `average` is over their past, `best` is the average that scored best; `first_moment`
    and `second_moment` are AdamW's, and `carried` is what the objective passes on from step to step. `losses` are those
    since the last evaluation, `seconds` what all steps took.
    """

    live: Weights
    average: Weights
    best: Weights
    first_moment: Weights
    second_moment: Weights
    carried: Weights = field(default_factory=dict)
    step: int = 0
    best_step: int = 0
    best_score: float = math.inf
    since_best: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def over(self, spec: TrainingSpec, patience: int | None = None) -> bool:
        """Whether the planned steps, the patience or the time budget are spent."""
        out_of_time = spec.time_budget is not None and self.seconds >= spec.time_budget
        return self.step >= spec.steps or out_of_time or (patience is not None and self.since_best >= patience)


def begin(weights: Weights) -> Run:
    """A run that starts from copies of `weights`."""
    live = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    average, best = ({name: tensor.detach().clone() for name, tensor in weights.items()} for _ in range(2))
    first, second = ({name: torch.zeros_like(tensor) for name, tensor in weights.items()} for _ in range(2))
    return Run(live, average, best, first, second)


def fit(
    run: Run,
    objective: Objective,
    spec: TrainingSpec,
    phase: Phase,
    patience: int | None = None,
    *,
    known: bool = False,
    team: Team | None = None,
) -> Iterator[Event]:
    """Go on with a run until its planned steps are done, yielding events; `run.best` is what it found.

    Training stops early after `patience` evaluations without a better score, or when the time budget is spent. Where
    the first weights are `known` to be good, they are scored too, and those of a few early steps. A `team` takes every
    step together.
    Raises TrainingDiverged where the loss or its gradient is not finite; `run.best` then holds the last good average.
    """
    yield Started(phase, spec.steps, run.step)
    if known and run.step == 0 and math.isinf(run.best_score):
        yield from _evaluate(run, objective, spec, phase, known=True)
    while not run.over(spec, patience):
        with _counted(run):
            events: list[Event] = [_step(run, objective, spec, phase, team)]
        _agree(run, spec, team)
        early = known and run.step in {spec.evaluate_every // part for part in EARLY}
        if early or run.step % spec.evaluate_every == 0 or run.over(spec):
            with _counted(run):
                events += _evaluate(run, objective, spec, phase, known=known)
            _agree(run, spec, team)
        yield from events
    yield Finished(phase, run.step, run.best_step, None if math.isinf(run.best_score) else run.best_score)


def learning_rate(step: int, spec: TrainingSpec) -> float:
    """Linear warm-up, then half a cosine down to 3 % of the peak (Loshchilov & Hutter 2017)."""
    warm = min(1.0, step / min(WARM_UP, spec.steps))
    cosine = 0.5 * (1 + math.cos(math.pi * (step - 1) / spec.steps))
    return spec.learning_rate * warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine)


def seconds_a_step(weights: Weights, objective: Objective, spec: TrainingSpec, team: Team | None = None) -> float:
    """The seconds of an optimiser step, measured on a few whose weights are thrown away."""
    run = begin(weights)
    _step(run, objective, spec, TRIAL, team)  # the first one warms caches up
    with _counted(run):
        for _ in range(TRIED):
            _step(run, objective, spec, TRIAL, team)
    return run.seconds / TRIED


@contextmanager
def _counted(run: Run) -> Iterator[None]:
    begun = time.monotonic()
    yield
    run.seconds += time.monotonic() - begun


def _agree(run: Run, spec: TrainingSpec, team: Team | None) -> None:
    """Where the clock decides, it is the same one for all."""
    if team is not None and spec.time_budget is not None:
        run.seconds = team.seconds(run.seconds)


def _step(run: Run, objective: Objective, spec: TrainingSpec, phase: Phase, team: Team | None) -> Stepped:
    step = run.step + 1
    carried = dict(run.carried)
    loss = objective.loss(run.live, step, carried)
    for weight in run.live.values():
        weight.grad = None
    loss.backward()  # type: ignore[no-untyped-call]
    loss = loss if team is None else team.averaged(run.live, loss)
    if spec.clip_value is not None:
        torch.nn.utils.clip_grad_value_(list(run.live.values()), spec.clip_value)
    norm = torch.nn.utils.clip_grad_norm_(list(run.live.values()), spec.clip)
    _refuse_divergence(loss, norm, objective, step, phase)
    decay = {name: spec.weight_decay if weight.ndim > 1 else 0.0 for name, weight in run.live.items()}
    adamw(run.live, run.first_moment, run.second_moment, step, learning_rate(step, spec), decay)
    _average(run, step, spec.averaging)
    run.step, run.carried = step, carried
    run.losses.append(float(loss.detach()))
    return Stepped(phase, step, run.losses[-1], float(norm))


def _refuse_divergence(loss: Tensor, norm: Tensor, objective: Objective, step: int, phase: Phase) -> None:
    if torch.isfinite(loss) and torch.isfinite(norm):
        return
    what = "gradient" if torch.isfinite(loss) else "loss"
    error = TrainingDiverged(
        f"the {what} is not finite at step {step} of {phase}",
        where=objective.blame(),
        hint="lower --learning-rate or --clip, or look for values out of proportion in that series",
    )
    error.phase = phase
    raise error


def _average(run: Run, step: int, decay: float) -> None:
    """Exponential moving average that starts as a plain mean (Polyak & Juditsky 1992)."""
    keep = min(decay, step / (step + 9))
    for name, tensor in run.average.items():
        tensor.lerp_(run.live[name].detach(), 1 - keep)


def _evaluate(run: Run, objective: Objective, spec: TrainingSpec, phase: Phase, *, known: bool) -> list[Event]:
    """Score the averaged weights and keep them if they are the best; nothing is told where nothing can be scored. An
    early score of known weights must be clearly better than a later one, and tries no patience: steps are large in the
    beginning.
    """
    score = objective.score(run.average)
    early, was_early = (known and step < spec.evaluate_every for step in (run.step, run.best_step))
    margin = CLEARLY if was_early and not early else 1.0
    better = score is None or score * margin < run.best_score
    if better:
        run.best_step, run.since_best = run.step, 0
        run.best_score = math.inf if score is None else score
        run.best = {name: tensor.clone() for name, tensor in run.average.items()}
    run.since_best += not (better or early)
    losses, run.losses = run.losses, []
    if score is None:
        return []
    return [Evaluated(phase, run.step, sum(losses) / len(losses) if losses else math.nan, score, better)]
