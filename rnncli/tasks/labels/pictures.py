"""From clips of frames to what the network sees: patches at each pixel of its grid, some frames side by side."""

from __future__ import annotations

from math import prod

import numpy as np

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.data.panel import Panel
from rnncli.tasks.labels.augment import SCALE
from rnncli.tasks.labels.spec import LabelSpec, Pictures
from rnncli.tasks.tiles import tiled

CHANNEL = 1  # of a panel; 0 is the label
ALONG = 1 / 16  # of a side: how far a clip is moved where it is learnt from
SUMMARY = 4  # pixels, on a side, of the grid that a frame is summed up on


def pictured(
    panel: Panel,
    spec: LabelSpec,
    series: Ints,
    first_row: Ints,
    lengths: Ints,
    rng: np.random.Generator | None = None,
) -> tuple[Inputs, Ints]:
    """Frames first_row[i] ... first_row[i] + lengths[i] - 1 of each series[i], augmented where there is an `rng`:
    windows of patches [n, F, rows, columns, width] (of a network without a grid [n, F, width]), and how many are real
    [n]. Padding is zeros.
    """
    assert spec.pictures is not None
    steps = int(lengths.max(initial=0))
    frames = panel.frames(series, first_row, steps, CHANNEL)
    z = (frames - np.float32(spec.pictures.center)) / np.float32(spec.pictures.scale)
    missing = np.isnan(z)
    z = np.arcsinh(np.where(missing, 0, z))
    if rng is not None:
        z, missing = _augmented(z, missing, spec, rng)
    real = np.arange(steps) < lengths[:, None]
    seen = _patches(z, missing, spec.pictures) * real[..., None, None, None]
    return _windows(seen, spec), -(-lengths // spec.stride)


def _patches(z: Inputs, missing: Inputs, pictures: Pictures) -> Inputs:
    """Frames as patches, with flags of missing pixels where there can be some, and one of missing frames."""
    grid, patch = pictures.grid, pictures.patch
    none = missing.reshape(*z.shape[:2], -1).min(axis=2)[:, :, None, None, None]
    parts = [tiled(z, grid, patch)]
    parts += [tiled(missing.astype(np.float32), grid, patch)] if pictures.gaps else []
    parts.append(np.broadcast_to(none, (*z.shape[:2], *grid, 1)).astype(np.float32))
    return np.concatenate(parts, axis=-1)


def _windows(seen: Inputs, spec: LabelSpec) -> Inputs:
    """Each `stride` steps the `window` ones around it, side by side; zeros beyond the first and the last step."""
    steps, count = seen.shape[1], -(-seen.shape[1] // spec.stride)
    before = (spec.window - spec.stride) // 2
    at = spec.stride * np.arange(count)[:, None] - before + np.arange(spec.window)
    inside = (at >= 0) & (at < steps)
    parts = [
        np.where(inside[:, place, None, None, None], seen[:, np.where(inside[:, place], at[:, place], 0)], 0)
        for place in range(spec.window)
    ]
    joined = np.concatenate(parts, axis=-1)
    flat = spec.pictures is not None and spec.pictures.flat
    return joined.reshape(*joined.shape[:2], -1) if flat else joined


def _augmented(z: Inputs, missing: Inputs, spec: LabelSpec, rng: np.random.Generator) -> tuple[Inputs, Inputs]:
    """Values with another contrast and with noise, of one size each in a clip, and a share `shifted` of clips moved a
    little, as far as their edges are repeated.
    """
    factor = np.exp(SCALE * rng.standard_normal((len(z), 1, 1, 1, 1)))
    noise = spec.noise * rng.random((len(z), 1, 1, 1, 1))
    found = (z * factor + noise * rng.standard_normal(z.shape)).astype(np.float32)
    found[missing] = 0
    missing = missing.copy()
    for clip in np.flatnonzero(rng.random(len(z)) < spec.shifted).tolist():
        places = [_moved(size, rng) for size in z.shape[2:4]]
        rows, columns = np.ix_(*places)
        found[clip], missing[clip] = found[clip][:, rows, columns], missing[clip][:, rows, columns]
    return found, missing


def _moved(size: int, rng: np.random.Generator) -> Ints:
    most = round(ALONG * size)
    return np.asarray(np.clip(np.arange(size) + rng.integers(-most, most + 1), 0, size - 1))


def values_of(panel: Panel, most: int = 256) -> Inputs:
    """So many of the frames, spread evenly: [n, height, width, channels]."""
    rows = panel.values[:, CHANNEL]
    rows = rows[~np.isnan(rows)]
    some = np.unique(np.linspace(0, max(len(rows) - 1, 0), min(len(rows), most)).astype(np.int64))
    return panel.blocks[panel.channels[CHANNEL].name].gather(rows[some])


def summed_up(panel: Panel) -> Floats:
    """Each frame in few numbers, for what is simpler than a network: means over the parts of a grid of 4 x 4 at most,
    the deviation and the largest value of each channel of its pixels; NaN where nothing is known: [rows, numbers].
    """
    block = panel.blocks[panel.channels[CHANNEL].name]
    rows = panel.values[:, CHANNEL]
    parts = [_summary(frames) for frames in block.pieces(rows)]
    return np.concatenate([np.zeros((0, summaries(block.shape))), *parts])


def summaries(shape: tuple[int, ...]) -> int:
    """How many numbers a frame of this shape is summed up in."""
    return (prod(min(SUMMARY, side) for side in shape[:2]) + 2) * shape[2]


def _summary(frames: Inputs) -> Floats:
    known = ~np.isnan(frames)
    values, count = np.where(known, frames, 0).astype(np.float64), known.astype(np.float64)
    means = _over_parts(values) / np.maximum(_over_parts(count), 1)
    means = np.where(_over_parts(count) > 0, means, np.nan).reshape(len(frames), -1)
    every, total = values.sum(axis=(1, 2)), count.sum(axis=(1, 2))
    mean = every / np.maximum(total, 1)
    away = np.where(known, values - mean[:, None, None], 0)
    deviation = np.sqrt((away * away).sum(axis=(1, 2)) / np.maximum(total, 1))
    largest = np.where(known, values, -np.inf).max(axis=(1, 2))
    there = total > 0
    return np.concatenate([means, np.where(there, deviation, np.nan), np.where(there, largest, np.nan)], axis=1)


def _over_parts(values: Floats) -> Floats:
    """Sums over the parts of a coarse grid: [n, height, width, channels] -> [n, rows, columns, channels]."""
    for axis in (1, 2):
        size = values.shape[axis]
        begins = np.arange(min(SUMMARY, size)) * size // min(SUMMARY, size)
        values = np.add.reduceat(values, begins, axis=axis)
    return values
