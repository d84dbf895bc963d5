"""Metrics of what comes next in documents of tokens, from the probability that each was given before it was seen.

Where nothing was asked, or nothing is known, a metric is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.metrics.metric import Better

FIRST = 5  # tokens among which the right one is looked for


@dataclass(frozen=True)
class Predicted:
    """What was said of n tokens before each was seen: the natural logarithm of its probability [n], and its rank [n],
    how many other tokens were held to be more probable. `text_bytes` has the text that these tokens are (NaN: none).
    Of events with times, `waits` are the quantiles at `levels` that were said of the time to each [n, levels], and
    `waited` what came [n], NaN where nothing did; in days, unless times `count` steps.
    """

    log_probabilities: NDArray[np.floating[Any]]
    ranks: NDArray[np.integer[Any]]
    text_bytes: float = math.nan
    waits: Floats | None = None
    waited: Floats | None = None
    levels: tuple[float, ...] = ()
    count: bool = False


@dataclass(frozen=True)
class TokenMetric:
    """A registered metric of tokens: `of` returns one value of what was predicted; `better` says which are better, and
    `called` is its name in reports, where that is another than the registered one.
    """

    of: Callable[[Predicted], float]
    better: Better
    called: str = ""


def cross_entropy(predicted: Predicted) -> float:
    """Mean of -log p over tokens, in nats."""
    found = predicted.log_probabilities
    return -float(found.mean(dtype=np.float64)) if len(found) else math.nan


def perplexity(predicted: Predicted) -> float:
    """The exponential of the cross entropy: as many tokens as likely as each other are as hard to tell."""
    with np.errstate(over="ignore"):
        return float(np.exp(cross_entropy(predicted)))


def bits_per_token(predicted: Predicted) -> float:
    """The cross entropy in bits: log2 of the perplexity."""
    return cross_entropy(predicted) / math.log(2)


def bits_per_byte(predicted: Predicted) -> float:
    """Bits that all tokens take by their probabilities, over the bytes of their text, whatever a token is."""
    if not len(predicted.ranks) or not predicted.text_bytes > 0:
        return math.nan
    return -float(predicted.log_probabilities.sum(dtype=np.float64)) / math.log(2) / predicted.text_bytes


def accuracy(predicted: Predicted) -> float:
    """Share of the tokens that were held to be the most probable."""
    return _among(predicted, 1)


def top_5(predicted: Predicted) -> float:
    """Share of the tokens that were among the five that were held to be the most probable."""
    return _among(predicted, FIRST)


def _among(predicted: Predicted, first: int) -> float:
    asked = len(predicted.ranks) and not math.isnan(predicted.log_probabilities[0])
    return float((predicted.ranks < first).mean()) if asked else math.nan


ACCURACY = TokenMetric(accuracy, better="higher")
TOP_5 = TokenMetric(top_5, better="higher")
CROSS_ENTROPY = TokenMetric(cross_entropy, better="lower")
PERPLEXITY = TokenMetric(perplexity, better="lower")
BITS_PER_TOKEN = TokenMetric(bits_per_token, better="lower")
BITS_PER_BYTE = TokenMetric(bits_per_byte, better="lower")
