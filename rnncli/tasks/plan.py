"""Everything that is decided before the first step of a training, for any task, and what the training leaves."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import UsageError
from rnncli.events import Budgeted
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.seen import Shapes, named_shapes
from rnncli.tasks.task import S, Task

ROUNDING = 1 + 1e-9
WEIGHT_DECAY, CLIP, AVERAGING = 0.01, 1.0, 0.99
REFIT_SHARE, REFIT_RATE = 0.3, 0.3  # of the steps, and of the learning rate, with everything
EVALUATIONS, LEAST_BETWEEN = 12, 5  # of a search, and steps from one to the next


@dataclass(frozen=True)
class Sizes:
    """The options of a network and its training that the user gave; None means that the data decide."""

    cell: str | None = None
    activation: str = "tanh"
    layers: int | None = None
    hidden: int | None = None
    dropout: float | None = None
    recurrent_dropout: float | None = None
    init: str | None = None
    members: int | None = None
    plain_stack: bool = False
    layer_norm: bool = False
    steps: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    clip: float | None = None
    clip_value: float | None = None
    tbptt: int | None = None
    seed: int = 0
    time_budget: float | None = None

    def training(self, *, steps: int, batch: int, rate: float, tbptt: int | None) -> TrainingSpec:
        """A training of so many steps at this rate, unless others were said."""
        steps = self.steps or steps
        return TrainingSpec(
            steps=steps,
            batch=self.batch or batch,
            learning_rate=self.learning_rate or rate,
            weight_decay=WEIGHT_DECAY,
            clip=self.clip or CLIP,
            seed=self.seed,
            averaging=AVERAGING,
            evaluate_every=evaluate_every(steps),
            time_budget=self.time_budget,
            tbptt=tbptt,
            clip_value=self.clip_value,
        )

    def gently(self, usual: TrainingSpec) -> Sizes:
        """What was said, and otherwise as long and as gentle a training as the refit of a usual one."""
        steps = self.steps or max(1, round(REFIT_SHARE * usual.steps))
        return replace(self, steps=steps, learning_rate=self.learning_rate or REFIT_RATE * usual.learning_rate)


@dataclass(frozen=True)
class Refit:
    """How training goes on with everything, after a search: so many of its steps at so much of its rate, from the
    weights that were found, or `afresh` from first ones.
    """

    share: float = REFIT_SHARE
    rate: float = REFIT_RATE
    afresh: bool = False

    def of(self, training: TrainingSpec, best_step: int) -> TrainingSpec:
        """The training with everything, for that of a search which was best at a step: afresh it takes a quarter more
        steps, as there is more to learn from, and half of those of the search at least.
        """
        budget = None if training.time_budget is None else training.time_budget * self.share
        steps = max(1, round(self.share * training.steps))
        if self.afresh:
            steps = min(steps, max(steps // 2, round(1.25 * best_step), 1))
        return replace(training, steps=steps, learning_rate=training.learning_rate * self.rate, time_budget=budget)


@dataclass(frozen=True)
class Plan(Generic[S]):
    """A task, its network and its training. `rivals` are plans that are searched beside it, and held-out answers choose
    one of them all; `variant` is the name that tells this one from them. `first` are the weights that training begins
    with, [members, ...] or [1, ...] for all members, by name; None where they are drawn.
    """

    task: Task[S]
    network: NetworkSpec
    spec: S
    training: TrainingSpec
    rivals: tuple[Plan[S], ...] = ()
    variant: str = ""
    refit: Refit = Refit()
    first: Mapping[str, NDArray[np.float32]] | None = field(default=None, compare=False, repr=False)

    @property
    def candidates(self) -> tuple[Plan[S], ...]:
        """The plans that are searched: this one, then its rivals."""
        return (self, *self.rivals)

    @property
    def alone(self) -> Plan[S]:
        """The plan without its rivals."""
        return replace(self, rivals=())

    @property
    def shapes(self) -> Shapes:
        """Name and shape of every weight of one member; in a model file each has a leading axis of members."""
        return named_shapes(self.network, self.task.head_shapes(self.spec, self.network))


@dataclass(frozen=True)
class Trained(Generic[S]):
    """What a training leaves: weights [members, ...], the best step of each member's search, and what was answered to
    the held-out questions (None where nothing could be held out).

    `plan` is the one that was followed: that of the candidate that was `chosen`, and a time budget turned into a number
    of steps. `candidates` holds the answers of each where there was a choice, `further` those to other questions at the
    same places. `budgeted` is what a time budget allowed.
    """

    plan: Plan[S]
    weights: dict[str, NDArray[np.float32]]
    validated: Any
    best_steps: tuple[int, ...]
    candidates: tuple[Any, ...] = ()
    chosen: int = 0
    further: tuple[Any, ...] = ()
    budgeted: Budgeted | None = None


def evaluate_every(steps: int) -> int:
    """Steps from one score of a search to the next."""
    return max(LEAST_BETWEEN, steps // EVALUATIONS)


@dataclass(frozen=True)
class Costs:
    """Seconds that the parts of a training take: a step, a score of the held-out rows, and all that is done once."""

    step: float
    score: float = 0.0
    once: float = 0.0

    def least(self, searches: int, refits: int) -> float:
        """The seconds of a training with a single step in each search and refit."""
        return self.once + searches * (self.step + self.score) + refits * self.step


def affordable(
    training: TrainingSpec, searches: int, refits: int, costs: Costs, share: float = REFIT_SHARE
) -> TrainingSpec:
    """The training in as many of its steps as its time budget allows, with the budget of one search; so many searches
    and refits, of which each has a share of the steps of a search, come one after the other.

    Once the steps are known, training does not depend on the clock any more, unless the machine slows down: the same
    number of steps without a budget is the same training. UsageError if there is no time for a single step that is
    judged.
    """
    assert training.time_budget is not None
    least = costs.least(searches, refits)
    if training.time_budget < least:
        raise UsageError(
            f"--time-budget is {training.time_budget:.3g} s, but to judge what is trained takes {least:.2g} s alone",
            hint=f"give it {math.ceil(1.5 * least)}s or more",
        )
    left, rounds = training.time_budget - costs.once, searches + refits * share

    def seconds(steps: int) -> float:
        return rounds * steps * costs.step + searches * -(-steps // evaluate_every(steps)) * costs.score

    steps = max(1, bisect_right(range(1, training.steps + 1), left * ROUNDING, key=seconds))
    return replace(training, steps=steps, evaluate_every=evaluate_every(steps), time_budget=left / rounds)
