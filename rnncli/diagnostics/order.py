"""Whether the order of the rows says anything: the autocorrelation beside that of the rows shuffled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.diagnostics.resampling import Floats

SHUFFLES, BEYOND = 60, 4.0
LATEST = 500  # rows of a series
LAGS = (1, 2, 3)
FEWEST = 200  # rows in all, below which chance decides


@dataclass(frozen=True)
class Order:
    """The root mean square of the autocorrelations of all series, of their values and their ranks, at lags 1, 2, 3 and
    those that matter, and the same with the rows `shuffled` [shuffles].
    """

    found: float
    shuffled: Floats

    @property
    def limit(self) -> float:
        """Four standard deviations above the mean of the shuffles, which chance does not exceed."""
        return float(self.shuffled.mean() + BEYOND * self.shuffled.std())


def order(series: Iterable[Floats], lags: Sequence[int], shuffles: int = SHUFFLES) -> Order | None:
    """The order of series; None where there are too few rows to tell."""
    latest = [rows[np.isfinite(rows)][-LATEST:] for rows in series]
    both = [np.stack([rows, _ranks(rows)]) for rows in latest if len(rows) > max(LAGS) + 1 and rows.std() > 0]
    if sum(rows.shape[1] for rows in both) < FEWEST:
        return None
    rng, every = np.random.default_rng(0), sorted({*LAGS, *(lag for lag in lags if lag > 1)})
    made = [_size([rows[:, rng.permutation(rows.shape[1])] for rows in both], every) for _ in range(shuffles)]
    return Order(_size(both, every), np.array(made))


def _ranks(rows: Floats) -> Floats:
    """Ranks, those of equal values their mean."""
    _, place, counts = np.unique(rows, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], dtype=np.float64)


def _size(both: Sequence[Floats], lags: Sequence[int]) -> float:
    found = [_correlations(rows, lag) for rows in both for lag in lags if lag < rows.shape[1] // 2]
    return float(np.sqrt(np.mean(np.square(found)))) if found else 0.0


def _correlations(rows: Floats, lag: int) -> Floats:
    """The correlation of each of some rows [k, n] with itself `lag` steps later: [k]."""
    away = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray((away[:, lag:] * away[:, :-lag]).sum(axis=1) / np.square(away).sum(axis=1))
