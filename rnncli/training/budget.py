"""The cost of a training's parts on this machine, measured before it begins: so many of them fit a time budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rnncli.spec import TrainingSpec
from rnncli.tasks.task import Holdout
from rnncli.training.fit import Weights, seconds_a_step
from rnncli.training.objective import Objective
from rnncli.training.side_by_side import side_by_side

SAMPLES = (48, 48, 192)  # forecasts that are judged to see how long all of them take; the first time warms up
Judge = Callable[[Any], object]  # what is done once with the held-out forecasts, when all is trained


@dataclass
class Clock:
    """Counts seconds."""

    seconds: float = 0.0
    begun: float = field(default_factory=time.monotonic)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what is done meanwhile."""
        begun = time.monotonic()
        yield
        self.seconds += time.monotonic() - begun

    @property
    def since(self) -> float:
        """Seconds since there is this clock."""
        return time.monotonic() - self.begun


def step_seconds(objectives: Sequence[Objective], weights: Sequence[Weights], training: TrainingSpec) -> float:
    """The seconds of a step, where so many members are trained side by side."""

    def measured(objective: Objective, first: Weights) -> Iterator[float]:
        yield seconds_a_step(first, objective, training, objective if objective.ranks.size > 1 else None)

    streams = [measured(*one) for one in zip(objectives, weights, strict=True)]
    return max(side_by_side(streams, len(streams)))


def score_seconds(objective: Objective, weights: Weights) -> tuple[float, float]:
    """The seconds of the first score of the held-out rows, and of each later one."""
    clocks = Clock(), Clock()
    for clock in clocks:
        with clock.running():
            objective.score(weights)
    return clocks[0].seconds, clocks[1].seconds


def judging_seconds(objective: Objective, weights: Weights, holdout: Holdout, judge: Judge) -> tuple[float, float]:
    """The seconds of one network's answers to all held-out questions, and of `judge` with them: extrapolated on the
    line through the last two of a few samples.
    """
    taken = [_taken(objective, weights, holdout.some(most), judge) for most in SAMPLES]
    (few, *less), (many, *more) = taken[-2:]
    rest = len(holdout) - many
    slopes = [(b - a) / (many - few) if many > few else 0.0 for a, b in zip(less, more, strict=True)]
    first, second = (b + max(0.0, slope) * rest for b, slope in zip(more, slopes, strict=True))
    return first, second


def _taken(objective: Objective, weights: Weights, part: Holdout, judge: Judge) -> tuple[int, float, float]:
    """The number of forecasts, and the seconds of both."""
    forecasting, judging = Clock(), Clock()
    with forecasting.running():
        found = objective.validation(weights, part)
    with judging.running():
        judge(found)
    return len(part), forecasting.seconds, judging.seconds
