"""Ridge regression of number labels on features of each sequence (or row), with quantiles from its own errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Floats
from rnncli.baselines.labels.baseline import NumberBaseline
from rnncli.baselines.labels.features import AT_A_TIME, evenly, fitted
from rnncli.baselines.labels.sequences import Sequences

PENALTY = 1.0


def fit(features: Floats, labels: Floats, penalty: float = PENALTY) -> tuple[Floats, float, Floats]:
    """Weights [D] and intercept that minimise |y - X w - b|^2 + penalty |w|^2, and the error [n] of every example where
    it is left out of the fit: (y - prediction) / (1 - leverage) (Golub, Heath & Wahba 1979).
    """
    centre, level = features.mean(axis=0), float(labels.mean())
    away = features - centre
    product = away.T @ away + penalty * np.eye(features.shape[1])
    solved = np.linalg.solve(product, away.T)
    weights = solved @ (labels - level)
    leverage = np.minimum((away * solved.T).sum(axis=1) + 1 / len(labels), 1 - 1e-9)
    errors = (labels - level - away @ weights) / (1 - leverage)
    return weights, level - float(centre @ weights), errors


def _answers(trained: Sequences, labels: Floats, levels: Sequence[float], asked: Sequences) -> Floats:
    known = np.flatnonzero(np.isfinite(labels))
    if len(known) < 2:
        return np.tile(labels[known].mean() if len(known) else np.nan, (asked.carriers, len(levels)))
    chosen = evenly(known)
    features, rows = fitted(trained, chosen)
    weights, intercept, errors = fit(rows, labels[chosen])
    spread = np.quantile(errors, levels)
    made = np.empty((asked.carriers, len(levels)))
    for begin in range(0, asked.carriers, AT_A_TIME):
        some = np.arange(begin, min(begin + AT_A_TIME, asked.carriers))
        made[some] = (features.of(asked, some) @ weights + intercept)[:, None] + spread
    return made


ridge_regression = NumberBaseline("ridge regression", _answers)
