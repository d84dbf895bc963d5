"""Temperature scaling: one number that makes a classifier's probabilities as sure as it is right."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Ints

COLDEST, HOTTEST = 0.5, 4.0
FEWEST = 20  # labels that a temperature is fitted to
_HALVINGS = 50


def fitted_temperature(logits: Floats, labels: Ints) -> float:
    """The temperature T, from 0.5 to 4, that minimises the mean log loss of softmax(logits / T) (Guo et al. 2017).

    Logits (or log-probabilities) [n, C] and labels [n] are those held out from training; a label below 0 is none. 1
    where fewer than 20 labels are held out, or where no temperature changes the loss.
    """
    known = labels >= 0
    if np.count_nonzero(known) < FEWEST:
        return 1.0
    odds = logits[known] - logits[known].max(axis=1, keepdims=True)
    odds = np.maximum(odds, np.log(np.finfo(np.float64).tiny))  # an impossible class has an infinite one
    given = np.take_along_axis(odds, labels[known][:, None], axis=1)[:, 0]
    low, high = 1 / HOTTEST, 1 / COLDEST
    if _slope(odds, given, 1.0) == 0:
        return 1.0
    for _ in range(_HALVINGS):  # the loss is convex in 1 / T
        middle = (low + high) / 2
        if _slope(odds, given, middle) > 0:
            high = middle
        else:
            low = middle
    return 2 / (low + high)


def _slope(odds: Floats, given: Floats, cold: float) -> float:
    """Derivative of the summed log loss of softmax(cold * odds) by `cold`: expected odds less those of the label."""
    weights = np.exp(cold * odds)
    expected = (weights * odds).sum(axis=1) / weights.sum(axis=1)
    return float((expected - given).sum())
