"""Sequences made a little different, each time that they are learnt from: noise, another scale, another pace."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.tasks.labels.spec import LabelSpec

NOISE, SCALE = 0.3, 0.1  # standard deviations of numbers that are scaled, and of the logarithm of a factor
STRETCH, SHIFT, WAVE = 0.1, 0.1, 0.05  # of the logarithm of the pace; shares of the length
FORGOTTEN = 0.1  # of the categories that are embedded


def augmented(
    numbers: Floats, codes: Ints, lengths: Ints, spec: LabelSpec, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Numbers [n, T, width] and codes [n, T, words] of sequences of these lengths [n] as they are learnt from.

    The pace of a share `warped` of the sequences changes; numbers of a channel are scaled by one factor a sequence, and
    get noise of one size a sequence; some categories are taken for ones that training had not.
    """
    if spec.warped:
        numbers, codes = _warped(numbers, codes, lengths, spec, rng)
    place = 0
    numbers = numbers.copy()
    noise = NOISE * rng.random((len(numbers), 1))
    for channel in spec.inputs:
        if not channel.categories:
            own = numbers[..., place]
            own *= np.exp(SCALE * rng.standard_normal((len(numbers), 1)))
            own += noise * rng.standard_normal(own.shape)
        place += channel.width
    forgotten = (rng.random(codes.shape) < FORGOTTEN) & (codes >= 0)
    real = np.arange(numbers.shape[1]) < lengths[:, None]
    return numbers * real[..., None], np.where(forgotten, -1, codes)


def _warped(
    numbers: Floats, codes: Ints, lengths: Ints, spec: LabelSpec, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """x(g(t)) with g(t) = c + (t - c) e^u + d + a sin(2 pi f t / T + phase), c the middle: numbers between steps are
    interpolated, flags and categories are those of the nearest one.
    """
    n, steps = numbers.shape[:2]
    end = (lengths - 1.0)[:, None]
    on = rng.random((n, 1)) < spec.warped
    u, d, a = (on * most * rng.uniform(-1, 1, (n, 1)) for most in (STRETCH, SHIFT, WAVE))
    f, phase = rng.uniform(0.5, 2.0, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    t, c = np.arange(steps)[None, :], end / 2
    g = c + (t - c) * np.exp(u) + d * end + a * end * np.sin(2 * np.pi * f * t / np.maximum(end, 1) + phase)
    g = np.clip(g, 0, end)
    row, low = np.arange(n)[:, None], np.floor(g).astype(np.int64)
    high, nearest = np.minimum(low + 1, end.astype(np.int64)), np.rint(g).astype(np.int64)
    share = (g - low)[..., None]
    between = numbers[row, low] * (1 - share) + numbers[row, high] * share
    return np.where(_flat(spec), numbers[row, nearest], between), codes[row, nearest]


def _flat(spec: LabelSpec) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the numbers of a step are flags or categories: [width]."""
    flags: list[bool] = []
    for channel in spec.inputs:
        flags += [True] * channel.width if channel.categories else [False, True][: channel.width]
    return np.array(flags, np.bool_)
