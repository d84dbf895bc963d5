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
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast.network import weight_shapes
from rnncli.tasks.forecast.plan import Plan
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.training.fit import Run, Weights

Arrays = dict[str, NDArray[Any]]
_RUN = ("live", "average", "best", "first_moment", "second_moment")


@dataclass
class Progress:
    """A training so far: `members` are finished, `searched` is what each one's search found, `run` is under way.

    `training` is known from the first step on: with a time budget, only then is it known how many steps there will be.
    """

    training: TrainingSpec | None = None
    members: list[Weights] = field(default_factory=list)
    searched: list[Weights] = field(default_factory=list)
    best_steps: list[int] = field(default_factory=list)
    run: Run | None = None

    def good_weights(self) -> list[Weights]:
        """The best weights there are of each member begun."""
        return [*self.members, *([self.run.best] if self.run else self.searched[len(self.members) :])]

    @property
    def seconds(self) -> float:
        """What the steps of the present phase took."""
        return self.run.seconds if self.run else 0.0


def to_file(progress: Progress, plan: Plan) -> tuple[Arrays, dict[str, Any]]:
    """Tensors and metadata of a file."""
    assert progress.training is not None
    tensors: Arrays = {}
    for kind, several in (("members", progress.members), ("searched", progress.searched)):
        for member, weights in enumerate(several):
            tensors |= {f"{kind}.{member}.{name}": weight.numpy(force=True) for name, weight in weights.items()}
    if progress.run is not None:
        tensors |= _run_tensors(progress.run)
    meta = {
        "network": plan.network.to_json(),
        "forecast": plan.forecast.to_json(),
        "training": progress.training.to_json(),
        "members": len(progress.members),
        "best_steps": progress.best_steps,
        "run": None if progress.run is None else _run_facts(progress.run),
    }
    return tensors, meta


def layout(meta: dict[str, Any]) -> checkpoint.Layout:
    """The tensors that the metadata of an unfinished training imply."""
    network = NetworkSpec.from_json(meta["network"])
    shapes = weight_shapes(network, ForecastSpec.from_json(meta["forecast"]))
    members, searched = meta["members"], len(meta["best_steps"])
    if not 0 <= members <= searched <= network.members:
        raise UsageError("it has more members than its network")
    parts = [f"members.{member}" for member in range(members)]
    parts += [f"searched.{member}" for member in range(searched)]
    parts += [f"run.{kind}" for kind in (_RUN if meta["run"] is not None else ())]
    return {f"{part}.{name}": (np.dtype("<f4"), shape) for part in parts for name, shape in shapes.items()}


def from_file(model: checkpoint.Model, device: str) -> Progress:
    """The progress that `to_file` described."""
    meta, reader = model.meta, _Reader(model, device)
    training = TrainingSpec.from_json(meta["training"])
    return Progress(
        training,
        [reader.weights(f"members.{member}") for member in range(meta["members"])],
        [reader.weights(f"searched.{member}") for member in range(len(meta["best_steps"]))],
        list(meta["best_steps"]),
        None if meta["run"] is None else _run(reader, meta["run"]),
    )


def _run_tensors(run: Run) -> Arrays:
    return {f"run.{kind}.{name}": w.numpy(force=True) for kind in _RUN for name, w in getattr(run, kind).items()}


def _run_facts(run: Run) -> dict[str, Any]:
    return {
        "step": run.step,
        "best_step": run.best_step,
        "best_score": None if math.isinf(run.best_score) else run.best_score,
        "since_best": run.since_best,
        "losses": run.losses,
        "seconds": run.seconds,
    }


def _run(reader: _Reader, facts: dict[str, Any]) -> Run:
    live, average, best, first, second = (reader.weights(f"run.{kind}") for kind in _RUN)
    run = Run(live, average, best, first, second)
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

    def weights(self, part: str) -> Weights:
        """Copies in torch's own memory: how it is aligned may decide on the bits of a product."""
        meta = self.model.meta
        names = weight_shapes(NetworkSpec.from_json(meta["network"]), ForecastSpec.from_json(meta["forecast"]))
        return {name: torch.tensor(self.model.tensors[f"{part}.{name}"]).to(self.device) for name in names}
