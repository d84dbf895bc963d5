"""What the next token is a function of: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rnncli.errors import UsageError
from rnncli.spec import Spec, added

MOST_TOKENS = 1 << 24  # a code is a float32 among the targets of a batch, and exact below this
LONGEST = 1 << 26  # steps


@dataclass(frozen=True)
class TokenSpec(Spec):
    """The next of `tokens` tokens after all that came before it in a document, coded 0 ... tokens - 1.

    The boundary, code `tokens`, is what the network sees before the first token of every document. Codes are `ranked`
    where they follow how often their tokens come. `steps` are learnt from at a time. In training a share `forgotten` of
    the kinds of tokens is not seen, drawn anew for each stretch. Of a large vocabulary the softmax is adaptive:
    `clusters` are the first codes of its tails.
    """

    tokens: int
    steps: int
    forgotten: float = 0.0
    ranked: bool = True
    clusters: tuple[int, ...] = added((), since=4)

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= MOST_TOKENS:
            raise UsageError(f"a vocabulary has from 1 to {MOST_TOKENS:,} tokens, not {self.tokens:,}")
        if not 1 <= self.steps <= LONGEST:
            raise UsageError(f"steps must be from 1 to {LONGEST:,}, not {self.steps:,}")
        if not 0 <= self.forgotten < 1:
            raise UsageError(f"forgotten must be in [0, 1), not {self.forgotten}")
        if self.clusters and any(end <= first for first, end in pairwise((0, *self.clusters, self.tokens))):
            raise UsageError(f"clusters of {self.tokens:,} tokens cannot begin at {self.clusters}")

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values, in which nothing is said of clusters where there are none."""
        found = super().to_json()
        return found if self.clusters else {name: value for name, value in found.items() if name != "clusters"}

    @property
    def boundary(self) -> int:
        """The code of what stands before the first token."""
        return self.tokens

    @property
    def widest(self) -> int:
        """The most tokens that are told apart at once: all, or those of a cluster."""
        return max(end - first for first, end in pairwise((0, *self.clusters, self.tokens)))
