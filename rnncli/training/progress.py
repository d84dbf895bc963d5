"""Where a training stands, as an object that goes to a file and comes back to the same bits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rnncli import checkpoint
from rnncli.errors import UsageError
from rnncli.nn.network import state_shapes
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast.network import weight_shapes
from rnncli.tasks.forecast.plan import Plan
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.training.fit import Run, Weights

Arrays = dict[str, NDArray[Any]]
_CARRIED = "run.carried"
_RUN = ("live", "average", "best", "first_moment", "second_moment")


@dataclass
class Member:
    """One network so far: what its search found, after which step, what it was trained to in the end, and the phase
    that is under way.
    """

    searched: Weights | None = None
    best_step: int = 0
    trained: Weights | None = None
    run: Run | None = None

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


def to_file(progress: Progress, plan: Plan) -> tuple[Arrays, dict[str, Any]]:
    """Tensors and metadata of a file."""
    assert progress.training is not None
    tensors: Arrays = {}
    begun = plan.candidates[: len(progress.members) // plan.network.members]
    for number, member in enumerate(progress.members):
        for part, weights in _parts(member).items():
            tensors |= {f"{number}.{part}.{name}": weight.numpy(force=True) for name, weight in weights.items()}
    meta = {
        "candidates": [{"network": one.network.to_json(), "forecast": one.forecast.to_json()} for one in begun],
        "training": progress.training.to_json(),
        "members": [_facts(member) for member in progress.members],
    }
    return tensors, meta


def layout(meta: dict[str, Any]) -> checkpoint.Layout:
    """The tensors that the metadata of an unfinished training imply."""
    described = list(zip(meta["members"], _shapes(meta), _carried_shapes(meta), strict=True))
    return {
        f"{number}.{part}.{name}": (np.dtype("<f4"), shape)
        for number, (facts, shapes, carried) in enumerate(described)
        for part in _named(facts)
        for name, shape in (carried if part == _CARRIED else shapes).items()
    }


def _carried_shapes(meta: dict[str, Any]) -> list[dict[str, tuple[int, ...]]]:
    """What each member carries on from step to step."""
    batch = TrainingSpec.from_json(meta["training"]).batch
    networks = [NetworkSpec.from_json(candidate["network"]) for candidate in meta["candidates"]]
    return [state_shapes(network, batch) for network in networks for _ in range(network.members)]


def _shapes(meta: dict[str, Any]) -> list[dict[str, tuple[int, ...]]]:
    """The weights of each member, candidate after candidate."""
    shapes = []
    for candidate in meta["candidates"]:
        network = NetworkSpec.from_json(candidate["network"])
        shapes += [weight_shapes(network, ForecastSpec.from_json(candidate["forecast"]))] * network.members
    if len(meta["members"]) != len(shapes):
        raise UsageError("its members are not those of its network")
    return shapes


def from_file(model: checkpoint.Model, device: str) -> Progress:
    """The progress that `to_file` described."""
    meta = model.meta
    members = [
        _member(_Reader(model, device, tuple(shapes), tuple(carried)), f"{number}.", facts)
        for number, (facts, shapes, carried) in enumerate(
            zip(meta["members"], _shapes(meta), _carried_shapes(meta), strict=True)
        )
    ]
    return Progress(TrainingSpec.from_json(meta["training"]), members)


def _parts(member: Member) -> dict[str, Weights]:
    """All weights of a member by what they are."""
    ended = {"searched": member.searched, "trained": member.trained}
    under_way = {f"run.{kind}": getattr(member.run, kind) for kind in _RUN} if member.run else {}
    under_way |= {_CARRIED: member.run.carried} if member.run else {}
    return {part: weights for part, weights in ended.items() if weights is not None} | under_way


def _facts(member: Member) -> dict[str, Any]:
    return {
        "searched": member.searched is not None,
        "best_step": member.best_step,
        "trained": member.trained is not None,
        "run": None if member.run is None else _run_facts(member.run),
    }


def _named(facts: dict[str, Any]) -> list[str]:
    """Which weights a member with these facts has."""
    ended = [part for part in ("searched", "trained") if facts[part]]
    run = facts["run"]
    under_way = [] if run is None else [f"run.{kind}" for kind in _RUN] + [_CARRIED] * run["carries"]
    return ended + under_way


def _member(reader: _Reader, prefix: str, facts: dict[str, Any]) -> Member:
    return Member(
        reader.weights(f"{prefix}searched") if facts["searched"] else None,
        facts["best_step"],
        reader.weights(f"{prefix}trained") if facts["trained"] else None,
        None if facts["run"] is None else _run(reader, prefix, facts["run"]),
    )


def _run_facts(run: Run) -> dict[str, Any]:
    return {
        "step": run.step,
        "best_step": run.best_step,
        "best_score": None if math.isinf(run.best_score) else run.best_score,
        "since_best": run.since_best,
        "losses": run.losses,
        "seconds": run.seconds,
        "carries": bool(run.carried),
    }


def _run(reader: _Reader, prefix: str, facts: dict[str, Any]) -> Run:
    live, average, best, first, second = (reader.weights(f"{prefix}run.{kind}") for kind in _RUN)
    run = Run(live, average, best, first, second, reader.carried(f"{prefix}{_CARRIED}") if facts["carries"] else {})
    for weight in run.live.values():
        weight.requires_grad_()
    run.step, run.best_step, run.since_best = facts["step"], facts["best_step"], facts["since_best"]
    run.best_score = math.inf if facts["best_score"] is None else facts["best_score"]
    run.losses, run.seconds = list(facts["losses"]), facts["seconds"]
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
        """What is carried on from step to step."""
        return self._copies(part, self.carried_names)

    def _copies(self, part: str, names: tuple[str, ...]) -> Weights:
        """In torch's own memory: how it is aligned may decide on the bits of a product."""
        tensors = self.model.tensors
        return {name: torch.tensor(tensors[f"{part}.{name}"]).to(self.device) for name in names}
