"""What a baseline for tokens is: it counts documents, and gives every next token of others a probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.documents import Documents


class Said(NamedTuple):
    """What was said of each token [rows] before it was seen: the logarithm of its probability, in nats, and how many
    other tokens were said to be more probable (of equal ones, those of lower codes).
    """

    log_probabilities: Floats
    ranks: Ints


class Counted(Protocol):
    """A baseline that has seen what it learns from."""

    def probabilities(self, history: Ints) -> Floats:
        """Of every next token after histories [n, K] (the newest token last; -1 before a document): [n, V]."""

    def said(self, documents: Documents) -> Said:
        """Of every token of documents."""


def ranks_of(scores: Floats, tokens: Ints) -> Ints:
    """The rank of each of `tokens` [n] in its row of scores [n, V], which may be probabilities, their logarithms or
    logits: how many others are higher, or as high and of a lower code.
    """
    own = np.take_along_axis(scores, tokens[:, None], axis=1)
    above = np.count_nonzero(scores > own, axis=1)
    equal = (scores == own) & (np.arange(scores.shape[1]) < tokens[:, None])
    return np.asarray(above + np.count_nonzero(equal, axis=1), np.int64)


@dataclass(frozen=True)
class TokenBaseline:
    """A baseline for tokens: `learn` takes documents and the size of the vocabulary."""

    name: str
    learn: Callable[[Documents, int], Counted]
