"""A model that knows which sets come next: specs, weights, its vocabulary, and how probable it says that tokens are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.data.tokens.known import KnownTokens, shown_token
from rnncli.data.tokens.load import described
from rnncli.layers.linear import for_products
from rnncli.options.table import settled
from rnncli.outline import Outline, shown
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.seen import head_weights
from rnncli.tasks.sets import head
from rnncli.tasks.sets.spec import SetSpec
from rnncli.tasks.sets.validation import with_unknown
from rnncli.tasks.trained_model import TrainedModel

NAMED = 12  # tokens in a line


@shown
@dataclass(frozen=True)
class SetModel(TrainedModel[SetSpec]):
    """A trained model: specs, weights [members, ...], what it knows of its data, and the ids of the documents that it
    learnt from.
    """

    of_task = "sets"
    network: NetworkSpec
    spec: SetSpec
    training: TrainingSpec
    known: KnownTokens
    weights: dict[str, NDArray[np.float32]]
    names: tuple[str, ...]
    record: dict[str, Any]

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

    def outline(self) -> Outline:
        """A summary of the model."""
        return Outline("Set model", (("trained on", f"{len(self.names):,} documents"), *self.facts()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""
        training = self.training
        names = [shown_token(token) for token in self.vocabulary[1 : NAMED + 1]]
        more = f" and {self.spec.outputs - NAMED:,} more" if self.spec.outputs > NAMED else ""
        return (
            ("sets", described(self.columns, self.known.choices)),
            ("vocabulary", f"{self.spec.outputs:,}: {' '.join(names)}{more}"),
            ("network", self.sizes()),
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
