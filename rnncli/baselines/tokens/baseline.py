"""What a baseline for tokens is: it counts documents, and gives every next token of others a probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.documents import Documents

FIRST = 5  # tokens among which the right one is looked for


class Said(NamedTuple):
    """What was said of each token [rows] before it was seen: the logarithm of its probability, in nats, and its rank,
    how many other tokens were said to be more probable (of equal ones, those of lower codes), which need not be counted
    beyond FIRST. Of long texts both are in small types. Of events with times, `waits` are quantiles of the time to each
    since the one before [rows, levels]. What says nothing of tokens has a log probability that is NaN.
    """

    log_probabilities: NDArray[np.floating[Any]]
    ranks: NDArray[np.integer[Any]]
    waits: Floats | None = None


class Counted(Protocol):
    """A baseline that has seen what it learns from."""

    def probabilities(self, history: Ints) -> Floats:
        """Of every next token after histories [n, K] (the newest token last; -1 before a document): [n, V]."""

    def said(self, documents: Documents) -> Said:
        """Of every token of documents."""


class Timed(Protocol):
    """A baseline that has seen times, and says when the next token comes."""

    def said(self, documents: Documents) -> Said:
        """Of every token of documents, quantiles of the time to it at the `levels` of these."""


@dataclass(frozen=True)
class TokenBaseline:
    """A baseline for tokens: `learn` takes documents and the size of the vocabulary. One that is `timed` says when the
    next token comes, and not which, and needs documents with times.
    """

    name: str
    learn: Callable[[Documents, int], Counted | Timed]
    timed: bool = False
