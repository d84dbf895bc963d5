"""Sequences made a little different, each time that they are learnt from: noise, another scale, another pace."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.tasks.labels.spec import LabelSpec

SCALE = 0.1  # standard deviation of the logarithm of a factor
STRETCH, SHIFT, WAVE = 0.1, 0.1, 0.05  # of the logarithm of the pace; shares of the length
ALONG = 0.15  # shift along channels, as a share of their number
FORGOTTEN = 0.1  # of the categories that are embedded


def augmented(
    numbers: Floats, codes: Ints, lengths: Ints, spec: LabelSpec, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Numbers [n, T, width] and codes [n, T, words] of sequences of these lengths [n] as they are learnt from.

    The pace of a share `warped` of the sequences changes, and a share `shifted` is moved along the channels; numbers of
    a channel are scaled by one factor a sequence, get noise of one size a sequence, and some become the average; some
    categories are taken for ones that training had not.
    """
    if spec.warped:
        numbers, codes = _warped(numbers, codes, lengths, spec, rng)
    numbers = _along_channels(numbers, spec, rng) if spec.shifted else numbers.copy()
    place, blanked = 0, spec.blanked * rng.random((len(numbers), 1))
    noise = spec.noise * rng.random((len(numbers), 1))
    for channel in spec.inputs:
        if not channel.categories:
            own = numbers[..., place]
            own *= np.exp(SCALE * rng.standard_normal((len(numbers), 1)))
            own += noise * rng.standard_normal(own.shape)
            own *= rng.random(own.shape) >= blanked
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
    g = _places(n, steps, lengths, spec.warped, (STRETCH, SHIFT, WAVE), rng)
    row, nearest = np.arange(n)[:, None], np.rint(g).astype(np.int64)
    return np.where(_flat(spec), numbers[row, nearest], _between(numbers, g)), codes[row, nearest]


def _along_channels(numbers: Floats, spec: LabelSpec, rng: np.random.Generator) -> Floats:
    """Numbers [n, T, width], of which all are channels on a line, moved along it and stretched."""
    n, _, width = numbers.shape
    g = _places(n, width, np.full(n, width), spec.shifted, (STRETCH, ALONG, 0.0), rng)
    return np.ascontiguousarray(_between(numbers.swapaxes(1, 2), g).swapaxes(1, 2))


def _places(
    n: int, steps: int, lengths: Ints, share: float, most: tuple[float, float, float], rng: np.random.Generator
) -> Floats:
    """Where each step comes from [n, steps], between 0 and the last real one: g(t), for a share of the sequences."""
    end = (lengths - 1.0)[:, None]
    on = rng.random((n, 1)) < share
    u, d, a = (on * limit * rng.uniform(-1, 1, (n, 1)) for limit in most)
    f, phase = rng.uniform(0.5, 2.0, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    t, c = np.arange(steps)[None, :], end / 2
    g = c + (t - c) * np.exp(u) + d * end + a * end * np.sin(2 * np.pi * f * t / np.maximum(end, 1) + phase)
    return np.asarray(np.clip(g, 0, end))


def _between(x: Floats, g: Floats) -> Floats:
    """x [n, T, width] at the places g [n, T], interpolated."""
    row, low = np.arange(len(x))[:, None], np.floor(g).astype(np.int64)
    share = (g - low)[..., None]
    return np.asarray(x[row, low] * (1 - share) + x[row, np.minimum(low + 1, x.shape[1] - 1)] * share)


def _flat(spec: LabelSpec) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of the numbers of a step are flags or categories: [width]."""
    flags: list[bool] = []
    for channel in spec.inputs:
        flags += [True] * channel.width if channel.categories else [False, True][: channel.width]
    return np.array(flags, np.bool_)
