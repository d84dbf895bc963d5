"""The products of a layer on a grid, and what goes back through them: convolutions of pixels that stand in rows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

Grid = tuple[int, int] | None
"""Rows and columns of a frame; None where a layer has no grid."""


def around(h: Tensor, weight: Tensor, grid: tuple[int, int]) -> Tensor:
    """W h over the pixels around each one: h [n rows columns, H] with weight [N, k, k, H] -> [n rows columns, N]."""
    made = conv2d(_frames(h, grid), _kernel(weight), padding=weight.shape[1] // 2)
    return _rows(made)


def back_from(through: Tensor, weight: Tensor, grid: tuple[int, int]) -> Tensor:
    """W^T dL/d(W h), likewise: [n rows columns, N] -> [n rows columns, H]."""
    made = conv_transpose2d(_frames(through, grid), _kernel(weight), padding=weight.shape[1] // 2)
    return _rows(made)


def of_kernel(through: Tensor, h: Tensor, weight: Tensor, grid: tuple[int, int]) -> Tensor:
    """The gradient of W, in one product over all frames: [N, k, k, H]."""
    _, made, _ = torch.ops.aten.convolution_backward(
        _frames(through, grid),
        _frames(h, grid),
        _kernel(weight),
        None,
        [1, 1],
        [weight.shape[1] // 2] * 2,
        [1, 1],
        False,  # noqa: FBT003 not transposed
        [0, 0],
        1,
        [False, True, False],
    )
    found: Tensor = made.permute(0, 2, 3, 1)
    return found


def _frames(rows: Tensor, grid: tuple[int, int]) -> Tensor:
    return rows.view(-1, *grid, rows.shape[1]).permute(0, 3, 1, 2)


def _kernel(weight: Tensor) -> Tensor:
    return weight.permute(0, 3, 1, 2)


def _rows(frames: Tensor) -> Tensor:
    return frames.permute(0, 2, 3, 1).reshape(-1, frames.shape[1])
