"""What frames say about how to learn from them: what is said of a pixel, how large the network is, and how long it is
trained.

The network sees patches, so that its grid has few pixels, and on larger grids it is U-shaped: coarser in the middle,
and as fine at its end as at its beginning, with what passed there before added. Both follow from the grid, the steps
from how many sequences there are and what one costs, by the tables below; never from how fast this machine is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.cells.name import CellName, parsed, parsed_list
from rnncli.cells.named import cells_of, convolves, kernel_of, layers_of, refuse_gaps, resolved
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, UsageError
from rnncli.layers.encoder import multiplications
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.frames.expected import moves
from rnncli.tasks.frames.maps import maps_of
from rnncli.tasks.frames.spec import BERNOULLI, LOSSES, QUANTILES, SQUARED, FrameSpec
from rnncli.tasks.frames.validation import MANY
from rnncli.tasks.plan import Refit, Sizes

CELL = "conv:3:lstm"
HORIZON, CONTEXT = 10, 10  # frames
LOOKED_AT = 256  # frames that say what values are like
EDGE, TWO_VALUED, LIT = 0.1, 0.9, 0.005  # of the range, and of the pixels that are there if values are shares
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
BATCH, PIXELS_A_STEP = 8, 1 << 24  # sequences of a batch, and numbers of their frames at most
FEWEST_STEPS, MOST_STEPS, ROUNDS = 200, 20_000, 120
WORK = 2e13  # multiplications of a training, in the search
FLAT_UNITS = 256
ZEROS = 0.2  # of values that are amounts
FEW_WINDOWS = 1_000  # questions: of fewer, frames are mirrored


@dataclass(frozen=True)
class Size:
    """The network for frames of up to so many pixels: the side of a patch, units of a layer, layers, and by how much
    the grid in the middle of them is coarser.
    """

    pixels: float
    patch: int
    hidden: int
    layers: int
    coarser: int


SIZES = (
    Size(12 * 12, 1, 32, 2, 1),
    Size(32 * 32, 2, 32, 3, 2),
    Size(128 * 128, 4, 32, 3, 2),
    Size(math.inf, 8, 48, 3, 2),
)
LONG, WIDE = 600, 1.5  # seconds of a time budget that have room for so many times the units


@dataclass(frozen=True)
class Values:
    """What some frames say of pixels: their least and largest value, mean and deviation, whether nearly all of them
    are at one end of that range or the other, and some at the upper one; whether some are missing; and whether they are
    `amounts`, none of which is below 0 and many are 0.
    """

    least: float
    largest: float
    mean: float
    deviation: float
    two_valued: bool
    gaps: bool
    amounts: bool


def values_of(panel: Panel) -> Values:
    """The values of up to 256 frames, spread evenly. InputRefused if none is known."""
    rows = panel.targets[~np.isnan(panel.targets)]
    some = rows[np.unique(np.linspace(0, max(len(rows) - 1, 0), min(len(rows), LOOKED_AT)).astype(np.int64))]
    block = panel.blocks[panel.channels[0].name]
    found = block.gather(some)
    known = found[~np.isnan(found)].astype(np.float64)
    if not known.size:
        raise InputRefused("every pixel is missing", hint="give frames that show something")
    least, largest = float(known.min()), float(known.max())
    gaps = known.size < found.size or len(rows) < len(panel.targets)
    amounts = least == 0 < largest and float((known == 0).mean()) >= ZEROS
    return Values(least, largest, float(known.mean()), float(known.std()), _two_valued(known), gaps, amounts)


def windows(lengths: Ints, context: int, horizon: int) -> int:
    """The number of questions with a whole context and a whole horizon."""
    return int(np.maximum(lengths - context - horizon + 1, 0).sum())


def _two_valued(known: Floats) -> bool:
    least, largest = known.min(), known.max()
    share = (known - least) / (largest - least) if largest > least else np.zeros(1)
    lit = float((share > 1 - EDGE).mean())
    return lit > LIT and lit + float((share < EDGE).mean()) > TWO_VALUED


def frame_spec(panel: Panel, cells: str, options: TrainOptions) -> FrameSpec:
    """The choices that follow from the frames of a panel, from the cells of the network, and from what was said.
    UsageError or InputRefused.
    """
    values, shape = values_of(panel), panel.channels[0].shape
    longest, typical = int(panel.lengths.max()), int(np.median(panel.lengths))
    horizon = options.get("horizon") or max(1, min(HORIZON, typical // 2))
    if longest == 1:
        raise InputRefused(
            "every sequence has one frame, and nothing comes after it",
            hint="give longer ones; a column tells sequences of a table apart: --id NAME",
        )
    if horizon >= longest:
        raise UsageError(
            f"--horizon is {horizon:,}, and the longest sequence has {longest:,} frames", hint="ask for fewer"
        )
    context = options.get("context") or max(1, min(CONTEXT, typical - horizon))
    loss = _loss(options, values)
    flat, size = not convolves(cells), size_of(shape)
    patch = shape[:2] if flat else (min(size.patch, shape[0]), min(size.patch, shape[1]))
    spread = values.largest - values.least
    amounts = values.amounts and loss != BERNOULLI
    center, scale = (values.least, spread) if loss == BERNOULLI else (values.mean, values.deviation)
    return FrameSpec(
        horizon=horizon,
        context=context,
        shape=shape,
        patch=tuple(patch),
        loss=loss,
        center=0.0 if amounts else center,
        scale=scale or 1.0,
        span=spread,
        residual=loss != BERNOULLI,
        flat=flat,
        multiple=_coarsest(cells),
        gaps=values.gaps,
        levels=_levels(options) if loss == QUANTILES else (),
        floor=0.0 if values.least >= 0 and loss != BERNOULLI else None,
        mean=(values.mean - values.least) / (spread or 1.0) if loss == BERNOULLI else 0.0,
        amounts=amounts,
        mirrored=windows(panel.lengths, context, horizon) < FEW_WINDOWS and len(panel.channels) == 1,
        moved=loss != BERNOULLI and moves(panel, context, horizon),
        maps=maps_of(panel),
    )


def _loss(options: TrainOptions, values: Values) -> str:
    said, levels = options.get("loss"), options.get("quantiles")
    if said not in (None, *LOSSES):
        raise UsageError(f"there is no loss {said!r} of frames", hint=f"choose from: {', '.join(LOSSES)}")
    if said is None:
        return QUANTILES if levels is not None else BERNOULLI if values.two_valued else SQUARED
    if levels is not None and said != QUANTILES:
        raise UsageError(f"--quantiles are not what --loss {said} learns", hint="leave one of them out")
    return said


def _levels(options: TrainOptions) -> tuple[float, ...]:
    return tuple(sorted({0.5, *(options.get("quantiles") or LEVELS)}))


def _coarsest(cells: str) -> int:
    """How many pixels of the first grid, on a side, the coarsest grid of all layers has in one of its own."""
    coarse, most = Fraction(1), Fraction(1)
    for kernel in map(kernel_of, parsed_list(cells)):
        coarse *= Fraction(1 if kernel is None else kernel.stride, 1 if kernel is None else kernel.growth)
        most = max(most, coarse)
    return math.ceil(most)


def size_of(shape: tuple[int, ...]) -> Size:
    """The size for frames of this shape."""
    return next(size for size in SIZES if prod(shape[:2]) <= size.pixels)


def cells_for(shape: tuple[int, ...], sizes: Sizes) -> tuple[str, int]:
    """The cells and the number of layers by the table, or those that were said."""
    size, cell = size_of(shape), sizes.cell or CELL
    refuse_gaps(cell)
    flat = not convolves(cell)
    layers = sizes.layers or layers_of(cell) or (1 if flat else size.layers)
    cells = resolved(cell, layers, ())
    kernel = kernel_of(parsed_list(cells)[0])
    alike = kernel is not None and kernel.stride == kernel.growth == 1 and layers_of(cells) is None
    usual = alike and sizes.layers is None and size.coarser > 1
    return (u_shaped(cells, layers, size.coarser) if usual else cells), layers


def network_spec(spec: FrameSpec, cells: str, layers: int, sizes: Sizes) -> NetworkSpec:
    """The network of these layers. UsageError for cells that look ahead, or end on another grid than they begin on."""
    size = size_of(spec.shape)
    refuse_other_end(spec, cells, layers)
    return NetworkSpec(
        cell=cells,
        activation=sizes.activation,
        layers=layers,
        hidden=sizes.hidden or (FLAT_UNITS if spec.flat else _units(size, sizes.time_budget)),
        dropout=sizes.dropout or 0.0,
        recurrent_dropout=sizes.recurrent_dropout or 0.0,
        residual=not sizes.plain_stack,
        init=sizes.init or "orthogonal",
        inputs=spec.inputs,
        members=sizes.members or 1,
        layer_norm=sizes.layer_norm,
    )


def _units(size: Size, budget: float | None) -> int:
    return size.hidden if budget is None or budget < LONG else round(WIDE * size.hidden)


def u_shaped(cell: str, layers: int, coarser: int) -> str:
    """One cell as a list: its layers but the first and the last one on a grid that is so much coarser."""
    name = parsed(cell)
    down, up = _changed(name, stride=coarser), _changed(name, growth=coarser)
    return ",".join(map(str, [name, down, *[name] * (layers - 3), up]))


def _changed(name: CellName, stride: int = 1, growth: int = 1) -> CellName:
    if name.kernel is not None:
        return replace(name, kernel=replace(name.kernel, stride=stride, growth=growth))
    assert name.inner is not None
    return replace(name, inner=_changed(name.inner, stride, growth))


def refuse_other_end(spec: FrameSpec, cells: str, layers: int) -> None:
    """UsageError where the last layer's grid is not the first one's input, or a layer is bidirectional."""
    grid = spec.grid
    for cell in cells_of(cells, layers):
        grid = grid if cell.kernel is None else cell.kernel.grid(*grid)
    if grid != spec.grid:
        shown, begun = ("x".join(map(str, one)) for one in (grid, spec.grid))
        raise UsageError(
            f"the layers of {cells} begin on a grid of {begun} and end on one of {shown}",
            hint="make it as fine again as /2 makes it coarse: conv:3/2:lstm,conv:3+2:lstm",
        )


def cost_of(spec: FrameSpec, network: NetworkSpec) -> int:
    """Multiplications of one step of one sequence through all layers, and to what is said."""
    return multiplications(network, spec.grid) + prod(spec.grid) * spec.outputs * network.hidden


def refit_of(panel: Panel) -> Refit:
    """How training goes on with everything: of few sequences from the beginning, for their last parts, which are held
    out, may be unlike the rest.
    """
    return Refit(1.0, 1.0, afresh=True) if len(panel) < MANY else Refit()


def training_spec(panel: Panel, spec: FrameSpec, network: NetworkSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, batch and rates; the steps are those of the search on held-out frames: as many as go through the frames so
    often, or as are affordable where a step is long and no time budget says how long training may take.
    """
    numbers = prod(spec.shape) * (spec.context + spec.horizon)
    batch = sizes.batch or max(1, min(BATCH, PIXELS_A_STEP // numbers, len(panel.targets) // 4 or 1))
    cost = 3 * batch * spec.steps * cost_of(spec, network)
    rounds = math.ceil(ROUNDS * len(panel.targets) / (batch * (spec.context + spec.horizon)))
    most = MOST_STEPS if sizes.time_budget is not None else min(MOST_STEPS, math.ceil(WORK / cost))
    steps = sizes.steps or max(FEWEST_STEPS, min(rounds, most))
    return sizes.training(steps=steps, batch=batch, rate=3e-3, tbptt=None)
