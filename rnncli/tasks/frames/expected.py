"""What frames are said to differ from: the last one as it is, or moved on as those before it moved."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Inputs
from rnncli.baselines.frames.advection import advection, mean_shift, shifted
from rnncli.baselines.frames.still import last_frame
from rnncli.data.panel import Panel
from rnncli.tasks.frames.spec import FrameSpec

SHARE = 0.9  # of the error of what stands still: below it, what moves on is the base
LOOKED_AT = 48  # questions that say which is nearer


def bases(frames: Inputs, spec: FrameSpec) -> Inputs:
    """For each frame after the first of a crop [n, T, height, width, channels], and for each of the horizon, the one
    that it is expected to be like: [n, T - 1 + horizon, ...]. Of a frame that was seen that is the one before, of one
    to come the last.
    """
    last = carried_on(frames)
    still = np.repeat(last[:, -1:], spec.horizon - 1, axis=1)
    found = np.concatenate([last, still], axis=1)
    if not spec.moved or last.shape[1] < 2:
        return found
    for crop, seen in enumerate(last):
        down, right = mean_shift(seen)
        if down or right:
            found[crop, : len(seen)] = shifted(seen, down, right)
            for lead in range(2, spec.horizon + 1):
                found[crop, len(seen) + lead - 2] = shifted(seen[-1], lead * down, lead * right)
    return found


def carried_on(frames: Inputs) -> Inputs:
    """Frames [n, T, ...] with what was last known in the place of each value that is missing; 0 before the first."""
    if not np.isnan(frames).any():
        return frames
    filled = frames.copy()
    filled[:, 0] = np.where(np.isnan(filled[:, 0]), 0, filled[:, 0])
    for t in range(1, filled.shape[1]):
        filled[:, t] = np.where(np.isnan(filled[:, t]), filled[:, t - 1], filled[:, t])
    return filled


def moves(panel: Panel, context: int, horizon: int) -> bool:
    """Whether frames are nearer to those before them, moved on, than to these as they stand, by a tenth at least: by
    the median over questions that are spread evenly, whose frames differ in size.
    """
    last = panel.lengths - horizon
    usable = np.flatnonzero(last >= context)
    if context < 2 or not len(usable):
        return False
    series = usable[np.linspace(0, len(usable) - 1, LOOKED_AT).astype(np.int64)]
    along = np.linspace(0, 1, LOOKED_AT) if len(usable) == 1 else np.random.default_rng(0).random(LOOKED_AT)
    rows = context + np.rint(along * (last[series] - context)).astype(np.int64)
    past, actual = panel.frames(series, rows - context, context), panel.frames(series, rows, horizon)
    moving, still = (_error(one.of(past, horizon, None), actual) for one in (advection, last_frame))
    changing = still > 0
    return bool(changing.any() and np.median(moving[changing] / still[changing]) < SHARE)


def _error(said: Inputs | None, actual: Inputs) -> Inputs:
    assert said is not None
    away = np.nan_to_num((said - actual).reshape(len(actual), -1))
    return np.asarray((away * away).mean(axis=1))
