"""From rows to the frames that the network sees of a sequence: scaled numbers, flags, categories, a window at a time.

One code for training and prediction, in NumPy float64; float32 in the end. Padding is zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.data.panel import Panel, offsets_of
from rnncli.tasks.labels.spec import FARTHEST, Input, LabelSpec


@dataclass(frozen=True)
class Rows:
    """Rows of n sequences, aligned at the first: values [n, T, channels] of the inputs, of which the first `lengths`
    [n] are real, NaN where one is missing.
    """

    values: Floats
    lengths: Ints


def rows_of(panel: Panel, series: Ints, first_row: Ints, lengths: Ints) -> Rows:
    """Rows first_row[i] ... first_row[i] + lengths[i] - 1 of each series[i]."""
    step = np.arange(int(lengths.max(initial=0)))
    inside = step < lengths[:, None]
    at = np.where(inside, (panel.offsets[series] + first_row)[:, None] + step, 0)
    values = panel.values[:, 1:][at]
    values[~inside] = np.nan
    return Rows(values, lengths)


def rastered(panel: Panel, width: int) -> Panel:
    """The panel with each `width` rows of its one channel as one row of so many channels; a last row that is short is
    filled up with missing values.
    """
    if width == 1:
        return panel
    lengths = -(-panel.lengths // width)
    offsets = offsets_of(lengths)
    row = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    at = np.repeat(offsets[:-1], panel.lengths) + row // width
    values = np.full((int(offsets[-1]), 1 + width), np.nan)
    values[at, 1 + row % width] = panel.values[:, 1]
    values[at, 0] = panel.values[:, 0]
    name = panel.channels[1].name
    inputs = [replace(panel.channels[1], name=f"{name} {place}") for place in range(width)]
    return replace(panel, offsets=offsets, values=values, channels=(panel.channels[0], *inputs))


def numbers_and_codes(rows: Rows, spec: LabelSpec) -> tuple[Floats, Ints]:
    """The inputs of each step: numbers [n, T, width] and, of channels that are embedded, codes [n, T, words], -1 for
    a category that training had not, -2 where there is none.
    """
    shape, real = rows.values.shape[:2], np.arange(rows.values.shape[1]) < rows.lengths[:, None]
    parts, codes = [np.zeros((*shape, 0))], [np.zeros((*shape, 0), np.int64)]
    for place, channel in enumerate(spec.inputs):
        value = rows.values[..., place]
        if channel.embedded:
            codes.append(np.where(np.isnan(value), -2, np.nan_to_num(value)).astype(np.int64)[..., None])
        else:
            parts.append(_seen(value, channel) * real[..., None])
    return np.concatenate(parts, axis=2), np.concatenate(codes, axis=2)


def _seen(value: Floats, channel: Input) -> Floats:
    """A channel [n, T] that is not embedded: [n, T, width]."""
    if channel.categories:
        return np.asarray(value[..., None] == np.arange(channel.categories), np.float64)
    scaled = np.clip(np.nan_to_num((value - channel.center) / channel.scale), -FARTHEST, FARTHEST)
    return np.stack([scaled, np.isnan(value).astype(np.float64)], axis=-1) if channel.gaps else scaled[..., None]


def framed(numbers: Floats, codes: Ints, lengths: Ints, spec: LabelSpec) -> tuple[Inputs, Ints, Ints]:
    """Frames of steps: numbers [n, F, window * width], codes [n, F, window * words], and how many are real [n].

    Frame f is the `window` steps around step `stride` * f; of a window of one step it is that step.
    """
    n, steps = numbers.shape[:2]
    count = -(-steps // spec.stride)
    before = (spec.window - spec.stride) // 2
    at = spec.stride * np.arange(count)[:, None] - before + np.arange(spec.window)
    inside = (at >= 0) & (at < steps)
    at = np.where(inside, at, 0)
    seen = np.where(inside[..., None], numbers[:, at], 0.0).reshape(n, count, spec.window * numbers.shape[2])
    worded = np.where(inside[..., None], codes[:, at], -2)
    worded[np.repeat(at[None], n, 0) >= lengths[:, None, None]] = -2
    return seen.astype(np.float32), worded.reshape(n, count, spec.window * codes.shape[2]), -(-lengths // spec.stride)
