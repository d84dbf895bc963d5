"""Frames as patches, one at every pixel of a coarser grid (Shi et al. 2015, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Inputs


def tiled(frames: Inputs, grid: tuple[int, int], patch: Sequence[int]) -> Inputs:
    """Frames [..., height, width, D] as [..., rows, columns, patch * D]; beyond their edges they are 0."""
    *lead, height, width, depth = frames.shape
    (rows, columns), (down, right) = grid, patch
    beyond = [(0, 0)] * len(lead) + [(0, rows * down - height), (0, columns * right - width), (0, 0)]
    whole = np.pad(frames, beyond) if (rows * down, columns * right) != (height, width) else frames
    tiles = whole.reshape(*lead, rows, down, columns, right, depth)
    return np.swapaxes(tiles, -4, -3).reshape(*lead, rows, columns, -1)
