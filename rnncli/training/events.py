"""What training tells while it runs: progress bars, logs and tests read this one stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Started:
    """A phase of `steps` planned steps begins, or goes on after `step` of them."""

    phase: str
    steps: int
    step: int = 0


@dataclass(frozen=True)
class Stepped:
    """One optimiser step is done; the gradient norm is the one before clipping."""

    phase: str
    step: int
    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Evaluated:
    """The averaged weights were scored on the validation rows; lower is better."""

    phase: str
    step: int
    loss: float
    score: float
    best: bool


@dataclass(frozen=True)
class Finished:
    """A phase ended after `step` steps; its best weights are those of step `best_step`."""

    phase: str
    step: int
    best_step: int
    best_score: float | None


@dataclass(frozen=True)
class Budgeted:
    """A time budget allows so many of the steps that were planned; `undecided` where it allows too few to tell whether
    covariates help, so that they stay.
    """

    steps: int
    planned: int
    undecided: bool = False

    def __str__(self) -> str:
        stay = "; too few to tell whether the covariates help, so they stay" if self.undecided else ""
        return f"time budget: {self.steps:,} of {self.planned:,} steps{stay}"


Event = Budgeted | Started | Stepped | Evaluated | Finished
