"""Convolution over the rows and columns of frames, channels last: a linear layer over the pixels around each one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = Any

AT_ONCE = 1 << 19  # numbers of patches that lie side by side: few enough to stay in the processor's cache


def convolution(x: Array, weight: Array, bias: Array | None = None, xp: Any = np, stride: int = 1) -> Array:
    """x [..., h, w, K] with weight [N, k, k, K], k odd, plus bias [N] -> [..., ceil(h / stride), ceil(w / stride), N].

    There are zeros around a frame, so that a grid keeps its size. In NumPy patches are taken by strides, and each frame
    is a product of its own: the bits of a frame do not depend on how many there are.
    """
    if xp is not np:
        return _in_torch(x, weight, bias, xp, stride)
    frames = x.reshape(-1, *x.shape[-3:])
    across = np.ascontiguousarray(weight.reshape(len(weight), -1).T)
    made = np.stack([_of_frame(frame, across, weight.shape[1], stride) for frame in frames])
    if bias is not None:
        made += bias
    return made.reshape(*x.shape[:-3], *made.shape[1:])


def _in_torch(x: Array, weight: Array, bias: Array | None, torch: Any, stride: int) -> Array:
    """The convolution by torch's own kernel, which takes frames with channels last as they lie."""
    frames, kernel = x.reshape(-1, *x.shape[-3:]).permute(0, 3, 1, 2), weight.permute(0, 3, 1, 2)
    made = torch.nn.functional.conv2d(frames, kernel, bias, stride, weight.shape[1] // 2).permute(0, 2, 3, 1)
    return made.reshape(*x.shape[:-3], *made.shape[1:])


def _of_frame(frame: NDArray[Any], across: NDArray[Any], side: int, stride: int) -> NDArray[Any]:
    """A frame [h, w, K] with `across` [k k K, N], some rows at a time, always the same ones."""
    height, width = (-(-size // stride) for size in frame.shape[:2])
    inputs, outputs = across.shape
    margin = side // 2
    around = np.pad(frame, ((margin, margin), (margin, margin), (0, 0)))
    down, right, deep = around.strides
    patches = as_strided(
        around,
        (height, width, side, side, frame.shape[2]),
        (stride * down, stride * right, down, right, deep),
        writeable=False,
    )
    made = np.empty((height, width, outputs), np.result_type(frame, across))
    rows = max(1, AT_ONCE // (width * inputs))
    for row in range(0, height, rows):
        some = patches[row : row + rows].reshape(-1, inputs)
        np.matmul(some, across, out=made[row : row + rows].reshape(-1, outputs))
    return made


def grown(x: Array, times: int, xp: Any = np) -> Array:
    """Every pixel of x [..., h, w, K] as a square of so many times so many: [..., times h, times w, K]."""
    if times == 1:
        return x
    *lead, height, width, depth = x.shape
    squares = xp.broadcast_to(x[..., :, None, :, None, :], (*lead, height, times, width, times, depth))
    return squares.reshape(*lead, height * times, width * times, depth)
