"""What is told while something runs, whoever tells it: what was inferred or decided, and the phase of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Noted:
    """One line for whoever watches; a `detail` is for those who asked for more."""

    text: str
    detail: bool = False


@dataclass(frozen=True)
class Phase:
    """A part of a training: what is done in it, with which member, of which candidate."""

    kind: str
    member: int = 0
    candidate: int = 0
    members: int = 1
    variant: str = ""

    def __str__(self) -> str:
        which = "" if self.members == 1 else f" {self.member + 1}"
        return f"{self.kind}{which}" + (f" {self.variant}" if self.variant else "")


SEARCH, REFIT = "search", "refit"


@dataclass(frozen=True)
class Budgeted:
    """A time budget allows so many of the steps that were planned; `undecided` is what then stays as it is, because
    there are too few steps to tell.
    """

    steps: int
    planned: int
    undecided: bool = False

    def __str__(self) -> str:
        stay = "; too few to tell whether the covariates help, so they stay" if self.undecided else ""
        return f"time budget: {self.steps:,} of {self.planned:,} steps{stay}"


Listener = Callable[[object], None]


def unheard(event: object) -> None:
    """The listener of a caller who gave none."""
