"""Events that any command tells while it runs: what was inferred or decided, and the phase of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Noted:
    """A line of text for the user; a `detail` is shown with `--verbose` alone."""

    text: str
    detail: bool = False


@dataclass(frozen=True)
class Phase:
    """A part of a training: its kind (search or refit), the member that is trained, and the candidate it belongs to."""

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


@dataclass(frozen=True)
class Generated:
    """A piece of the text with which a document goes on, as soon as it is made."""

    text: str


Listener = Callable[[object], None]


def unheard(event: object) -> None:
    """The default listener, which ignores every event."""
