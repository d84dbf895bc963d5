"""What labelled clips say about how to learn from them: patches, cells and sizes, by tables that know no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from rnncli.cells.named import convolves
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.layers.encoder import multiplications
from rnncli.spec import NetworkSpec
from rnncli.tasks.labels.pictures import CHANNEL, values_of
from rnncli.tasks.labels.spec import LabelSpec, Pictures

CELL = "bidirectional:conv:3:lstm,bidirectional:conv:3/2:lstm"
ONLINE_CELL = "conv:3:lstm,conv:3/2:lstm"
FLAT_UNITS, BATCH, PIXELS_A_STEP = 128, 16, 1 << 24  # sequences of a batch, and numbers of their frames at most
NOISE, SHIFTED = 0.2, 0.7
LONGER, FEWEST_STEPS = 2.5, 100
WORK = 1e13  # multiplications of a training, in the search


@dataclass(frozen=True)
class Size:
    """For frames of up to so many pixels the side of a patch, and units of a layer."""

    pixels: float
    patch: int
    hidden: int


SIZES = (Size(12 * 12, 1, 32), Size(32 * 32, 2, 32), Size(128 * 128, 4, 32), Size(math.inf, 8, 48))


def size_of(shape: tuple[int, ...]) -> Size:
    """The size for frames of this shape."""
    return next(size for size in SIZES if prod(shape[:2]) <= size.pixels)


def pictures_of(panel: Panel, cells: str) -> Pictures:
    """How these cells see the frames of a panel. InputRefused if no pixel is known."""
    channel, found = panel.channels[CHANNEL], values_of(panel)
    known = found[~np.isnan(found)].astype(np.float64)
    if not known.size:
        raise InputRefused("every pixel is missing", hint="give frames that show something")
    flat, side = not convolves(cells), size_of(channel.shape).patch
    gaps = known.size < found.size
    patch = channel.shape[:2] if flat else tuple(min(side, size) for size in channel.shape[:2])
    center, scale = float(known.mean()), float(known.std())
    return Pictures(channel.name, channel.shape, patch, center, scale or 1.0, gaps, flat)


def seen_as(panel: Panel, cells: str, *, numbers: bool) -> dict[str, Any]:
    """The part of a LabelSpec that says what the network sees, and how clips are changed where they are learnt from:
    they are not moved where labels are numbers, which may say where something is.
    """
    return {
        "inputs": (),
        "pictures": pictures_of(panel, cells),
        "noise": NOISE,
        "blanked": 0.0,
        "warped": 0.0,
        "shifted": 0.0 if numbers else SHIFTED,
    }


def steps_of(spec: LabelSpec, network: NetworkSpec, usual: int, batch: int) -> int:
    """Steps of the search, for those that other labels take: a network on a grid learns what things look like before it
    tells them apart, and takes more, or as many as are affordable where a step is long.
    """
    assert spec.pictures is not None
    frames = -(-spec.steps // spec.stride)
    cost = 3 * batch * frames * multiplications(network, spec.pictures.grid)
    return max(FEWEST_STEPS, min(round(LONGER * usual), math.ceil(WORK / cost)))


def batch_of(spec: LabelSpec) -> int:
    """Clips of a batch: as many as the memory of a step holds."""
    assert spec.pictures is not None
    return max(1, min(BATCH, PIXELS_A_STEP // (prod(spec.pictures.shape) * spec.steps)))
