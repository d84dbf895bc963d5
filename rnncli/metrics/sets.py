"""Metrics of sets: how probable those were that came, and what was expected of them.

They are over the steps that are scored together, one value for all; where there is none, or nothing came and nothing
was expected, a metric is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats
from rnncli.metrics.metric import Better

NEAREST = 1e-12  # to 0 and to 1 that a probability is taken to be
EXPECTED = 0.5  # probability above which a token is


@dataclass(frozen=True)
class PredictedSets:
    """Answers about n sets before each was seen: the natural logarithm of its probability [n], and which tokens were
    `expected` [n, tokens], of which `came` [n, tokens] did. Column 0 is that of tokens that nobody knows.
    """

    log_probabilities: Floats
    expected: Bools
    came: Bools


@dataclass(frozen=True)
class SetMetric:
    """A registered metric of sets: `of` returns one value of what was predicted; `better` says which are better."""

    of: Callable[[PredictedSets], float]
    better: Better


def log_probability(p: NDArray[np.floating], hot: NDArray[np.int8]) -> Floats:
    """log p of sets whose tokens are independent of each other, in nats: [n].

        log p = sum_k y_k log p_k + (1 - y_k) log(1 - p_k)

    p [n, tokens] is that of each token, and hot [n, tokens] 1 where it is in the set. Column 0 counts tokens that
    nobody knows: each costs -log p_0. NaN where hot is below 0: the set is missing.
    """
    p = np.clip(np.asarray(p, np.float64), NEAREST, 1 - NEAREST)
    there = hot > 0
    found = np.log(np.where(there, p, 1 - p)).sum(axis=1)
    found += np.maximum(hot[:, 0].astype(np.float64) - 1, 0) * np.log(p[:, 0])
    return np.where(hot[:, 0] < 0, np.nan, found)


def cross_entropy(predicted: PredictedSets) -> float:
    """Mean of -log p over steps, in nats: each is the sum over all tokens, there or not."""
    found = predicted.log_probabilities
    return -float(found.mean()) if len(found) else math.nan


def accuracy(predicted: PredictedSets) -> float:
    """TP / (TP + FP + FN) over all steps and tokens (Bay, Ehmann & Downie 2009)."""
    right, wrong = _right(predicted).sum(), (predicted.expected != predicted.came).sum()
    return float(right / (right + wrong)) if right + wrong else math.nan


def micro_f1(predicted: PredictedSets) -> float:
    """2 TP / (2 TP + FP + FN) over all steps and tokens."""
    right, wrong = _right(predicted).sum(), (predicted.expected != predicted.came).sum()
    return float(2 * right / (2 * right + wrong)) if right + wrong else math.nan


def macro_f1(predicted: PredictedSets) -> float:
    """The mean over the known tokens that came of 2 TP / (2 TP + FP + FN)."""
    came = np.flatnonzero(predicted.came[:, 1:].any(axis=0)) + 1
    if not len(came):
        return math.nan
    right = _right(predicted)[:, came].sum(axis=0)
    wrong = (predicted.expected != predicted.came)[:, came].sum(axis=0)
    return float((2 * right / (2 * right + wrong)).mean())


def _right(predicted: PredictedSets) -> Bools:
    return np.asarray(predicted.expected & predicted.came)


CROSS_ENTROPY = SetMetric(cross_entropy, better="lower")
ACCURACY = SetMetric(accuracy, better="higher")
MICRO_F1 = SetMetric(micro_f1, better="higher")
MACRO_F1 = SetMetric(macro_f1, better="higher")
