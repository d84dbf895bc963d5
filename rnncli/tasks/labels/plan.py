"""What labelled sequences say about how to learn from them: scales, frames, sizes, and how long to train."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.cells.named import layers_of, refuse_convolution, refuse_gaps, resolved
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.labels import picture_plan
from rnncli.tasks.labels.frames import rastered
from rnncli.tasks.labels.picture_plan import seen_as
from rnncli.tasks.labels.spec import LAST, POOLINGS, Input, LabelSpec
from rnncli.tasks.plan import Refit, Sizes

CELL, ONLINE_CELL = "bidirectional:gru", "gru"
LAYERS, MEMBERS, SHORT = 2, 4, 24  # frames of sequences that are short
LONGER = 5  # thirds of the training steps of others that short ones get
LONGEST_UNFOLDED, FRAMES, TYPICAL = 48, 48, 0.9  # steps and frames of a sequence that is longer than nine in ten
SMALLEST_WINDOW = 3  # steps
MOST_LAGS = 256
PIECE = 512  # steps of a sequence that are learnt from at a time, where each has a label
WARPED, ALIKE = 0.7, 0.4  # share of sequences, where neighbouring steps are correlated so much
LINE, NEIGHBOURS, APART = 8, 0.2, 0.2  # channels; correlation of neighbours; and how much more than that of others
ROW, SHORTEST, PERIOD, PEAK = 4, 32, 0.3, 0.05  # of an image: see `raster`
SMOOTHING = 0.05
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ROWS_A_STEP = 64_000  # frames of a batch: what training holds in memory


@dataclass(frozen=True)
class Size:
    """How large a network is and how long it is trained, for up to so many sequences; how much noise they get and how
    much of them is blanked; and whether training with everything begins `afresh`, which few can afford to do without.
    """

    sequences: float
    hidden: int
    batch: int
    steps: int
    dropout: float
    noise: float
    blanked: float
    afresh: bool


SIZES = (
    Size(1_000, 64, 32, 300, 0.3, 0.3, 0.1, afresh=True),
    Size(3_000, 128, 64, 600, 0.3, 0.3, 0.1, afresh=True),
    Size(math.inf, 128, 64, 1_000, 0.2, 0.1, 0.0, afresh=False),
)


def label_spec(panel: Panel, options: TrainOptions) -> LabelSpec:
    """The choices that follow from the labelled sequences of a panel, and from what was said."""
    label, per_step = panel.channels[0], bool(options.get("per_step"))
    known = panel.targets[~np.isnan(panel.targets)]
    numbers = label.kind == "number"
    width = 1 if per_step or panel.blocks else raster(panel)
    panel = rastered(panel, width)
    stride, window = (1, 1) if per_step else frame(panel)
    pooling = options.get("pooling")
    online = bool(options.get("online"))
    smoothing = options.get("label_smoothing")
    cell = options.get("cell") or usual_cell(panel, online=online)
    longest = int(panel.lengths.max())
    piece = min(longest, int(options.get("context") or PIECE))
    size = _size(panel, piece if per_step else None)
    return LabelSpec(
        classes=0 if numbers else len(label.vocabulary),
        levels=tuple(sorted({*(options.get("quantiles") or LEVELS), 0.5})) if numbers else (),
        per_step=per_step,
        online=online,
        poolings=(LAST,) if per_step else POOLINGS if pooling is None else (pooling,),
        both_ways=cell.split(",")[-1].startswith("bidirectional:"),
        stride=stride,
        window=window,
        steps=piece if per_step else longest,
        center=float(known.mean()) if numbers else 0.0,
        scale=_scale(known) if numbers else 1.0,
        smoothing=0.0 if numbers else (SMOOTHING if smoothing is None else smoothing),
        weights=_weights(panel, label) if options.get("class_weights") == "balanced" and not numbers else (),
        raster=width,
        **(seen_as(panel, cell, numbers=numbers) if panel.blocks else _seen_as(panel, size, per_step=per_step)),
    )


def _seen_as(panel: Panel, size: Size, *, per_step: bool) -> dict[str, Any]:
    """The part of a LabelSpec that says which channels are seen, and how they are changed as they are learnt from."""
    return {
        "inputs": tuple(
            _input(channel, panel.values[:, place]) for place, channel in enumerate(panel.channels) if place
        ),
        "warped": 0.0 if per_step or alike(panel) < ALIKE else WARPED,
        "shifted": WARPED if on_a_line(panel) else 0.0,
        "noise": size.noise,
        "blanked": size.blanked,
    }


def usual_cell(panel: Panel, *, online: bool) -> str:
    """The cell of a network where none is said: of frames, one that sees the pixels around each one."""
    if panel.blocks:
        return picture_plan.ONLINE_CELL if online else picture_plan.CELL
    return ONLINE_CELL if online else CELL


def frame(panel: Panel) -> tuple[int, int]:
    """Steps from one frame to the next, and steps of a frame: a long sequence of T steps has as many frames as 48 or
    3 sqrt(T), the fewer, which overlap by half.
    """
    typical = float(np.quantile(panel.lengths, TYPICAL))
    if typical <= LONGEST_UNFOLDED:
        return 1, SMALLEST_WINDOW
    stride = math.ceil(typical / min(FRAMES, 3 * math.sqrt(typical)))
    return stride, max(SMALLEST_WINDOW, 2 * stride)


def raster(panel: Panel) -> int:
    """Values in a row of the image that sequences were read off, 1 if they were not: they have one channel and one
    length, of which that is a part, and a value is like the one below it, more than like those beside that.
    """
    steps = int(panel.lengths[0])
    one_length = bool((panel.lengths == steps).all())
    if len(panel.channels) != 2 or panel.channels[1].kind != "number" or steps < SHORTEST or not one_length:
        return 1
    r = _lags(panel, steps)
    fits = [
        width
        for width in range(ROW, min(steps // ROW, len(r) - 3) + 1)
        if steps % width == 0
        and r[width] >= PERIOD
        and r[width] > max(r[width - 1], r[width + 1]) + PEAK
        and r[width] > r[width // 2] + APART
    ]
    return max(fits, key=r.__getitem__, default=1)


def _lags(panel: Panel, steps: int) -> list[float]:
    """Correlation of values so many steps apart, around the mean of their step, of sequences of one length: [lags]."""
    row = np.arange(len(panel.values)) % steps
    away = np.nan_to_num(_around_steps(panel.values[:, 1], row)).reshape(-1, steps)
    power = max(float((away**2).mean()), 1e-300)
    lags = range(1, min(steps // 2, MOST_LAGS) + 1)
    return [1.0, *(float((away[:, lag:] * away[:, :-lag]).mean() / power) for lag in lags)]


def on_a_line(panel: Panel) -> bool:
    """Whether channels are places on a line, as the pixels of a row: numbers, of which neighbours are correlated, and
    others are less.
    """
    inputs = panel.channels[1:]
    values = panel.values[:, 1:]
    if len(inputs) < LINE or any(channel.kind != "number" for channel in inputs) or np.isnan(values).any():
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation: Floats = np.nan_to_num(np.asarray(np.corrcoef(values.T), np.float64))
    one, other = np.triu_indices(len(inputs), 2)
    beside = float(correlation.diagonal(1).mean())
    return beside >= max(NEIGHBOURS, float(correlation[one, other].mean()) + APART)


def _input(channel: Channel, values: Floats) -> Input:
    """The channel with what centres and scales it, over all rows."""
    if channel.kind == "category":
        return Input(channel.name, max(1, len(channel.vocabulary)))
    seen = values[~np.isnan(values)]
    center = float(seen.mean()) if seen.size else 0.0
    return Input(channel.name, 0, center, _scale(seen), gaps=bool(seen.size < values.size))


def _scale(seen: Floats) -> float:
    """The standard deviation of values of any size; 1 where they are all the same."""
    away = seen - seen.mean() if seen.size else np.zeros(1)
    most = float(np.abs(away).max())
    scale = most * float((away / most).std()) if 0 < most < math.inf else 0.0
    return scale if scale > 0 else 1.0


def _weights(panel: Panel, label: Channel) -> tuple[float, ...]:
    """Weights with which every class counts the same in all, 1 on average."""
    codes = panel.targets[panel.offsets[:-1]]
    counts = np.bincount(codes[~np.isnan(codes)].astype(np.int64), minlength=len(label.vocabulary))
    return tuple((counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))).tolist())


def alike(panel: Panel) -> float:
    """The likeness of a step and the one before: the correlation of neighbours around the mean of their step over all
    sequences, averaged over channels of numbers; 0 where there are none.
    """
    row = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    after = np.flatnonzero(row > 0)
    found = []
    for place, channel in enumerate(panel.channels):
        if place and channel.kind == "number" and after.size:
            away = _around_steps(panel.values[:, place], row)
            one, other = away[after], away[after - 1]
            both = ~np.isnan(one) & ~np.isnan(other)
            power = (one[both] @ one[both] + other[both] @ other[both]) / 2
            found.append(float(one[both] @ other[both] / power) if power > 0 else 0.0)
    return float(np.mean(found)) if found else 0.0


def _around_steps(values: Floats, row: Ints) -> Floats:
    """Values less the mean of all that are the same row of their sequence."""
    seen = ~np.isnan(values)
    count = np.bincount(row[seen], minlength=int(row.max()) + 1)
    mean = np.bincount(row[seen], values[seen], len(count)) / np.maximum(count, 1)
    return np.asarray(values - mean[row])


def size_of(panel: Panel, spec: LabelSpec) -> Size:
    """The size for as many labels as there are: sequences, or pieces of them whose steps have labels."""
    return _size(panel, spec.steps if spec.per_step else None)


def _size(panel: Panel, piece: int | None) -> Size:
    count = len(panel) if piece is None else int(np.ceil(panel.lengths / piece).sum())
    return next(size for size in SIZES if count < size.sequences)


def _members(panel: Panel, spec: LabelSpec) -> int:
    """Four networks where sequences are few, or short; else two, one for each of two cores; one that sees frames."""
    if spec.pictures is not None:
        return 1
    return MEMBERS if size_of(panel, spec) == SIZES[0] or _short(panel, spec) else 2


def _steps(panel: Panel, spec: LabelSpec) -> int:
    """Training steps: more where they cost little, as sequences are short, and are not learnt by heart."""
    steps = size_of(panel, spec).steps
    return LONGER * steps // 3 if _short(panel, spec) else steps


def _short(panel: Panel, spec: LabelSpec) -> bool:
    """Whether sequences are short, and neither few nor very many."""
    return size_of(panel, spec) == SIZES[1] and spec.steps <= SHORT * spec.stride


def refit_of(panel: Panel, spec: LabelSpec) -> Refit:
    """How training goes on with everything: afresh where sequences are few, but for words, which are learnt by heart
    before long.
    """
    return Refit(1.0, 1.0, afresh=True) if size_of(panel, spec).afresh and not spec.words else Refit()


def network_spec(panel: Panel, spec: LabelSpec, sizes: Sizes) -> NetworkSpec:
    """Two bidirectional layers, or causal ones where a label must not wait for what comes later."""
    cell = sizes.cell or usual_cell(panel, online=spec.online)
    refuse_gaps(cell)
    if spec.pictures is None:
        refuse_convolution(cell)
    layers = sizes.layers or layers_of(cell) or LAYERS
    return NetworkSpec(
        cell=resolved(cell, layers, ()),
        activation=sizes.activation,
        layers=layers,
        hidden=sizes.hidden or _units(panel, spec),
        dropout=size_of(panel, spec).dropout if sizes.dropout is None else sizes.dropout,
        recurrent_dropout=sizes.recurrent_dropout or 0.0,
        residual=not sizes.plain_stack,
        init=sizes.init or "orthogonal",
        inputs=spec.width,
        members=sizes.members or _members(panel, spec),
        layer_norm=sizes.layer_norm,
    )


def _units(panel: Panel, spec: LabelSpec) -> int:
    if spec.pictures is None:
        return size_of(panel, spec).hidden
    return picture_plan.size_of(spec.pictures.shape).hidden if spec.on_grid else picture_plan.FLAT_UNITS


def training_spec(panel: Panel, spec: LabelSpec, network: NetworkSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, batch and rates; the steps are those of the search on held-out sequences."""
    size = size_of(panel, spec)
    frames = -(-int(np.quantile(panel.lengths, TYPICAL)) // (spec.stride * spec.raster))
    rows = spec.steps if spec.per_step else frames
    batch = max(1, min(size.batch, ROWS_A_STEP // max(1, min(rows, sizes.tbptt or rows))))
    steps = _steps(panel, spec)
    if spec.pictures is not None:
        batch = min(batch, picture_plan.batch_of(spec))
        steps = picture_plan.steps_of(spec, network, size.steps, sizes.batch or batch)
    return sizes.training(
        steps=steps,
        batch=batch,
        rate=4e-3,
        tbptt=sizes.tbptt,
    )
