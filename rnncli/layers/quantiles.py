"""Quantiles as a formula over NumPy or torch: a fan of levels that cannot cross, and the loss that teaches them."""

from __future__ import annotations

from typing import Any

from rnncli.arrays import Array


def fan(m: Array, gaps: Array, median: int, xp: Any) -> Array:
    """The median [..., 1] and the gaps between neighbouring levels [..., q - 1] -> quantiles [..., q], ascending."""
    below = -xp.cumsum(xp.flip(gaps[..., :median], (-1,)), -1)
    above = xp.cumsum(gaps[..., median:], -1)
    return m + xp.concatenate([xp.flip(below, (-1,)), xp.zeros_like(m), above], axis=-1)


def pinball(predicted: Array, actual: Array, levels: tuple[float, ...], xp: Any) -> Array:
    """Mean over levels of max(l e, (l - 1) e), e = actual - predicted, times 2 (Koenker & Bassett 1978); at the median
    it is the absolute error. predicted [..., q], actual [...] -> [...], 0 where the latter is NaN.
    """
    level = xp.asarray(levels, dtype=predicted.dtype, device=predicted.device)
    seen = ~xp.isnan(actual)
    error = xp.where(seen, actual, xp.zeros_like(actual))[..., None] - predicted
    return 2 * xp.maximum(level * error, (level - 1) * error).mean(axis=-1) * seen
