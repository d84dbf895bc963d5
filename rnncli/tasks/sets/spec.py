"""The spec of the next set: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.errors import UsageError
from rnncli.spec import Spec

MOST_TOKENS = 1 << 20
LONGEST = 1 << 26  # steps


@dataclass(frozen=True)
class SetSpec(Spec):
    """The next set of tokens after all sets that came before it in a document.

    The vocabulary has the tokens 0 ... n - 1, and `frequencies` [n] the share of the steps in which each was seen;
    token 0 stands for all that are not known, of which the network is told nothing. `steps` are learnt from at a time.
    In training a share `forgotten` of the tokens is neither seen nor asked about, drawn anew for each stretch.
    """

    frequencies: tuple[float, ...]
    steps: int
    forgotten: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= self.tokens <= MOST_TOKENS:
            raise UsageError(f"a vocabulary of sets has from 2 to {MOST_TOKENS:,} tokens, not {self.tokens:,}")
        if not all(0 < share < 1 for share in self.frequencies):
            raise UsageError("frequencies must be above 0 and below 1")
        if not 1 <= self.steps <= LONGEST:
            raise UsageError(f"steps must be from 1 to {LONGEST:,}, not {self.steps:,}")
        if not 0 <= self.forgotten < 1:
            raise UsageError(f"forgotten must be in [0, 1), not {self.forgotten}")

    @property
    def tokens(self) -> int:
        """The size of the vocabulary, token 0 counted."""
        return len(self.frequencies)

    @property
    def outputs(self) -> int:
        """The tokens of which the network says how probable they are: all but token 0."""
        return self.tokens - 1
