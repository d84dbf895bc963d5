"""Every check of frames in turn, on files and tables that are read once; what training refuses is a finding, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np

from rnncli.arrays import Bools, Inputs, Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.frames.block import Block
from rnncli.data.frames.known import KnownFrames
from rnncli.data.frames.load import load_frames, up_to_now
from rnncli.data.load import Loaded
from rnncli.errors import InputRefused
from rnncli.registry import FRAME_CHECKS, find
from rnncli.spec import ColumnChoices, FrameChoices


@dataclass(frozen=True)
class Totals:
    """What one pass over all frames tells: of each pixel [height, width, channels] the least and the largest value, and
    in how many frames it is missing; of each sequence a digest, and whether nothing moves in it.
    """

    low: Inputs
    high: Inputs
    missing: Ints
    digests: tuple[bytes, ...]
    still: Bools


@dataclass(frozen=True)
class SeenFrames:
    """Frames as checks see them: `learnt` are the ids of sequences that a model learnt from, `horizon` how many frames
    are to be forecast, if that was said. `waiting` are the data with rows that only hold what is known ahead, where a
    model needs that.
    """

    loaded: Loaded
    learnt: frozenset[str] = frozenset()
    horizon: int | None = None
    waiting: Loaded | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the sequences."""
        return self.loaded.panel.ids

    @property
    def lengths(self) -> Ints:
        """Frames of each sequence, missing ones counted."""
        return self.loaded.panel.lengths

    @property
    def rows(self) -> Ints:
        """The row of the block of each frame that is there."""
        found = self.loaded.panel.targets
        return found[~np.isnan(found)].astype(np.int64)

    @property
    def block(self) -> Block:
        """The frames."""
        return self.loaded.panel.blocks[self.loaded.panel.channels[0].name]

    @cached_property
    def totals(self) -> Totals:
        """What all frames tell."""
        shape = self.block.shape
        low, high = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
        missing, digests, still = np.zeros(shape, np.int64), [], []
        for s in range(len(self.ids)):
            rows = self.loaded.panel.target(s)
            digest, first, same = blake2b(digest_size=16), None, True
            for frames in self.block.pieces(rows[~np.isnan(rows)]):
                low, high = np.fmin(low, np.fmin.reduce(frames)), np.fmax(high, np.fmax.reduce(frames))
                missing += np.isnan(frames).sum(axis=0)
                digest.update(frames.tobytes())
                first = frames[0] if first is None else first
                same = same and bool(((frames == first) | (np.isnan(frames) & np.isnan(first))).all())
            digests.append(digest.digest())
            still.append(same)
        return Totals(low, high, missing, tuple(digests), np.array(still))

    def of_sequences(self, sequences: Iterable[int], says: Iterable[str] = ()) -> tuple[Example, ...]:
        """The first of these sequences as examples."""
        texts = list(says)
        chosen = [int(s) for s, _ in zip(sequences, range(SHOWN), strict=False)]
        return tuple(Example(self.ids[s], says=texts[place] if texts else "") for place, s in enumerate(chosen))


@dataclass(frozen=True)
class LookedAtFrames:
    """What was found, and what was seen of the data; None where no frame can be read."""

    findings: tuple[Finding, ...]
    seen: SeenFrames | None


def check_frames(
    given: Any,
    choices: ColumnChoices,
    frames: FrameChoices,
    known: KnownFrames | None = None,
    learnt: Iterable[str] = (),
    horizon: int | None = None,
) -> LookedAtFrames:
    """Read frames and look at them from all sides. Raises UsageError."""
    try:
        loaded = load_frames(given, choices, frames, known)
    except InputRefused as error:
        example = Example(where=error.where or None)
        return LookedAtFrames((Finding("error", error.message, 1, (example,), error.hint, "refused"),), None)
    waiting = loaded if known is not None and loaded.columns.future else None
    seen = SeenFrames(up_to_now(loaded), frozenset(learnt), horizon, waiting)
    found = ((name, find(FRAME_CHECKS, name, "check")(seen)) for name in FRAME_CHECKS)
    return LookedAtFrames(tuple(replace(finding, id=name) for name, finding in found if finding is not None), seen)
