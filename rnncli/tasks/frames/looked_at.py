"""What is wrong with frames, alone or for a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.data.checks.framed import check_frames
from rnncli.data.frames.load import frame_choices
from rnncli.data.frames.rows import described
from rnncli.spec import ColumnChoices
from rnncli.tasks.frames.frame_model import FrameModel
from rnncli.tasks.task import LookedAt


def looked_at(data: Any, choices: ColumnChoices, options: Mapping[str, Any], model: FrameModel | None) -> LookedAt:
    """What was found. UsageError for choices that make no sense."""
    horizon = options.get("horizon") if model is None else model.spec.horizon
    frames, known = (frame_choices(options), None) if model is None else (model.known.choices, model.known)
    found = check_frames(data, choices, frames, known, () if model is None else model.names, horizon)
    if found.seen is None:
        return LookedAt(found.findings)
    loaded = found.seen.loaded
    assert loaded.frames is not None
    taken = described(loaded.columns, loaded.frames)
    return LookedAt(found.findings, len(loaded.panel.targets), len(loaded.panel), taken)
