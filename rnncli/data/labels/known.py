"""What a model that labels knows of its data, and how its times are written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.load import Loaded
from rnncli.spec import Columns, FrameChoices, LabelChoices


@dataclass(frozen=True)
class KnownLabels:
    """What a model knows about its labelled data: nothing of it is inferred again.

    `channels` are the label (channel 0) and the inputs, in order, with the vocabularies of training; `zone` is that of
    times in which nothing else says one. `frames` are settled choices, where the one input is of frames.
    """

    columns: Columns
    channels: tuple[Channel, ...]
    choices: LabelChoices
    zone: str | None = None
    frames: FrameChoices | None = None

    @property
    def label(self) -> Channel:
        """The label's channel."""
        return self.channels[0]

    @property
    def inputs(self) -> tuple[Channel, ...]:
        """The channels that a label is a function of."""
        return self.channels[1:]


def known_labels(loaded: Loaded, choices: LabelChoices) -> KnownLabels:
    """What a model keeps of the labelled data that it was trained on; `choices` are those they were loaded with."""
    channels = loaded.panel.channels
    kind = "class" if channels[0].kind == "category" else "number"
    settled = replace(choices, label=channels[0].name, label_kind=kind)
    return KnownLabels(loaded.columns, channels, settled, loaded.panel.calendar.zone, loaded.frames)


def time_calendar(columns: Columns, zone: str | None) -> Calendar:
    """The calendar by which the times beside labelled rows are written (see writers/table.py): no grid, only a zone."""
    unit = "step" if columns.time_type == "integer" else "microsecond"
    return Calendar(Frequency(unit), (1,), None if unit == "step" else zone)
