"""Frames as patches, one at every pixel of a coarser grid (Shi et al. 2015, section 4.1), and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.arrays import Array, Inputs
from rnncli.tasks.frames.spec import FrameSpec


def patched(frames: Inputs, spec: FrameSpec) -> Inputs:
    """Frames [..., height, width, D] as [..., rows, columns, patch * D]; beyond their edges they are 0."""
    *lead, height, width, depth = frames.shape
    (rows, columns), (down, right) = spec.grid, spec.patch
    beyond = [(0, 0)] * len(lead) + [(0, rows * down - height), (0, columns * right - width), (0, 0)]
    whole = np.pad(frames, beyond) if (rows * down, columns * right) != (height, width) else frames
    tiles = whole.reshape(*lead, rows, down, columns, right, depth)
    return np.swapaxes(tiles, -4, -3).reshape(*lead, rows, columns, -1)


def unpatched(patches: Array, spec: FrameSpec, xp: Any) -> Array:
    """What is said of patches [..., rows, columns, outputs] as frames [..., height, width, D], the reverse."""
    lead = patches.shape[:-3]
    (rows, columns), (down, right) = spec.grid, spec.patch
    tiles = xp.swapaxes(patches.reshape(*lead, rows, columns, down, right, -1), -4, -3)
    frames = tiles.reshape(*lead, rows * down, columns * right, tiles.shape[-1])
    return frames[..., : spec.shape[0], : spec.shape[1], :]
