"""How frames are read: new ones, or as those of a model were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.data.frames.load import frame_choices, load_frames, up_to_now
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.events import Listener
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.reading import told

if TYPE_CHECKING:
    from rnncli.tasks.frames.frame_model import FrameModel


def load_new(data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
    """Frames of which nothing is known."""
    return told(load_frames(data, choices, frame_choices(options)), tell)


def load_known(
    data: Data, choices: ColumnChoices, model: FrameModel, tell: Listener, ahead: Data | None = None
) -> Loaded:
    """Frames, read as those of a model were, and maps that are known `ahead` from tables of their own."""
    return told(load_frames(data, choices, known=model.known, ahead=ahead), tell)


def load_to_train(
    data: Data, choices: ColumnChoices, options: TrainOptions, start: FrameModel | None, tell: Listener
) -> Loaded:
    """Frames to train on."""
    found = load_new(data, choices, options, tell) if start is None else load_known(data, choices, start, tell)
    return up_to_now(found)
