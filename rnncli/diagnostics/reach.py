"""How far around a pixel a network on a grid looks, by lag: what its kernels allow, what is not zero, and what counts.

With a kernel of k_x pixels over the input and k_h over the state, a layer's output sees k_x + lag (k_h - 1) pixels of
the input so many steps before. Most of that may hardly matter: what does is the smallest square around the pixel that
holds 90 % of the gradient (the effective receptive field: Luo et al. 2016, arXiv:1701.04128).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.diagnostics.resampling import Floats
from rnncli.diagnostics.unrolling import Stack, undilated, unrolled

SHARE = 0.9  # of the gradient
FIRST, LAGS_APART = 4, 3  # lags that are told of
DRAWS = 4  # of random signs with which the units of the pixel are added up

Interval = tuple[int, int]


@dataclass(frozen=True)
class Reach:
    """The reach of the pixel in the middle, lag 0 first, in pixels of a frame on a side: what the kernels `allowed`,
    what is `found` not to be zero, and the `effective` one, of 90 % of the gradient. `share` [lags] is the part of the
    whole gradient at each lag, and `maps` [lags, rows, columns] its size at each pixel of the grid, which is so many
    `pixels` of a frame on a side.
    """

    allowed: tuple[int, ...]
    found: tuple[int, ...]
    effective: tuple[int, ...]
    share: Floats
    maps: Floats
    pixels: int


def reach(network: Stack, x: Tensor, patch: int) -> Reach:
    """The reach of the last layer's output at the last step of x [B, T, rows, columns, I], the mean over rows of the
    batch; a pixel of the grid is `patch` pixels of a frame on each side.
    """
    maps = gradient_maps(network, x)
    rows = x.shape[2]
    middle = rows // 2
    sides = [_side(one.any(axis=1)) for one in maps > 0]
    held = [_holding(one, (middle, x.shape[3] // 2)) for one in maps]
    cells = [layer.cell for layer in network.each]
    allowed = [min(side, rows) for side in extents(cells, len(maps), rows, middle)]
    total = maps.sum(axis=(1, 2))
    share = total / total.sum() if total.sum() > 0 else total
    by_kernels, found, effective = (tuple(patch * side for side in one) for one in (allowed, sides, held))
    return Reach(by_kernels, found, effective, share, maps, patch)


def told(found: Reach) -> tuple[list[str], list[list[str]], str]:
    """The header, the rows of some lags, and a line below a table for people."""
    lags = range(len(found.allowed))
    some = sorted({lag for lag in lags if lag < FIRST or not lag % LAGS_APART} | {len(lags) - 1})
    sides = (found.allowed, found.found, found.effective)
    rows = [[str(lag), *(str(one[lag]) for one in sides), f"{found.share[lag]:.1%}"] for lag in some]
    header = ["lag", "pixels by the kernels", "not 0", "90 % of the gradient", "share of it"]
    return header, rows, "pixels on a side that the middle pixel of what comes next looks at, so many frames before"


def gradient_maps(network: Stack, x: Tensor) -> Floats:
    """The size of the gradient of the middle pixel's output at the last step, by lag and pixel of the input, lag 0
    first: [T, rows, columns]. Units are added up with random signs, as the last step of a network does with weights.
    """
    leaf = x.detach().double().requires_grad_()
    with torch.enable_grad():
        output = unrolled(network.exact(), leaf)[0][:, -1]
        pixel = output[:, output.shape[1] // 2, output.shape[2] // 2]
        generator = torch.Generator().manual_seed(0)
        total = torch.zeros(leaf.shape[1:-1], dtype=torch.float64)
        for _ in range(DRAWS):
            signs = torch.randint(0, 2, pixel.shape, generator=generator) * 2.0 - 1
            (found,) = torch.autograd.grad((pixel * signs).sum(), leaf, retain_graph=True)
            total += found.abs().sum(dim=(0, 4))
    return np.asarray(total.flip(0).numpy(), np.float64)


def extents(cells: Sequence[Cell], lags: int, size: int, middle: int) -> list[int]:
    """How many rows of the input, of which there are `size`, each lag may come from, lag 0 first: by the kernels,
    strides and dilations of layers that lie on each other, the lowest first, with the residuals between them.
    """
    sizes = [size]
    for cell in cells:
        sizes.append(cell.kernel.grid(sizes[-1], 1)[0] if cell.kernel is not None else sizes[-1])
    wanted: list[list[Interval | None]] = [[None] * lags for _ in sizes]
    wanted[-1][0] = (middle, middle)
    for index in range(len(cells), 0, -1):
        below = max((lower for lower in range(1, index) if sizes[lower] == sizes[index]), default=0)
        for lag, found in enumerate(_below(cells[index - 1], wanted[index], sizes[index - 1], sizes[index])):
            if below:
                wanted[below][lag] = _both(wanted[below][lag], wanted[index][lag])
            wanted[index - 1][lag] = _both(wanted[index - 1][lag], found)
    return [0 if interval is None else interval[1] - interval[0] + 1 for interval in wanted[0]]


def _below(cell: Cell, outputs: Sequence[Interval | None], inputs: int, size: int) -> list[Interval | None]:
    """The rows of its input that a layer sees, by lag, for the rows of its outputs that are wanted."""
    kernel = cell.kernel
    assert kernel is not None
    states = list(outputs)
    around = kernel.state // 2 if undilated(cell).recurrent else 0
    for lag in range(cell.dilation, len(states)):
        states[lag] = _both(states[lag], _wider(states[lag - cell.dilation], around, size))
    return [_input(one, kernel.input // 2, kernel.stride, kernel.growth, inputs) for one in states]


def _input(wanted: Interval | None, around: int, stride: int, growth: int, size: int) -> Interval | None:
    if wanted is None:
        return None
    first, last = wanted[0] * stride - around, wanted[1] * stride + around
    return max(0, first // growth), min(size - 1, last // growth)


def _wider(interval: Interval | None, around: int, size: int) -> Interval | None:
    return None if interval is None else (max(0, interval[0] - around), min(size - 1, interval[1] + around))


def _both(one: Interval | None, other: Interval | None) -> Interval | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one[0], other[0]), max(one[1], other[1])


def _side(there: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    """From the first row that is there to the last one."""
    rows = np.flatnonzero(there)
    return int(rows[-1] - rows[0]) + 1 if len(rows) else 0


def _holding(sizes: Floats, middle: tuple[int, int]) -> int:
    """The side of the smallest square around the middle that holds 90 % of what there is, 0 where nothing is."""
    total, around = sizes.sum(), 0
    if not total > 0:
        return 0
    (row, column), farthest = middle, max(sizes.shape)
    while around < farthest:
        rows, columns = (slice(max(0, at - around), at + around + 1) for at in (row, column))
        if sizes[rows, columns].sum() >= SHARE * total:
            break
        around += 1
    return int(min(2 * around + 1, farthest))
