"""Layer normalisation (Ba, Kiros & Hinton 2016, arXiv:1607.06450)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Array = Any

GAIN, BIAS = "norm_gain", "norm_bias"
SMALLEST_VARIANCE = 1e-5


def norm_shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of its weights."""
    return {GAIN: (hidden,), BIAS: (hidden,)}


def layer_norm(x: Array, weights: Mapping[str, Array]) -> Array:
    """gain * (x - mean) / sqrt(variance + 1e-5) + bias over the last axis of x [..., H]; x itself if there is no gain.

    Mean and variance are over the H units of one step, so no step sees another.
    """
    if GAIN not in weights:
        return x
    away = x - x.mean(axis=-1, keepdims=True)
    variance = (away * away).mean(axis=-1, keepdims=True)
    return weights[GAIN] * (away * (variance + SMALLEST_VARIANCE) ** -0.5) + weights[BIAS]
