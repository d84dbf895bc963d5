"""What a model of frames knows of its data."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.data.channel import Channel
from rnncli.data.load import Loaded
from rnncli.errors import RnncliError
from rnncli.spec import Columns, FrameChoices


@dataclass(frozen=True)
class KnownFrames:
    """What a model knows about its frames: nothing of it is inferred again.

    `channel` has their shape, `maps` are what stands beside them; `choices` are settled, and `zone` is that of times in
    which nothing else says one.
    """

    columns: Columns
    channel: Channel
    choices: FrameChoices
    zone: str | None = None
    maps: tuple[Channel, ...] = ()


def known_frames(loaded: Loaded) -> KnownFrames:
    """What a model keeps of the frames that it was trained on."""
    if loaded.frames is None:
        raise RnncliError("these data were not read as frames")
    channel, *maps = loaded.panel.channels
    return KnownFrames(loaded.columns, channel, loaded.frames, loaded.panel.calendar.zone, tuple(maps))
