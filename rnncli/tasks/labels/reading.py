"""How labels are read: new ones, as their values show, or as those of a model were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.data.frames.load import frame_choices
from rnncli.data.labels.load import load_labels
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.errors import UsageError
from rnncli.events import Listener
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices, FrameChoices, LabelChoices
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.reading import told


def choices_of(options: TrainOptions) -> LabelChoices:
    """The options about labels."""
    return LabelChoices(**fields_given(LabelChoices, options))


def frames_of(options: Mapping[str, Any]) -> FrameChoices | None:
    """The options about frames, None where none is given."""
    found = frame_choices(options)
    return None if found == FrameChoices() else found


def load_new(data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
    """Labelled data of which nothing is known."""
    return _grouped(told(load_labels(data, choices, choices_of(options), frames=frames_of(options)), tell))


def load_known(data: Data, choices: ColumnChoices, model: Labeler, tell: Listener) -> Loaded:
    """Data, read as those of a model were; they need not be labelled."""
    return _grouped(told(load_labels(data, choices, known=model.known), tell))


def load_to_train(
    data: Data, choices: ColumnChoices, options: TrainOptions, start: Labeler | None, tell: Listener
) -> Loaded:
    """Data to train on. UsageError if labels are missing that a model to start from should learn."""
    if start is None:
        return load_new(data, choices, options, tell)
    loaded = load_known(data, choices, start, tell)
    if np.isnan(loaded.panel.targets).all():
        raise UsageError(
            f"no row has a label that the model knows (column {start.known.label.name!r})",
            hint="give data with labels, or train afresh, without --warm-start",
        )
    return loaded


def by_group(model: Labeler, group: str | None) -> Labeler:
    """The model, reading groups from this column, if one was named."""
    if group is None:
        return model
    return replace(model, known=replace(model.known, choices=replace(model.known.choices, group=group)))


def _grouped(loaded: Loaded) -> Loaded:
    """The data with their groups in the panel, which is what training sees."""
    if loaded.groups is None:
        return loaded
    codes = np.unique(np.array(loaded.groups), return_inverse=True)[1].astype(np.int64)
    return replace(loaded, panel=replace(loaded.panel, groups=codes))
