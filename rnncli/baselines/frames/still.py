"""Baselines that know no motion: the last frame, the mean frame, and what goes on as it went."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Inputs
from rnncli.baselines.frames.baseline import FrameBaseline, filled, repeated


def _last(past: Inputs, horizon: int, mean: Inputs | None) -> Inputs:
    del mean
    return repeated(filled(past)[:, -1], horizon)


def _mean(past: Inputs, horizon: int, mean: Inputs | None) -> Inputs | None:
    return None if mean is None else repeated(np.broadcast_to(mean, (len(past), *mean.shape)), horizon)


def _line(past: Inputs, horizon: int, mean: Inputs | None) -> Inputs:
    """Each pixel goes on as from the last frame but one to the last, within what the past frames hold."""
    del mean
    seen = filled(past)
    last = seen[:, -1]
    step = last - seen[:, -2] if seen.shape[1] > 1 else np.zeros_like(last)
    ahead = np.arange(1, horizon + 1, dtype=np.float32)[:, None, None, None]
    low, high = _range(seen)
    return np.clip(last[:, None] + ahead * step[:, None], low, high)


def _range(seen: Inputs) -> tuple[Inputs, Inputs]:
    """The smallest and the largest value of each past: [n, 1, 1, 1, 1]."""
    axes = tuple(range(1, seen.ndim))
    missing = np.isnan(seen)
    low = np.where(missing, np.float32(np.inf), seen).min(axis=axes, keepdims=True)
    high = np.where(missing, np.float32(-np.inf), seen).max(axis=axes, keepdims=True)
    return low, high


last_frame = FrameBaseline("last-frame", _last)
mean_frame = FrameBaseline("mean-frame", _mean)
linear_extrapolation = FrameBaseline("linear-extrapolation", _line)
