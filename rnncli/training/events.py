"""The events of a training while it runs: progress bars, logs and tests read this one stream."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.events import Budgeted, Phase


@dataclass(frozen=True)
class Started:
    """A phase of `steps` planned steps begins, or goes on after `step` of them."""

    phase: Phase
    steps: int
    step: int = 0


@dataclass(frozen=True)
class Stepped:
    """One optimiser step is done; the gradient norm is the one before clipping."""

    phase: Phase
    step: int
    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Evaluated:
    """The averaged weights were scored on the validation rows; lower is better. `loss` is the mean of training since
    the last time, NaN before the first step.
    """

    phase: Phase
    step: int
    loss: float
    score: float
    best: bool


@dataclass(frozen=True)
class Finished:
    """A phase ended after `step` steps; its best weights are those of step `best_step`."""

    phase: Phase
    step: int
    best_step: int
    best_score: float | None


Event = Budgeted | Started | Stepped | Evaluated | Finished
