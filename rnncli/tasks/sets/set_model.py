"""A model that knows which sets come next: specs, weights, its vocabulary, and how probable it says that tokens are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.cells.named import with_activation
from rnncli.data.tokens.known import KnownTokens, shown_token
from rnncli.data.tokens.load import described
from rnncli.layers.linear import for_products
from rnncli.model import save_locked
from rnncli.options.table import settled
from rnncli.outline import Outline, shown
from rnncli.registry import TASKS, find
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.seen import head_weights
from rnncli.tasks.sets import head
from rnncli.tasks.sets.spec import SetSpec
from rnncli.tasks.sets.validation import with_unknown

if TYPE_CHECKING:
    from rnncli.tasks.task import Task

NAMED = 12  # tokens in a line


@shown
@dataclass(frozen=True)
class SetModel:
    """A trained model: specs, weights [members, ...], what it knows of its data, and the ids of the documents that it
    learnt from.
    """

    network: NetworkSpec
    spec: SetSpec
    training: TrainingSpec
    known: KnownTokens
    weights: dict[str, NDArray[np.float32]]
    names: tuple[str, ...]
    record: dict[str, Any]

    @property
    def task(self) -> Task[SetSpec]:
        """The set task."""
        task: Task[SetSpec] = find(TASKS, "sets", "task")
        return task

    @property
    def model(self) -> SetModel:
        """The model itself: what holds a model is taken wherever a model file is."""
        return self

    @property
    def columns(self) -> Columns:
        """The columns of its data, and their roles."""
        return self.known.columns

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens by their codes; token 0 stands for all that are not known."""
        return self.known.vocabulary

    @property
    def series(self) -> int:
        """The number of documents that it was trained on."""
        return len(self.names)

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""
        return sum(weight.size for weight in self.weights.values())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes. OutputLocked or StorageFailed."""
        return save_locked(path, self)

    def outline(self) -> Outline:
        """A summary of the model."""
        return Outline("Set model", (("trained on", f"{len(self.names):,} documents"), *self.facts()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""
        network, training = self.network, self.training
        cell = with_activation(network.cell, network.activation)
        members = f", {network.members} members" if network.members > 1 else ""
        names = [shown_token(token) for token in self.vocabulary[1 : NAMED + 1]]
        more = f" and {self.spec.outputs - NAMED:,} more" if self.spec.outputs > NAMED else ""
        return (
            ("sets", described(self.columns, self.known.choices)),
            ("vocabulary", f"{self.spec.outputs:,}: {' '.join(names)}{more}"),
            ("network", f"{cell}, {network.layers} x {network.hidden}{members}, {self.parameters:,} parameters"),
            (
                "training",
                f"{training.steps} steps, batch {training.batch}, tbptt {training.tbptt}, seed {training.seed}",
            ),
        )

    def described(self) -> dict[str, Any]:
        """The model described as JSON."""
        return {
            "columns": self.columns.to_json(),
            "choices": self.known.choices.to_json(),
            "vocabulary": list(self.vocabulary),
            "network": self.network.to_json(),
            "sets": self.spec.to_json(),
            "training": self.training.to_json(),
        }

    def settings(self) -> dict[str, Any]:
        """The values that the model settles, by the names of the options that would set them."""
        return settled({"columns": self.columns, "sets": self.spec, "token_choices": self.known.choices})

    @cached_property
    def members(self) -> tuple[dict[str, NDArray[np.float32]], ...]:
        """The weights of each member as products are fast with them."""
        return tuple(
            {name: for_products(weight[number]) for name, weight in self.weights.items()}
            for number in range(self.network.members)
        )

    def probabilities(self, outputs: Sequence[NDArray[np.float32]]) -> Floats:
        """The probability of each token, the mean over members, from outputs [o, H] of each: [o, tokens]."""
        said = [
            head.probabilities(head.head(head_weights(weights), states, np))
            for weights, states in zip(self.members, outputs, strict=True)
        ]
        return with_unknown(self.spec, np.mean(said, axis=0))
