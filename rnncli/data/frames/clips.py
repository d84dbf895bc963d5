"""Files of frames, each a sequence, in one panel: where frames and maps lie in their blocks, and when they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.frames.arrays import Clip
from rnncli.data.frames.rows import Sequences, with_gaps
from rnncli.errors import InputRefused


def in_clips(clips: Sequence[Clip], roles: Sequence[str]) -> tuple[Sequences, str | None]:
    """The frames of files in their order, with gaps where times leave some out, and what times are called, None where
    not every file says them. `roles` are those of the maps. InputRefused where times do not ascend.
    """
    timed = all(clip.times is not None for clip in clips)
    places = _places(clips, roles)
    if not timed:
        lengths = np.array([len(one) for one in places], np.int64)
        return Sequences(tuple(clip.name for clip in clips), lengths, np.concatenate(places), None, ()), None
    spread, times = zip(*map(_on_time, clips, places), strict=True)
    lengths = np.array([len(one) for one in times], np.int64)
    missing = int(lengths.sum()) - sum(map(len, places))
    plural = "s are" if missing > 1 else " is"
    notes = (f"{missing:,} frame{plural} missing between others, by their times",) if missing else ()
    names = tuple(clip.name for clip in clips)
    return Sequences(names, lengths, np.concatenate(spread), np.concatenate(times), notes), clips[0].time_name


def _places(clips: Sequence[Clip], roles: Sequence[str]) -> list[Floats]:
    """The rows of the blocks of frames and of each map for each step of each clip [steps, 1 + maps]; no frame where one
    is still to come, and the one map that stays at every step.
    """
    found = []
    begins = np.zeros(1 + len(roles), np.int64)
    for clip in clips:
        steps = np.arange(len(clip.stored) + clip.waiting, dtype=np.float64)
        frames = np.where(steps < len(clip.stored), begins[0] + steps, np.nan)
        columns = [frames]
        columns += [begins[place] + (0 * steps if role == "static" else steps) for place, role in enumerate(roles, 1)]
        found.append(np.stack(columns, axis=1))
        begins += [len(clip.stored), *map(len, clip.maps)]
    return found


def _on_time(clip: Clip, places: Floats) -> tuple[Floats, Ints]:
    """The places of a clip with its gaps, and the times of all steps."""
    assert clip.times is not None
    if (np.diff(clip.times) <= 0).any():
        raise InputRefused(
            "its frames are not in the order of time, or two have one time",
            where=clip.where,
            hint="sort the file by time, and leave out what comes twice",
        )
    times, at = with_gaps(clip.times)
    spread = np.full((len(times), places.shape[1]), np.nan)
    spread[at] = places
    return spread, times
