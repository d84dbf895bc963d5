"""Frames as patches, one at every pixel of a coarser grid (Shi et al. 2015, section 4.1), and back."""

from __future__ import annotations

from typing import Any

from rnncli.arrays import Array, Inputs
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.tiles import tiled


def patched(frames: Inputs, spec: FrameSpec) -> Inputs:
    """Frames [..., height, width, D] as [..., rows, columns, patch * D]; beyond their edges they are 0."""
    return tiled(frames, spec.grid, spec.patch)


def unpatched(patches: Array, spec: FrameSpec, xp: Any) -> Array:
    """What is said of patches [..., rows, columns, outputs] as frames [..., height, width, D], the reverse."""
    lead = patches.shape[:-3]
    (rows, columns), (down, right) = spec.grid, spec.patch
    tiles = xp.swapaxes(patches.reshape(*lead, rows, columns, down, right, -1), -4, -3)
    frames = tiles.reshape(*lead, rows * down, columns * right, tiles.shape[-1])
    return frames[..., : spec.shape[0], : spec.shape[1], :]
