"""What a baseline for frames is: a forecast of the frames that follow some past ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Inputs


@dataclass(frozen=True)
class FrameBaseline:
    """A baseline for frames: `of` takes past frames [n, T, height, width, channels], NaN where a pixel is missing, a
    horizon K, and the mean frame of training [height, width, channels] if it is known, and returns [n, K, height,
    width, channels]; None where it needs the mean frame, and it is not known.

    A pixel that was never seen is forecast as NaN.
    """

    name: str
    of: Callable[[Inputs, int, Inputs | None], Inputs | None]


def filled(past: Inputs) -> Inputs:
    """The past frames, a missing pixel as it was last seen, or else as it is first seen: [n, T, ...]."""
    found = past.copy()
    for step in range(1, found.shape[1]):
        found[:, step] = np.where(np.isnan(found[:, step]), found[:, step - 1], found[:, step])
    for step in range(found.shape[1] - 2, -1, -1):
        found[:, step] = np.where(np.isnan(found[:, step]), found[:, step + 1], found[:, step])
    return found


def repeated(frame: Inputs, horizon: int) -> Inputs:
    """A frame [n, ...] again and again: [n, K, ...]."""
    return np.repeat(frame[:, None], horizon, axis=1)
