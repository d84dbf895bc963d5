"""What the next token is a function of: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.errors import UsageError
from rnncli.spec import Spec

MOST_TOKENS = 1 << 24  # a code is a float32 among the targets of a batch, and exact below this
LONGEST = 1 << 26  # steps


@dataclass(frozen=True)
class TokenSpec(Spec):
    """The next of `tokens` tokens after all that came before it in a document, coded 0 ... tokens - 1.

    The boundary, code `tokens`, is what the network sees before the first token of every document. Codes are `ranked`
    where they follow how often their tokens come. `steps` are learnt from at a time. In training a share `forgotten` of
    the kinds of tokens is not seen, drawn anew for each stretch.
    """

    tokens: int
    steps: int
    forgotten: float = 0.0
    ranked: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= MOST_TOKENS:
            raise UsageError(f"a vocabulary has from 1 to {MOST_TOKENS:,} tokens, not {self.tokens:,}")
        if not 1 <= self.steps <= LONGEST:
            raise UsageError(f"steps must be from 1 to {LONGEST:,}, not {self.steps:,}")
        if not 0 <= self.forgotten < 1:
            raise UsageError(f"forgotten must be in [0, 1), not {self.forgotten}")

    @property
    def boundary(self) -> int:
        """The code of what stands before the first token."""
        return self.tokens
