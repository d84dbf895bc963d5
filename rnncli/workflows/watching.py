"""Gradients watched while a network is trained, and the place a step that explodes, or is no number, came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.data.frequency import shown
from rnncli.data.panel import Panel
from rnncli.diagnostics.course import Course
from rnncli.diagnostics.culprit import Culprit, LossOfExample, find_culprit
from rnncli.diagnostics.events import Exploded, Gradients, Strayed
from rnncli.diagnostics.unrolling import Stack
from rnncli.diagnostics.watch import Moments, Watch
from rnncli.events import SEARCH, Phase
from rnncli.spec import TrainingSpec
from rnncli.tasks.plan import Plan
from rnncli.tasks.seen import Seen, head_weights
from rnncli.training.adamw import BETAS
from rnncli.training.events import Event, Stepped
from rnncli.training.fit import Run, Weights, learning_rate
from rnncli.training.objective import at_the_end, entered
from rnncli.training.progress import Progress
from rnncli.training.session import objective_for


@dataclass
class Watching:
    """Turns the events of training into what is told of its gradients: every `every` steps, and where one explodes."""

    panel: Panel
    plan: Plan[Any]
    device: str
    every: int
    progress: Progress
    _watches: dict[Phase, Watch] = field(default_factory=dict)
    _courses: dict[Phase, Course] = field(default_factory=dict)

    def __call__(self, event: Event) -> Iterator[Gradients | Exploded | Strayed]:
        """The report on the gradients of a step: every `every` steps, and where its norm explodes; and where the
        training goes wrong.
        """
        if not isinstance(event, Stepped):
            return
        run = run_of(self.progress, event.phase)
        assert run is not None
        watch = self._watches.setdefault(event.phase, Watch(self.plan.training.clip))
        usual = watch.usual
        if watch.count(event.gradient_norm):
            yield from self._exploded(event, run, usual)
        if event.step % self.every == 0:
            yield watch.look(event.phase, event.loss, event.gradient_norm, run.live, self._moments(event, run))
        course = self._courses.setdefault(event.phase, Course(self._training(event.phase).steps))
        if (found := course.count(event.loss)) is not None:
            yield Strayed(event.phase, event.step, *found)

    def _training(self, phase: Phase) -> TrainingSpec:
        training = self.progress.training or self.plan.training
        if phase.kind == SEARCH:
            return training
        return self.plan.refit.of(training, self.progress.members[number_of(phase)].best_step)

    def _moments(self, event: Stepped, run: Run) -> Moments:
        rate = learning_rate(event.step, self._training(event.phase))
        return Moments(run.first_moment, run.second_moment, BETAS, rate, event.step)

    def _exploded(self, event: Stepped, run: Run, usual: float) -> Iterator[Exploded]:
        moments = self._moments(event, run)
        before = {name: weight.detach() + moments.update(name) for name, weight in run.live.items()}
        found = origin_of(self.panel, self.plan, self.device, event.phase, before, event.step)
        if found is not None:
            series, origin, culprit = found
            place = (series, origin, culprit.layer, culprit.lag, culprit.direction)
            yield Exploded(event.phase, event.step, event.gradient_norm, usual, *place)


def number_of(phase: Phase) -> int:
    """The place of a phase's member among those of all candidates."""
    return phase.candidate * phase.members + phase.member


def run_of(progress: Progress, phase: Phase) -> Run | None:
    """The optimiser's run of a phase, None if it is not under way."""
    number = number_of(phase)
    return progress.members[number].run if number < len(progress.members) else None


def origin_of(
    panel: Panel, plan: Plan[Any], device: str, phase: Phase, weights: Weights, step: int
) -> tuple[str, str, Culprit] | None:
    """The series and the origin (a time) of the batch of a step, with these weights, that is worst, and where it is.

    A batch is a function of the seed and the step, so it is made again. Dropout is left out, and so is what is carried
    into a stretch: gradients do not go back there.
    """
    plan = plan.candidates[phase.candidate]
    panel = plan.task.visible(panel, plan)
    holdout = plan.task.hold_out(panel, plan.spec) if phase.kind == SEARCH else None
    batch = objective_for(panel, plan, device, holdout, phase.member).sample(step)
    rows, origins = batch.rows.numpy(force=True), batch.origins.numpy(force=True)
    x = entered(weights, plan, batch).detach()
    found = find_culprit(Stack.of(plan.network, weights), x, rows, origins, _loss(plan, weights, batch))
    if found is None:
        return None
    row, at = int(rows[found.place]), int(origins[found.place])
    series = int(batch.series[row])
    ordinal = panel.starts[series] + int(batch.first_row[row]) + at
    return panel.ids[series], _time(panel, series, int(ordinal)), found


def _loss(plan: Plan[Any], weights: Weights, batch: Seen) -> LossOfExample:
    task, head = plan.task, head_weights(weights)

    def loss_of_origin(outputs: Tensor, place: int) -> Tensor:
        of_type = {name: weight.detach().to(outputs.dtype) for name, weight in head.items()}
        asked = at_the_end(batch, [place], outputs)
        state = task.read(plan.spec, of_type, outputs, asked, torch)
        said = task.head(plan.spec, of_type, state, asked.beside, torch)
        loss: Tensor = task.loss(plan.spec, said, asked.targets, torch)
        return loss

    return loss_of_origin


def _time(panel: Panel, series: int, ordinal: int) -> str:
    calendar = panel.calendar
    time = calendar.times(np.array([ordinal]), panel.phases[series : series + 1])[0]
    return shown(int(time), calendar.zone, calendar.counts)


def named(panel: Panel, plan: Plan[Any], device: str, progress: Progress, phase: Phase) -> str:
    """Where a step of this phase that is not finite comes from: the one that follows the last good one. "" where that
    is not known.
    """
    run = run_of(progress, phase)
    if run is None:
        return ""
    found = origin_of(panel, plan, device, phase, run.live, run.step + 1)
    if found is None:
        return ""
    series, origin, culprit = found
    return f"series {series!r}, origin {origin}, {culprit.where}"
