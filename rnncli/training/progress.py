"""Where a training stands, as an object that goes to a file and comes back to the same bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rnncli import checkpoint
from rnncli.errors import UsageError
from rnncli.nn.network import state_shapes
from rnncli.spec import NetworkSpec, Spec, TrainingSpec
from rnncli.tasks.plan import Plan
from rnncli.training.fit import Run, Weights

Arrays = dict[str, NDArray[Any]]
_CARRIED = "run.carried"
_LARGEST = 1e9  # of a number in a training that does not diverge
_RUN = ("live", "average", "best", "first_moment", "second_moment")


@dataclass(frozen=True)
class _RunFacts(Spec):
    """The metadata of a phase under way in a file, beside its tensors."""

    step: int
    best_step: int
    best_score: float | None
    since_best: int
    losses: tuple[float, ...]
    seconds: float
    carries: bool

    def __post_init__(self) -> None:
        if not (0 <= self.best_step <= self.step and 0 <= self.since_best <= self.step):
            raise UsageError("its steps contradict each other")
        if len(self.losses) > self.step or self.seconds < 0:
            raise UsageError("its losses and seconds do not fit its steps")


@dataclass(frozen=True)
class _Facts(Spec):
    """The metadata of a member in a file, beside its tensors."""

    searched: bool
    best_step: int
    trained: bool
    run: _RunFacts | None
    cut_short: bool = False

    def __post_init__(self) -> None:
        if (self.trained and (self.run is not None or not self.searched)) or not (self.searched or self.run):
            raise UsageError("its phases contradict each other")

    @property
    def parts(self) -> list[str]:
        """Which weights there are."""
        ended = [part for part in ("searched", "trained") if getattr(self, part)]
        under_way = [] if self.run is None else [f"run.{kind}" for kind in _RUN] + [_CARRIED] * self.run.carries
        return ended + under_way


@dataclass
class Member:
    """One network so far: what its search found, after which step, what it was trained to in the end, and the phase
    that is under way; `cut_short` if the clock ended the search long before its steps were done.
    """

    searched: Weights | None = None
    best_step: int = 0
    trained: Weights | None = None
    run: Run | None = None
    cut_short: bool = False

    @property
    def good_weights(self) -> Weights:
        """The best there are."""
        found = self.trained or (self.run.best if self.run else self.searched)
        assert found is not None
        return found


@dataclass
class Progress:
    """A training so far. `training` is known once the members have begun: with a time budget, only then is it known
    how many steps there will be.
    """

    training: TrainingSpec | None = None
    members: list[Member] = field(default_factory=list)

    @property
    def step(self) -> int:
        """Steps taken of the present phase, by the member that is behind."""
        return min((member.run.step for member in self.members if member.run), default=0)


def to_file(progress: Progress, plan: Plan[Any]) -> tuple[Arrays, dict[str, Any]]:
    """Tensors and metadata of a file."""
    assert progress.training is not None
    tensors: Arrays = {}
    begun = plan.candidates[: len(progress.members) // plan.network.members]
    for number, member in enumerate(progress.members):
        for part, weights in _parts(member).items():
            tensors |= {f"{number}.{part}.{name}": weight.numpy(force=True) for name, weight in weights.items()}
    meta = {
        "candidates": [{"network": one.network.to_json(), one.task.name: one.spec.to_json()} for one in begun],
        "training": progress.training.to_json(),
        "members": [_facts(member) for member in progress.members],
    }
    return tensors, meta


def layout(meta: dict[str, Any], plan: Plan[Any]) -> checkpoint.Layout:
    """The tensors that the metadata of an unfinished training of this plan imply. UsageError if they do not fit it."""
    return {
        f"{number}.{part}.{name}": (np.dtype("<f4"), shape)
        for number, (facts, shapes, carried) in enumerate(_described(meta, plan))
        for part in facts.parts
        for name, shape in (carried if part == _CARRIED else shapes).items()
    }


_Shapes = dict[str, tuple[int, ...]]


def _described(meta: dict[str, Any], plan: Plan[Any]) -> list[tuple[_Facts, _Shapes, _Shapes]]:
    """For each member, candidate after candidate: its facts in the file, the shapes of its weights, and the shapes of
    the state that it carries from step to step.
    """
    found: list[tuple[_Facts, _Shapes, _Shapes]] = []
    training = _training(meta, plan)
    for candidate in _begun(meta, plan):
        shapes, carried = candidate.shapes, _carried(candidate, training)
        own = meta["members"][len(found) : len(found) + plan.network.members]
        found += [(_fitting(_Facts.from_json(facts), training), shapes, carried) for facts in own]
    return found


def _carried(plan: Plan[Any], training: TrainingSpec) -> _Shapes:
    return {} if training.tbptt is None else state_shapes(plan.network, training.batch)


def _begun(meta: dict[str, Any], plan: Plan[Any]) -> tuple[Plan[Any], ...]:
    """The candidates that are searched: all of them, or the first."""
    begun = plan.candidates[: len(meta["candidates"])]
    said = [
        (NetworkSpec.from_json(one["network"]), type(plan.spec).from_json(one[plan.task.name]))
        for one in meta["candidates"]
    ]
    if not said or said != [(candidate.network, candidate.spec) for candidate in begun]:
        raise UsageError("its networks are not those that are trained")
    if len(meta["members"]) != len(begun) * plan.network.members:
        raise UsageError("its members are not those of its network")
    return begun


def _training(meta: dict[str, Any], plan: Plan[Any]) -> TrainingSpec:
    """How it is trained: as is planned, but in the steps and seconds that a time budget left."""
    said, planned = TrainingSpec.from_json(meta["training"]), plan.training
    if planned.time_budget is not None and said.time_budget is not None and said.steps <= planned.steps:
        budget = min(said.time_budget, planned.time_budget)
        planned = replace(planned, steps=said.steps, evaluate_every=said.evaluate_every, time_budget=budget)
    if said != planned:
        raise UsageError("its training is not the one that is asked for")
    return said


def _fitting(facts: _Facts, training: TrainingSpec) -> _Facts:
    if not 0 <= facts.best_step <= training.steps or (facts.run is not None and facts.run.step > training.steps):
        raise UsageError("it took more steps than were planned")
    return facts


def from_file(model: checkpoint.Model, plan: Plan[Any], device: str) -> Progress:
    """The progress that `to_file` described. UsageError where its numbers are none that training comes to."""
    _refuse_wild(model.tensors)
    described = enumerate(_described(model.meta, plan))
    members = [
        _member(_Reader(model, device, tuple(shapes), tuple(carried)), f"{number}.", facts)
        for number, (facts, shapes, carried) in described
    ]
    return Progress(_training(model.meta, plan), members)


def _refuse_wild(tensors: Mapping[str, NDArray[Any]]) -> None:
    """UsageError for numbers that training could only diverge from; started over, it ends in the same bytes."""
    for name, tensor in tensors.items():
        least = 0.0 if ".second_moment." in name else -_LARGEST
        if f".{_CARRIED}." not in name and tensor.size and not (tensor.min() >= least and tensor.max() <= _LARGEST):
            raise UsageError(f"tensor {name!r} has numbers that training does not come to")


def _parts(member: Member) -> dict[str, Weights]:
    """All weights of a member by what they are."""
    ended = {"searched": member.searched, "trained": member.trained}
    under_way = {f"run.{kind}": getattr(member.run, kind) for kind in _RUN} if member.run else {}
    under_way |= {_CARRIED: member.run.carried} if member.run else {}
    return {part: weights for part, weights in ended.items() if weights is not None} | under_way


def _facts(member: Member) -> dict[str, Any]:
    run = None if member.run is None else _run_facts(member.run)
    return _Facts(
        member.searched is not None, member.best_step, member.trained is not None, run, member.cut_short
    ).to_json()


def _member(reader: _Reader, prefix: str, facts: _Facts) -> Member:
    return Member(
        reader.weights(f"{prefix}searched") if facts.searched else None,
        facts.best_step,
        reader.weights(f"{prefix}trained") if facts.trained else None,
        None if facts.run is None else _run(reader, prefix, facts.run),
        facts.cut_short,
    )


def _run_facts(run: Run) -> _RunFacts:
    best_score = None if math.isinf(run.best_score) else run.best_score
    losses = tuple(run.losses)
    return _RunFacts(run.step, run.best_step, best_score, run.since_best, losses, run.seconds, bool(run.carried))


def _run(reader: _Reader, prefix: str, facts: _RunFacts) -> Run:
    live, average, best, first, second = (reader.weights(f"{prefix}run.{kind}") for kind in _RUN)
    run = Run(live, average, best, first, second, reader.carried(f"{prefix}{_CARRIED}") if facts.carries else {})
    for weight in run.live.values():
        weight.requires_grad_()
    run.step, run.best_step, run.since_best = facts.step, facts.best_step, facts.since_best
    run.best_score = math.inf if facts.best_score is None else facts.best_score
    run.losses, run.seconds = list(facts.losses), facts.seconds
    return run


@dataclass(frozen=True)
class _Reader:
    """Takes weights out of a file, in the order in which training has them: the sum of a norm depends on it."""

    model: checkpoint.Model
    device: str
    names: tuple[str, ...]
    carried_names: tuple[str, ...]

    def weights(self, part: str) -> Weights:
        """The weights of a part."""
        return self._copies(part, self.names)

    def carried(self, part: str) -> Weights:
        """The states that are carried on from step to step."""
        return self._copies(part, self.carried_names)

    def _copies(self, part: str, names: tuple[str, ...]) -> Weights:
        """In torch's own memory: how it is aligned may decide on the bits of a product."""
        tensors = self.model.tensors
        return {name: torch.tensor(tensors[f"{part}.{name}"]).to(self.device) for name in names}
