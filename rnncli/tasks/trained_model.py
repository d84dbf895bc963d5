"""What every trained model has, whatever its task is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncli.cells.named import with_activation
from rnncli.model import save_locked
from rnncli.registry import TASKS, find
from rnncli.spec import NetworkSpec, Spec

if TYPE_CHECKING:
    from rnncli.data.load import Loaded
    from rnncli.tasks.task import Task

S = TypeVar("S", bound=Spec)


class TrainedModel(Generic[S]):
    """A network of any task, with weights [members, ...]. A subclass says which task is its own: `of_task`."""

    of_task: ClassVar[str]
    network: NetworkSpec
    weights: dict[str, NDArray[np.float32]]

    @property
    def task(self) -> Task[S]:
        """The task that it was trained for."""
        task: Task[S] = find(TASKS, self.of_task, "task")
        return task

    @property
    def model(self) -> Self:
        """The model itself: what holds a model is taken wherever a model file is."""
        return self

    @property
    def unfitted(self) -> bool:
        """Whether no data have taught it."""
        return False

    def for_data(self, loaded: Loaded, horizon: int | None = None) -> Self:
        """The model as it answers these data: itself, where training has settled that."""
        del loaded, horizon
        return self

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""
        return sum(weight.size for weight in self.weights.values())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes. OutputLocked or StorageFailed."""
        return save_locked(path, self)

    def sizes(self) -> str:
        """The network's cells, layers, units, members and numbers, for people."""
        network = self.network
        cell = with_activation(network.cell, network.activation)
        members = f", {network.members} members" if network.members > 1 else ""
        return f"{cell}, {network.layers} x {network.hidden}{members}, {self.parameters:,} parameters"
