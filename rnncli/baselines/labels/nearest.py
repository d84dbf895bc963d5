"""The label of the nearest training sequence by dynamic time warping (1-NN DTW), on data that are small."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.labels.baseline import ClassBaseline
from rnncli.baselines.labels.features import evenly
from rnncli.baselines.labels.majority import shares
from rnncli.baselines.labels.sequences import Sequences
from rnncli.baselines.labels.warping import cells, common_scale, nearest, own_scale

MOST = 2_000_000_000  # distances between single channels of steps: ten to forty seconds of a core
LIKELIEST = 0.99  # of the error at which another class would be as likely as the nearest one's
LEFT_OUT = 100  # training sequences, at most, that tell how often the nearest one is wrong


def _answers(trained: Sequences, labels: Ints, classes: int, asked: Sequences) -> Floats:
    """The nearest sequence's class is given 1 - e, the others share e as training has them.

    e is how often the nearest other sequence is of another class in training, (wrong + 1) / (tried + 2); sequences are
    compared each on its own scale or on training's, whichever is wrong less often there (the first, if both are).
    """
    known = np.flatnonzero(labels >= 0)
    examples, truth, usual = trained.select(known), labels[known], shares(labels, classes)
    compared = [(own_scale(examples), own_scale(asked))]
    compared += [(common_scale(examples, examples), common_scale(asked, examples))]
    errors = [_left_out_errors(among, truth) for among, _ in compared]
    best = int(np.argmin(errors))
    among, others = compared[best]
    found = nearest(others, among)
    made = np.tile(usual, (len(asked), 1))
    some = np.flatnonzero(found >= 0)
    made[some] = _smoothed(truth[found[some]], usual, errors[best])
    return made


def _left_out_errors(among: Sequences, truth: Ints) -> float:
    """The share of sequences whose nearest other is of another class, with one right and one wrong answer added."""
    tried = evenly(np.arange(len(among)), LEFT_OUT)
    others = nearest(among.select(tried), among, itself=tried)
    wrong = int(np.count_nonzero((others < 0) | (truth[others] != truth[tried])))
    return (wrong + 1) / (len(tried) + 2)


def _smoothed(said: Ints, usual: Floats, error: float) -> Floats:
    """Probabilities [n, C] of 1 - error for the class said [n], and error among the others by their shares [C].

    The error is held where the class said stays the likeliest.
    """
    rows = np.arange(len(said))
    made = np.tile(usual, (len(said), 1))
    made[rows, said] = 0.0
    rest, largest = made.sum(axis=1), made.max(axis=1)
    error_of = np.where(rest > 0, np.minimum(error, LIKELIEST * rest / np.where(rest > 0, rest + largest, 1.0)), 0.0)
    made *= (error_of / np.where(rest > 0, rest, 1.0))[:, None]
    made[rows, said] = 1 - error_of
    return made


def _too_much(trained: Sequences, asked: Sequences) -> str:
    tried = evenly(np.arange(len(trained)), LEFT_OUT)
    needed = cells(asked, trained) + 2 * cells(trained.select(tried), trained)
    return f"{needed:,} distances of steps are more than {MOST:,}" if needed > MOST else ""


dtw = ClassBaseline("dtw", _answers, per_step=False, too_much=_too_much)
