"""Multinomial logistic regression on features of each sequence (or row), with an L2 penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.labels.baseline import ClassBaseline
from rnncli.baselines.labels.features import AT_A_TIME, evenly, fitted
from rnncli.baselines.labels.majority import shares
from rnncli.baselines.labels.sequences import Sequences

PENALTY = 1.0
CLOSE = 1e-5  # of the gradient where it began
MEMORY = 10
ITERATIONS = 1_000


@dataclass(frozen=True)
class Linear:
    """Weights [D, C] and intercepts [C] of the classes' log odds."""

    weights: Floats
    intercepts: Floats

    def probabilities(self, features: Floats) -> Floats:
        """Probabilities [n, C] of the classes, from features [n, D]."""
        return _softmax(features @ self.weights + self.intercepts)


def fit(features: Floats, labels: Ints, classes: int, penalty: float = PENALTY) -> Linear:
    """The weights that minimise sum of -log p(label) + penalty / 2 |W|^2, from features [n, D] and labels [n].

    By L-BFGS in coordinates where the bound of Böhning (1992) on the Hessian, X'X / 2 + penalty, is the identity:
    correlated features then cost no more steps than others. Intercepts are not penalised.
    """
    centre = features.mean(axis=0)
    away = features - centre
    size, turn = np.linalg.eigh(away.T @ away / 2 + penalty * np.eye(features.shape[1]))
    whitening = turn / np.sqrt(size)
    root = np.sqrt(len(features) / 2)
    rows = np.concatenate([away @ whitening, np.full((len(features), 1), 1 / root)], axis=1)
    penalties = np.append(penalty / size, 0.0)[:, None]
    truth = labels[:, None] == np.arange(classes)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(rows.shape[1], classes)
        logs = _log_softmax(rows @ weights)
        value = -logs[truth].sum() + 0.5 * (penalties * weights**2).sum()
        return float(value), (rows.T @ (np.exp(logs) - truth) + penalties * weights).ravel()

    found = minimised(loss, np.zeros(rows.shape[1] * classes)).reshape(-1, classes)
    weights = whitening @ found[:-1]
    return Linear(weights, found[-1] / root - centre @ weights)


def minimised(loss: Callable[[Floats], tuple[float, Floats]], begin: Floats) -> Floats:
    """The least point of a smooth convex function that returns its value and gradient, by L-BFGS (Nocedal 1980)."""
    at, (value, gradient) = begin, loss(begin)
    enough = CLOSE * float(np.linalg.norm(gradient))
    pairs: list[tuple[Floats, Floats]] = []
    for _ in range(ITERATIONS):
        if float(np.linalg.norm(gradient)) <= enough:
            break
        direction = -_inverse_hessian_times(gradient, pairs)
        slope, size = float(direction @ gradient), 1.0
        ahead, (lower, turned) = at + direction, loss(at + direction)
        while not lower <= value + 1e-4 * size * slope and size > 1e-10:
            size /= 2
            ahead = at + size * direction
            lower, turned = loss(ahead)
        if not lower < value:  # as low as float64 tells
            break
        moved, bent = ahead - at, turned - gradient
        if moved @ bent > 0:
            pairs = [*pairs[-MEMORY + 1 :], (moved, bent)]
        at, value, gradient = ahead, lower, turned
    return at


def _inverse_hessian_times(gradient: Floats, pairs: list[tuple[Floats, Floats]]) -> Floats:
    """The two loops of Nocedal & Wright 2006, algorithm 7.4; without a pair the gradient itself."""
    left, taken = gradient.copy(), []
    for moved, bent in reversed(pairs):
        share = (moved @ left) / (moved @ bent)
        left -= share * bent
        taken.append(share)
    if pairs:
        moved, bent = pairs[-1]
        left *= (moved @ bent) / (bent @ bent)
    for (moved, bent), share in zip(pairs, reversed(taken), strict=True):
        left += moved * (share - (bent @ left) / (moved @ bent))
    return left


def _answers(trained: Sequences, labels: Ints, classes: int, asked: Sequences) -> Floats:
    known = np.flatnonzero(labels >= 0)
    if len(np.unique(labels[known])) < 2:
        return np.tile(shares(labels, classes), (asked.carriers, 1))
    chosen = evenly(known)
    features, rows = fitted(trained, chosen)
    present, codes = np.unique(labels[chosen], return_inverse=True)
    model = fit(rows, codes, len(present))
    made = np.zeros((asked.carriers, classes))
    for begin in range(0, asked.carriers, AT_A_TIME):
        some = np.arange(begin, min(begin + AT_A_TIME, asked.carriers))
        made[some[:, None], present] = model.probabilities(features.of(asked, some))
    return made


def _log_softmax(logits: Floats) -> Floats:
    away = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(away - np.log(np.exp(away).sum(axis=1, keepdims=True)))


def _softmax(logits: Floats) -> Floats:
    return np.exp(_log_softmax(logits))


logistic_regression = ClassBaseline("logistic regression", _answers)
