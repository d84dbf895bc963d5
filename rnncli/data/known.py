"""What a model knows of the data that it is given."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.data.calendar import Calendar
from rnncli.data.channel import Channel
from rnncli.spec import Columns


@dataclass(frozen=True)
class Known:
    """What a model knows about its data: nothing of it is inferred again. `channels` have the vocabularies of training.
    With `waiting`, rows behind the last target are no surprise.
    """

    columns: Columns
    calendar: Calendar
    channels: tuple[Channel, ...]
    waiting: bool = False
