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
    beyond FIRST. Of long texts both are in small types.
    """

    log_probabilities: NDArray[np.floating[Any]]
    ranks: NDArray[np.integer[Any]]


class Counted(Protocol):
    """A baseline that has seen what it learns from."""

    def probabilities(self, history: Ints) -> Floats:
        """Of every next token after histories [n, K] (the newest token last; -1 before a document): [n, V]."""

    def said(self, documents: Documents) -> Said:
        """Of every token of documents."""


@dataclass(frozen=True)
class TokenBaseline:
    """A baseline for tokens: `learn` takes documents and the size of the vocabulary."""

    name: str
    learn: Callable[[Documents, int], Counted]
