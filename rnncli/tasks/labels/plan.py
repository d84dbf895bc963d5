"""What labelled sequences say about how to learn from them: scales, frames, sizes, and how long to train."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats
from rnncli.cells.named import layers_of, resolved
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.labels.spec import LAST, POOLINGS, Input, LabelSpec
from rnncli.tasks.plan import Sizes, evaluate_every

CELL, ONLINE_CELL = "bidirectional:gru", "gru"
LAYERS, MEMBERS, DROPOUT = 2, 2, 0.3
FRAMES, TYPICAL = 48, 0.9  # frames of a sequence that is longer than nine in ten
PIECE = 512  # steps of a sequence that are learnt from at a time, where each has a label
WARPED, ALIKE = 0.7, 0.2  # share of sequences, where neighbouring steps are correlated so much
SMOOTHING = 0.05
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ROWS_A_STEP = 64_000  # frames of a batch: what training holds in memory


@dataclass(frozen=True)
class Size:
    """How large a network is and how long it is trained, for up to so many sequences."""

    sequences: float
    hidden: int
    batch: int
    steps: int


SIZES = (Size(1_000, 64, 32, 300), Size(3_000, 128, 64, 500), Size(math.inf, 128, 64, 900))


def label_spec(panel: Panel, options: TrainOptions) -> LabelSpec:
    """The choices that follow from the labelled sequences of a panel, and from what was said."""
    label, per_step = panel.channels[0], bool(options.get("per_step"))
    known = panel.targets[~np.isnan(panel.targets)]
    numbers = label.kind == "number"
    stride, window = (1, 1) if per_step else frame(panel)
    pooling = options.get("pooling")
    online = bool(options.get("online"))
    smoothing = options.get("label_smoothing")
    cell = options.get("cell") or (ONLINE_CELL if online else CELL)
    longest = int(panel.lengths.max())
    return LabelSpec(
        classes=0 if numbers else len(label.vocabulary),
        levels=tuple(options.get("quantiles") or LEVELS) if numbers else (),
        inputs=tuple(_input(channel, panel.values[:, place]) for place, channel in enumerate(panel.channels) if place),
        per_step=per_step,
        online=online,
        poolings=(LAST,) if per_step else POOLINGS if pooling is None else (pooling,),
        both_ways=cell.split(",")[-1].startswith("bidirectional:"),
        stride=stride,
        window=window,
        steps=min(longest, int(options.get("context") or PIECE)) if per_step else longest,
        center=float(known.mean()) if numbers else 0.0,
        scale=_scale(known) if numbers else 1.0,
        smoothing=0.0 if numbers else (SMOOTHING if smoothing is None else smoothing),
        weights=_weights(panel, label) if options.get("class_weights") == "balanced" and not numbers else (),
        warped=0.0 if per_step or alike(panel) < ALIKE else WARPED,
    )


def frame(panel: Panel) -> tuple[int, int]:
    """Steps from one frame to the next, and steps of a frame: so many that a long sequence has about 48 of them, which
    overlap by half.
    """
    stride = max(1, math.ceil(float(np.quantile(panel.lengths, TYPICAL)) / FRAMES))
    return (1, 1) if stride == 1 else (stride, 2 * stride)


def _input(channel: Channel, values: Floats) -> Input:
    """The channel with what centres and scales it, over all rows."""
    if channel.kind == "category":
        return Input(channel.name, max(1, len(channel.vocabulary)))
    seen = values[~np.isnan(values)]
    center = float(seen.mean()) if seen.size else 0.0
    return Input(channel.name, 0, center, _scale(seen), gaps=bool(seen.size < values.size))


def _scale(seen: Floats) -> float:
    scale = float(seen.std()) if seen.size else 0.0
    return scale if 0 < scale < math.inf else 1.0


def _weights(panel: Panel, label: Channel) -> tuple[float, ...]:
    """Weights with which every class counts the same in all, 1 on average."""
    codes = panel.targets[panel.offsets[:-1]]
    counts = np.bincount(codes[~np.isnan(codes)].astype(np.int64), minlength=len(label.vocabulary))
    return tuple((counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))).tolist())


def alike(panel: Panel) -> float:
    """How much a step is like the one before: the correlation of neighbours around the mean of their channel, averaged
    over channels of numbers; 0 where there are none.
    """
    found = []
    inside = np.ones(len(panel.values), np.bool_)
    inside[panel.offsets[:-1]] = False
    after = np.flatnonzero(inside)
    for place, channel in enumerate(panel.channels):
        if place and channel.kind == "number" and after.size:
            values = panel.values[:, place]
            away = np.nan_to_num(values - np.nanmean(values)) if not np.isnan(values).all() else np.zeros(len(values))
            one, other = away[after], away[after - 1]
            power = (one @ one + other @ other) / 2
            found.append(float(one @ other / power) if power > 0 else 0.0)
    return float(np.mean(found)) if found else 0.0


def size_of(panel: Panel, spec: LabelSpec) -> Size:
    """The size for as many labels as there are: sequences, or pieces of them whose steps have labels."""
    count = len(panel) if not spec.per_step else int(np.ceil(panel.lengths / spec.steps).sum())
    return next(size for size in SIZES if count < size.sequences)


def network_spec(panel: Panel, spec: LabelSpec, sizes: Sizes) -> NetworkSpec:
    """Two bidirectional layers, or causal ones where a label must not wait for what comes later."""
    cell = sizes.cell or (ONLINE_CELL if spec.online else CELL)
    layers = sizes.layers or layers_of(cell) or LAYERS
    return NetworkSpec(
        cell=resolved(cell, layers, ()),
        activation=sizes.activation,
        layers=layers,
        hidden=sizes.hidden or size_of(panel, spec).hidden,
        dropout=DROPOUT if sizes.dropout is None else sizes.dropout,
        residual=not sizes.plain_stack,
        init=sizes.init or "orthogonal",
        inputs=spec.width,
        decoder=1,
        known=0,
        members=sizes.members or MEMBERS,
        layer_norm=sizes.layer_norm,
    )


def training_spec(panel: Panel, spec: LabelSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, batch and rates; the steps are those of the search on held-out sequences."""
    size = size_of(panel, spec)
    steps = sizes.steps or size.steps
    rows = -(-int(np.quantile(panel.lengths, TYPICAL)) // spec.stride) if not spec.per_step else spec.steps
    return TrainingSpec(
        steps=steps,
        batch=sizes.batch or max(1, min(size.batch, ROWS_A_STEP // max(1, min(rows, sizes.tbptt or rows)))),
        learning_rate=sizes.learning_rate or 4e-3,
        weight_decay=0.01,
        clip=sizes.clip or 1.0,
        seed=sizes.seed,
        averaging=0.99,
        evaluate_every=evaluate_every(steps),
        time_budget=sizes.time_budget,
        tbptt=sizes.tbptt,
        clip_value=sizes.clip_value,
    )
