"""What a workflow tells while it runs, beside the events of training: what it inferred, repaired or decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Noted:
    """One line for whoever watches; a `detail` is for those who asked for more."""

    text: str
    detail: bool = False


Listener = Callable[[object], None]


def unheard(event: object) -> None:
    """The listener of a caller who gave none."""
