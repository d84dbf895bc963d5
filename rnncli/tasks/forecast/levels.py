"""Quantiles at other levels than those that were trained, and the mean that they imply."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats
from rnncli.errors import UsageError


def asked_levels(quantiles: tuple[float, ...] | None, trained: tuple[float, ...]) -> tuple[float, ...]:
    """The levels that are asked for, with the median, by default the trained ones. UsageError outside of these."""
    if quantiles is None:
        return trained
    levels = tuple(sorted({*map(float, quantiles), 0.5}))
    outside = [level for level in levels if not trained[0] <= level <= trained[-1]]
    if outside:
        raise UsageError(
            f"quantile {outside[0]} lies outside the trained levels, {trained[0]} to {trained[-1]}",
            hint=f"train again with --quantiles {','.join(map(str, levels))}",
        )
    return levels


def interpolated(quantiles: Floats, trained: tuple[float, ...], wanted: tuple[float, ...]) -> Floats:
    """Quantiles at other levels, linear between neighbours: [..., trained] -> [..., wanted]."""
    if trained == wanted:
        return quantiles
    above = np.clip(np.searchsorted(trained, wanted), 1, max(1, len(trained) - 1))
    if len(trained) == 1:
        return np.repeat(quantiles, len(wanted), axis=-1)
    low, high = np.array(trained)[above - 1], np.array(trained)[above]
    share = (np.array(wanted) - low) / (high - low)
    below, over = quantiles[..., above - 1], quantiles[..., above]
    between = np.where(share == 1, over, below + share * (over - below))
    return np.maximum.accumulate(np.minimum(between, over), axis=-1)


def mean_of(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """The mean of the distribution that is linear between its quantiles [..., q], its tails at the outer ones."""
    edges = np.array([0.0, *levels, 1.0])
    middle = (edges[1:] + edges[:-1]) / 2
    middle[0], middle[-1] = 0.0, 1.0
    return np.asarray((quantiles * np.diff(middle)).sum(axis=-1))
