"""n-grams beside a network, which say together what comes next (Mikolov et al. 2011, Empirical evaluation and
combination of advanced language modeling techniques).

    p(c | before) = (1 - w) p_network(c | before) + w p_ngrams(c | before)

A network sees far and generalises, n-grams know what they have seen word for word. The weight w is the one with which
held-out tokens are the likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.documents import Documents
from rnncli.baselines.tokens.kneser_ney import KneserNey, counted

HALVINGS = 40  # of where the weight lies
MOST = 1 << 23  # n-grams that a model holds
COUNTED = 1 << 23  # tokens in which they are counted, the last ones
LEAST = 2e-3  # nats a token by which n-grams must be worth their place


@dataclass(frozen=True)
class Pool:
    """n-grams, and their `share` w of what is said."""

    ngrams: KneserNey
    share: float

    @property
    def steps(self) -> int:
        """How many tokens back the n-grams look."""
        return self.ngrams.steps

    def mixed(self, logs: NDArray[np.float32], ngrams: Floats) -> NDArray[np.float32]:
        """Logarithms of what both say, from those of the network and the probabilities of the n-grams [...]."""
        p = self.share * ngrams
        p += (1 - self.share) * np.exp(logs)
        return np.log(p, out=p).astype(np.float32)

    def of_all(self, logs: NDArray[np.float32], history: Ints) -> NDArray[np.float32]:
        """Of all tokens, after the tokens of `history` [o, steps]: [o, tokens]."""
        return self.mixed(logs, self.ngrams.probabilities(history))

    def of_what_came(self, logs: NDArray[np.float32], history: Ints, came: Ints) -> NDArray[np.float32]:
        """Of the tokens that came [o]: [o]."""
        return self.mixed(logs, self.ngrams.probability(history, came))


def ngrams_in(documents: Documents, size: int, order: int) -> KneserNey:
    """n-grams of documents over a vocabulary of a size, up to an order or as many as a model holds."""
    return counted(last_of(documents, COUNTED), size, order, MOST)


def last_of(documents: Documents, rows: int) -> Documents:
    """So many tokens of documents, the last ones."""
    begin = max(0, documents.rows - rows)
    return Documents(documents.codes[begin:], np.maximum(documents.offsets - begin, 0))


def best_share(network: NDArray[Any], ngrams: Floats) -> float:
    """The weight w of n-grams with which tokens are the likeliest, by the probabilities [N] that both gave to each.

    The derivative of the mean of log((1 - w) p_network + w p_ngrams) falls with w: the weight is where it is 0.
    """
    low, high, gain = 0.0, 1.0, ngrams - network
    for _ in range(HALVINGS):
        w = (low + high) / 2
        rises = (gain / ((1 - w) * network + w * ngrams)).mean() > 0
        low, high = (w, high) if rises else (low, w)
    return low


@dataclass(frozen=True)
class Judged:
    """What held-out tokens say of n-grams beside a network: their `share`, and the pool's cross entropy in nats."""

    share: float
    cross_entropy: float


def judged(log_p: NDArray[Any], ngrams: Floats) -> Judged | None:
    """The pool of a network and n-grams, from the logarithms of the probabilities that the network gave to held-out
    tokens [N] and the probabilities that n-grams gave them [N]; None where these are not worth their place.
    """
    network = np.exp(np.asarray(log_p, np.float64))
    share = best_share(network, ngrams)
    pooled = -float(np.log((1 - share) * network + share * ngrams).mean())
    return Judged(share, pooled) if -float(np.mean(log_p)) - pooled >= LEAST else None
