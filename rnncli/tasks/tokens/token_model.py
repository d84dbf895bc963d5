"""A model that knows how documents go on: specs, weights, its vocabulary, and what it says of next tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.tokens.known import KnownTokens, shown_token
from rnncli.data.tokens.load import described
from rnncli.layers.linear import for_products
from rnncli.options.table import settled
from rnncli.outline import Outline, shown
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.seen import HEAD, Weights, head_weights
from rnncli.tasks.tokens import adaptive, event_head, formulas
from rnncli.tasks.tokens.answers import ranks_of
from rnncli.tasks.tokens.head import TABLE
from rnncli.tasks.tokens.pool import Pool
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.trained_model import TrainedModel

NAMED = 12  # tokens in a line
LOOKED_UP = HEAD + TABLE, HEAD + event_head.LOOKED_UP  # how the names of tables begin, of which rows are looked up


@shown
@dataclass(frozen=True)
class TokenModel(TrainedModel[TokenSpec]):
    """A trained model: specs, weights [members, ...], what it knows of its data, and the ids of the documents that it
    learnt from; beside the network perhaps n-grams.
    """

    of_task = "tokens"
    network: NetworkSpec
    spec: TokenSpec
    training: TrainingSpec
    known: KnownTokens
    weights: dict[str, NDArray[np.float32]]
    names: tuple[str, ...]
    record: dict[str, Any]
    pool: Pool | None = None

    @property
    def columns(self) -> Columns:
        """What the columns of its data are."""
        return self.known.columns

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens by their codes."""
        return self.known.vocabulary

    @property
    def looks_back(self) -> int:
        """How many tokens before the next one are looked at beside the network's state."""
        return 0 if self.pool is None else self.pool.steps

    @property
    def series(self) -> int:
        """The number of documents that it was trained on."""
        return len(self.names)

    def outline(self) -> Outline:
        """What the model is."""
        return Outline("Token model", (("trained on", f"{len(self.names):,} documents"), *self.facts()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""
        training = self.training
        names = [shown_token(token) for token in self.vocabulary[:NAMED]]
        more = f" and {len(self.vocabulary) - NAMED:,} more" if len(self.vocabulary) > NAMED else ""
        return (
            ("tokens", described(self.columns, self.known.choices, self.known.beside)),
            ("vocabulary", f"{len(self.vocabulary):,}: {' '.join(names)}{more}"),
            *self._times(),
            ("network", self.sizes()),
            *self._pooled(),
            (
                "training",
                f"{training.steps} steps, batch {training.batch}, tbptt {training.tbptt}, seed {training.seed}",
            ),
        )

    def _pooled(self) -> list[tuple[str, str]]:
        if self.pool is None:
            return []
        levels = self.pool.ngrams.levels
        count, share = sum(map(len, levels)), f"{100 * self.pool.share:.3g}%"
        return [("n-grams", f"up to order {len(levels)}, {count:,} of them, {share} of what is said")]

    def _times(self) -> list[tuple[str, str]]:
        timing = self.spec.timing
        if timing is None:
            return []
        levels = ", ".join(f"{level:g}" for level in timing.levels)
        return [("time to the next", f"quantiles {levels}, in {'steps' if timing.count else 'days'}")]

    def described(self) -> dict[str, Any]:
        """The model described as JSON."""
        return {
            "columns": self.columns.to_json(),
            "choices": self.known.choices.to_json(),
            "vocabulary": list(self.vocabulary),
            "network": self.network.to_json(),
            "tokens": self.spec.to_json(),
            "training": self.training.to_json(),
        }

    def settings(self) -> dict[str, Any]:
        """The values that the model settles, by the names of the options that would set them."""
        return settled({"columns": self.columns, "tokens": self.spec, "token_choices": self.known.choices})

    @cached_property
    def members(self) -> tuple[dict[str, NDArray[np.float32]], ...]:
        """The weights of each member: tables as rows of them are looked up, others as products are fast with them."""
        return tuple(
            {
                name: weight[number] if name.startswith(LOOKED_UP) else for_products(weight[number])
                for name, weight in self.weights.items()
            }
            for number in range(self.network.members)
        )

    @cached_property
    def heads(self) -> tuple[Weights, ...]:
        """The weights of each member's head, as products are fast with them."""
        return tuple({name: for_products(weight) for name, weight in head_weights(own).items()} for own in self.members)

    def log_probabilities(self, outputs: Sequence[NDArray[np.float32]], history: Ints) -> NDArray[np.float32]:
        """The logarithms of the probabilities of what comes next, from the outputs [o, H] of each member and the tokens
        before it [o, looks_back]: [o, tokens that can come].
        """
        logs = self.network_says(outputs)
        return logs if self.pool is None else self.pool.of_all(logs, history)

    def network_says(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The logarithms of the probabilities of what comes next, of the mean of what the members say, from the outputs
        [o, H] of each: [o, tokens that can come].
        """
        every = zip(self.heads, outputs, strict=True)
        said = [formulas.log_probabilities(self.spec, weights, states, np) for weights, states in every]
        found: NDArray[np.float32] = adaptive.mean_of(said, np)
        return found

    def said(
        self, outputs: Sequence[NDArray[np.float32]], history: Ints, came: Ints, ranked: int | None
    ) -> tuple[NDArray[np.float32], Ints]:
        """The logarithm of the probability of each token that `came` [o], and how many were held for more likely,
        counted up to `ranked` (all if None, none if 0): [o] each, from the outputs [o, H] of each member and the tokens
        before it [o, looks_back].
        """
        none = np.zeros(len(came), np.int64)
        if not self.spec.clusters and ranked == 0:
            own = np.take_along_axis(self.network_says(outputs), came[:, None], axis=1)[:, 0]
            return own if self.pool is None else self.pool.of_what_came(own, history, came), none
        if not self.spec.clusters:
            logs = self.log_probabilities(outputs, history)
            return np.take_along_axis(logs, came[:, None], axis=1)[:, 0], ranks_of(logs, came)
        every = zip(self.heads, outputs, strict=True)
        own = adaptive.mean_of([adaptive.log_p(self.spec, *one, came, np) for one in every], np)
        most = self.spec.tokens if ranked is None else ranked
        return own, none if ranked == 0 else adaptive.ranks(self.spec, self.heads, outputs, came, own, most, np)

    def waits(self, outputs: Sequence[NDArray[np.float32]]) -> Floats:
        """Quantiles of the time to the next event, in days or, where times are counted, in steps, the mean in z of
        what the members say, from the outputs [o, H] of each: [o, levels].
        """
        timing = self.spec.timing
        assert timing is not None
        said = [
            event_head.quantiles(timing, weights, states, np)
            for weights, states in zip(self.heads, outputs, strict=True)
        ]
        z = np.mean(np.array(said, np.float64), axis=0)
        return np.asarray(np.maximum.accumulate(timing.times(z), axis=1))
