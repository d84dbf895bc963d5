"""Which rows of each history are observed: the bookkeeping that every baseline shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Observed:
    """Histories of a flat panel with the rows [S] of their first and last observed value (-1 and -1 if none).

    `owner` [rows] is the series of every row, `ends` [S] the row after the last of each.
    """

    values: Floats
    owner: Integers
    ends: Integers
    first: Integers
    last: Integers

    def take(self, rows: Integers) -> Floats:
        """Values at `rows` of any shape; NaN at rows below 0."""
        if not len(self.values):
            return np.full(rows.shape, np.nan)
        return np.where(rows >= 0, self.values[np.maximum(rows, 0)], np.nan)

    def steps_since(self, rows: Integers, horizon: int) -> Integers:
        """Steps from `rows` ([S] or [S, horizon]) to each step of the horizon -> [S, horizon]."""
        since = rows[:, None] if rows.ndim == 1 else rows
        return np.asarray(self.ends[:, None] + np.arange(horizon) - since, dtype=np.int64)

    def differences(self, lag: int) -> tuple[Floats, Integers]:
        """y_t - y_{t - lag} of every pair that is observed, and the series of each, in order."""
        moved, owner = self.values[lag:] - self.values[: max(len(self.values) - lag, 0)], self.owner[lag:]
        known = ~np.isnan(moved)
        known &= owner == self.owner[: len(owner)]
        return moved[known], owner[known]

    def neighbours(self) -> tuple[Integers, Integers, Integers]:
        """Rows of every observed value and of the next one in the same history, and the series of each pair."""
        rows = np.flatnonzero(~np.isnan(self.values))
        owner = self.owner[rows]
        same = owner[1:] == owner[:-1]
        return rows[:-1][same], rows[1:][same], owner[1:][same]


def observed(values: Floats, offsets: Integers) -> Observed:
    """Find the first and last observed row of every history: values [rows], offsets [S + 1]."""
    values, offsets = values[offsets[0] : offsets[-1]], offsets - offsets[0]
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    places = np.flatnonzero(~np.isnan(values))
    padded = np.append(places, len(values))
    limits = np.searchsorted(places, offsets)
    before, until = limits[:-1], limits[1:]
    some = until > before
    first = np.where(some, padded[before], -1)
    return Observed(values, owner, offsets[1:], first, np.where(some, padded[until - 1], -1))


def mean_per_series(values: Floats, owner: Integers, series: int) -> Floats:
    """Mean of the `values` that belong to each of `series` series -> [series]; NaN where there are none."""
    total = np.bincount(owner, weights=values, minlength=series)
    count = np.bincount(owner, minlength=series)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
