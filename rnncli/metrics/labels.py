"""Metrics of class labels, from the class probabilities given to each row; a weight counts a row more or less.

Everywhere labels [n] are codes from 0 to C - 1, probabilities are [n, C], weights [n] (1 each by default), and the
class that was said is the one of the highest probability, the first of equal ones. A class that was neither given nor
said counts nowhere; what is then undefined is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.metrics.metric import Better, ratio

LEAST = 1e-15  # of a probability, so that its logarithm is finite
BINS = 15


@dataclass(frozen=True)
class ClassMetric:
    """A registered metric of class labels: `of` takes labels, probabilities and weights and returns one value, NaN
    where it is undefined; `better` says which values are better.
    """

    of: Callable[[Ints, Floats, Floats | None], float]
    better: Better


@dataclass(frozen=True)
class ClassRates:
    """Precision, recall, F1 and count of every class: four arrays [C].

    Precision is NaN of a class that was never said, recall of one that does not occur, F1 of one that is neither.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    count: Floats


def confusion_matrix(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> Floats:
    """Weight of the rows of each true class (down) that were said to be of each class (across): [C, C]."""
    count = probabilities.shape[1]
    places = labels * count + said(probabilities)
    cells = np.bincount(places, _weights(labels, weights), count * count)
    return cells.astype(np.float64).reshape(count, count)


def class_rates(confusion: Floats) -> ClassRates:
    """Precision, recall, F1 = 2 TP / (2 TP + FP + FN) and count of every class, from a confusion matrix [C, C]."""
    right, given, called = np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return ClassRates(ratio(right, called), ratio(right, given), ratio(2 * right, given + called), given)


def accuracy(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Share of the rows whose class was said."""
    right = said(probabilities) == labels
    return _mean(right.astype(np.float64), _weights(labels, weights))


def balanced_accuracy(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Mean recall of the classes that occur, each class counting the same (Brodersen et al. 2010)."""
    return _mean_defined(class_rates(confusion_matrix(labels, probabilities, weights)).recall)


def macro_f1(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Mean F1 of the classes that occur or were said, each class counting the same."""
    return _mean_defined(class_rates(confusion_matrix(labels, probabilities, weights)).f1)


def auc(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Area under the ROC curve: the chance that a row of a class is given a higher probability of it than another row.

    Equal probabilities count a half (Hanley & McNeil 1982). Of two classes it is that of the second; of more the mean
    over classes, each against the rest, of those that some rows are of and others are not. NaN if there is none.
    """
    weight, count = _weights(labels, weights), probabilities.shape[1]
    classes = [1] if count == 2 else range(count)
    return _mean_defined(np.array([_rank_auc(labels == code, probabilities[:, code], weight) for code in classes]))


def log_loss(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Mean of -log of the probability that the true class was given, in nats: see `log_losses`."""
    return _mean(log_losses(labels, probabilities), _weights(labels, weights))


def log_losses(labels: Ints, probabilities: Floats) -> Floats:
    """The log loss -log p of every row [n], in nats; p is the true class's probability and counts as at least 1e-15."""
    given = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0]
    return -np.log(np.clip(given, LEAST, 1.0))


def calibration_error(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Expected calibration error: mean over rows of |accuracy - mean probability| of the row's bin.

    Rows are binned by the probability of the class that was said, in 15 bins of equal width, each open below and closed
    above (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017, equation 3).
    """
    weight, top = _weights(labels, weights), probabilities.max(axis=1, initial=0.0)
    right = said(probabilities) == labels
    place = np.clip(np.ceil(top * BINS) - 1, 0, BINS - 1).astype(np.int64)
    apart = np.abs(np.bincount(place, weight * (right - top), BINS)).sum()
    return float(ratio(apart, weight.sum()))


def said(probabilities: Floats) -> Ints:
    """Codes [n] of the classes of the highest probability, the first of equal ones."""
    return np.asarray(probabilities.argmax(axis=1))


def _rank_auc(positive: Bools, scores: Floats, weight: Floats) -> float:
    """Weighted share of pairs, one row of either side, that are in order; a tie counts a half."""
    levels, place = np.unique(scores, return_inverse=True)
    ours, others = (np.bincount(place, np.where(side, weight, 0.0), len(levels)) for side in (positive, ~positive))
    in_order = (ours * (np.cumsum(others) - others / 2)).sum()
    return float(ratio(in_order, ours.sum() * others.sum()))


def _weights(labels: Ints, weights: Floats | None) -> Floats:
    return np.ones(len(labels)) if weights is None else weights


def _mean(values: Floats, weights: Floats) -> float:
    return float(ratio((values * weights).sum(), weights.sum()))


def _mean_defined(values: Floats) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")


ACCURACY = ClassMetric(accuracy, better="higher")
BALANCED_ACCURACY = ClassMetric(balanced_accuracy, better="higher")
MACRO_F1 = ClassMetric(macro_f1, better="higher")
AUC = ClassMetric(auc, better="higher")
LOG_LOSS = ClassMetric(log_loss, better="lower")
CALIBRATION_ERROR = ClassMetric(calibration_error, better="lower")
