"""Advection by the mean shift: the last frame moves on as the frames before it moved (phase correlation: Kuglin & Hines
1975, "The phase correlation image alignment method").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Inputs
from rnncli.baselines.frames.baseline import FrameBaseline, filled, repeated

Frames = NDArray[np.floating]
Shift = tuple[float, float]
PAIRS = 3  # of frames, the last ones, from which the shift is found
_STEPS, _FINEST = 32, 1 / 4  # of the way to the nearest shift, the latter in pixels
_TINY = 1e-9  # of the largest power, below which a frequency says nothing


def _advected(past: Inputs, horizon: int, mean: Inputs | None) -> Inputs:
    del mean
    seen = filled(past)
    found = repeated(seen[:, -1], horizon)
    if seen.shape[1] < 2:
        return found
    for place, frames in enumerate(np.nan_to_num(seen)):
        shift = mean_shift(frames)
        if any(shift):
            for step in range(horizon):
                moved = shifted(frames[-1], (step + 1) * shift[0], (step + 1) * shift[1])
                found[place, step] = np.where(np.isnan(found[place, step]), np.nan, moved)
    return found


def mean_shift(frames: Frames) -> Shift:
    """By how many rows and columns frames [T, height, width, channels] move from one to the next, the last ones.

    The peak of the phase correlation, and what from there moves each frame nearest to the one after it; (0, 0) where
    nothing is nearer than what stands still.
    """
    pairs = frames[-PAIRS - 1 :].astype(np.float32)
    start = peak(np.sum([_correlation(one, other) for one, other in pairwise(pairs)], axis=0))
    error_of = cache(lambda shift: _error(pairs, shift))
    shift = _descended(error_of, min((0.0, 0.0), start, key=error_of))
    return shift if error_of(shift) < error_of((0.0, 0.0)) else (0.0, 0.0)


def _descended(error_of: Callable[[Shift], float], shift: Shift) -> Shift:
    """Where steps of a pixel, and of ever smaller parts of one, lead to the least error."""
    step = 1.0
    for _ in range(_STEPS):
        (down, right), sides = shift, (step, -step)
        around = [*((down + by, right) for by in sides), *((down, right + by) for by in sides)]
        nearest = min(around, key=error_of)
        if error_of(nearest) < error_of(shift):
            shift = nearest
        elif step > _FINEST:
            step /= 2
        else:
            break
    return shift


def _error(frames: Frames, shift: Shift) -> float:
    """The mean squared difference of frames from those before them, moved."""
    return float(((frames[1:] - shifted(frames[:-1], *shift)) ** 2).mean())


def _correlation(one: Frames, other: Frames) -> Floats:
    """The inverse transform of the phases of the cross power spectrum of two frames [height, width, channels], their
    borders faded: its peak is where the second lies from the first.
    """
    height, width = one.shape[:2]
    fade = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[None, 1:-1]
    first, second = (
        np.fft.fft2((frame - frame.mean(axis=(0, 1))) * fade[..., None], axes=(0, 1)) for frame in (one, other)
    )
    cross = (second * first.conj()).sum(axis=2)
    power = np.abs(cross)
    phases = np.where(power > _TINY * power.max(initial=0.0), cross / np.maximum(power, 1e-300), 0.0)
    return np.asarray(np.fft.ifft2(phases).real)


def peak(correlation: Floats) -> Shift:
    """Where a cyclic correlation [height, width] is highest, as a shift down and to the right."""
    place = np.unravel_index(int(correlation.argmax()), correlation.shape)
    down, right = (
        float(at if at <= size // 2 else at - size) for at, size in zip(place, correlation.shape, strict=True)
    )
    return down, right


def shifted(frames: Frames, down: float, right: float) -> Frames:
    """Frames [..., height, width, channels] moved, between pixels by linear interpolation; what comes in from outside
    is as the border.
    """
    for axis, by in ((-3, down), (-2, right)):
        size = frames.shape[axis]
        at = np.clip(np.arange(size) - by, 0, size - 1)
        low = np.floor(at).astype(np.int64)
        part = (at - low).astype(frames.dtype).reshape(-1, *[1] * (-axis - 1))
        lower, upper = (np.take(frames, place, axis) for place in (low, np.minimum(low + 1, size - 1)))
        frames = lower + (upper - lower) * part
    return frames


advection = FrameBaseline("advection", _advected)
