"""What training alone says, whatever is asked: the shares of its classes, or the quantiles of its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.labels.baseline import ClassBaseline, NumberBaseline
from rnncli.baselines.labels.sequences import Sequences


def shares(labels: Ints, classes: int) -> Floats:
    """Share [C] of each class among the labels that there are; equal ones if there are none."""
    counts = np.bincount(labels[labels >= 0], minlength=classes)
    return counts / counts.sum() if counts.any() else np.full(classes, 1 / classes)


def _majority(trained: Sequences, labels: Ints, classes: int, asked: Sequences) -> Floats:
    return np.tile(shares(labels, classes), (asked.carriers, 1))


def _training_quantiles(trained: Sequences, labels: Floats, levels: Sequence[float], asked: Sequences) -> Floats:
    known = labels[~np.isnan(labels)]
    found = np.quantile(known, levels) if len(known) else np.full(len(levels), np.nan)
    return np.tile(found, (asked.carriers, 1))


majority = ClassBaseline("majority", _majority)
training_quantiles = NumberBaseline("training quantiles", _training_quantiles)
