"""From a panel, a plan and weights to everything the panels of `inspect-gradients` measure: the wiring of a task, which
diagnostics do not know, with diagnostics, which no task knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.arrays import Floats, Ints
from rnncli.cells.cell import Cell
from rnncli.data.panel import Panel
from rnncli.diagnostics.dominance import SeriesShares
from rnncli.diagnostics.dynamics import layer_dynamics
from rnncli.diagnostics.events import Gradients
from rnncli.diagnostics.evidence import Evidence, Steps, Subject
from rnncli.diagnostics.flow import Flow, LossOfOutputs, gradient_by_lag
from rnncli.diagnostics.gates import layer_activity
from rnncli.diagnostics.memory import cuts, memory
from rnncli.diagnostics.reach import Reach, reach
from rnncli.diagnostics.unrolling import Stack, paths, undilated
from rnncli.diagnostics.watch import Moments, Watch
from rnncli.errors import TrainingDiverged
from rnncli.events import Phase
from rnncli.layers.encoder import recurrent_layers
from rnncli.tasks.plan import Plan
from rnncli.tasks.seen import HEAD, Seen, head_weights
from rnncli.tasks.task import Facts
from rnncli.training.adamw import BETAS
from rnncli.training.events import Stepped
from rnncli.training.fit import Run, begin, fit
from rnncli.training.objective import Objective, at_the_end, entered, forward, on
from rnncli.training.session import objective_for
from rnncli.workflows.asked import learned, order_of, repeated

Weights = Mapping[str, Tensor]
PROBE = Phase("probe")
LONGEST_LAG = 400  # steps that gradients are followed back
CHUNK, REACHED = 128, 8  # crops at once; and of which the reach in space is measured


@dataclass(frozen=True)
class Effort:
    """How much is looked at: series and origins whose gradients are followed back; paths, their steps and the
    exponents of the dynamics (None: all); training steps; series whose loss is compared; questions that are asked.
    """

    series: int = 24
    origins: int = 48
    paths: int = 8
    steps: int = 300
    exponents: int | None = None
    trained: int = 12
    compared: int = 1000
    asked: int = 400


FULL = Effort()
QUICK = Effort(series=12, origins=12, paths=5, steps=150, exponents=8, trained=5, compared=200, asked=150)


@dataclass(frozen=True)
class Rows:
    """Crops that end at their origins: `series` [n], rows of the series before each `origins` [n], `steps` of each."""

    series: Ints
    origins: Ints
    steps: int


@dataclass(frozen=True)
class Probe:
    """A network on the data: weights of one member, float32 as they are trained. `taught` says whether these data may
    have taught them, as they have not those of base.
    """

    panel: Panel
    plan: Plan[Any]
    weights: Weights
    trained: bool
    taught: bool = True

    @property
    def network(self) -> Stack:
        """Its recurrent layers."""
        exact = {name: weight.detach().double() for name, weight in self.weights.items()}
        return Stack.of(self.plan.network, exact)

    def batch(self, rows: Rows) -> Seen:
        """These crops as the encoder sees them, with everything that belongs to their last step."""
        lesson = self.plan.task.lesson(self.panel, self.plan.spec, self.panel.lengths)
        seen = on(lesson.ending(rows.series, rows.origins, rows.steps))
        return replace(seen, inputs=entered(self.weights, self.plan, seen).detach())

    def evidence(self, effort: Effort = FULL, most_series: int | None = None) -> Evidence:
        """All panels. InputRefused if no series is long enough."""
        rows = choose(self.panel, self.plan, most_series or effort.series, effort.origins)
        network, batch = self.network, self.batch(rows)
        flow, loss = self._flow(network, batch, rows)
        long = self.long(rows, effort)
        inputs = self.batch(long).inputs.double()
        _, along = paths(network, inputs)
        distinct = np.unique(inputs.flatten(1).numpy(), axis=0, return_index=True)[1]
        steps, diverged = self.training_steps(effort.trained)
        task, spec = self.plan.task, self.plan.spec
        taught = self.trained and self.taught and self.plan.first is None
        facts, whole = task.facts(self.panel, spec), min(task.context(spec), rows.steps)
        lengths = cuts(whole, facts.lags)
        steps_of = tuple(length + facts.after for length in lengths)
        used = memory(network, batch.inputs.double(), loss, steps_of, rows.series, inputs)
        return Evidence(
            self.subject(),
            flow,
            replace(used, lengths=lengths),
            tuple(layer_dynamics(network, path, long.series, effort.exponents) for path in along),
            tuple(layer_activity(network, path, distinct) for path in along),
            steps,
            self.shares(effort.compared),
            rows.series,
            diverged,
            self.reach(batch.inputs, facts),
            repeated(self.panel),
            learned(self.panel, self.plan, self.weights, effort.asked) if taught else None,
            order_of(self.panel, facts),
        )

    def reach(self, inputs: Tensor, facts: Facts) -> Reach | None:
        """How far around a pixel the network looks in some crops; None where it has no grid, or says nothing of one
        pixel.
        """
        if facts.horizon is None or any(layer.cell.kernel is None for layer in self.network.each):
            return None
        return reach(self.network, inputs[:REACHED, : inputs.shape[1] - facts.after], facts.patch)

    def subject(self) -> Subject:
        """What is examined, in the words of its flags."""
        network, training = self.plan.network, self.plan.training
        task, spec = self.plan.task, self.plan.spec
        facts = task.facts(self.panel, spec)
        cells = [undilated(layer.cell) for layer in recurrent_layers(network.cell, network.layers)]
        return Subject(
            cell=network.cell,
            activation=network.activation,
            layers=network.layers,
            hidden=network.hidden,
            dropout=network.dropout,
            init=network.init,
            context=task.context(spec),
            lags_that_matter=facts.lags,
            rows=facts.rows,
            learning_rate=training.learning_rate,
            clip=training.clip,
            trained=self.trained,
            gated=all(cell.gates > 1 for cell in cells),
            keeps=all(_can_keep(cell) for cell in cells),
            lag_name=facts.lag_name,
            horizon=facts.horizon,
            whole=facts.whole,
            units=task.units,
            questions=facts.questions,
            context_option=facts.context_option,
            steps=training.steps,
            batch=training.batch,
            tbptt=training.tbptt,
            dilations=tuple(layer.cell.dilation for layer in recurrent_layers(network.cell, network.layers)),
            series=len(self.panel),
            residual=network.residual and network.layers > 1,
        )

    def flow(self, most_series: int, origins: int) -> Flow:
        """The gradient by lag alone."""
        rows = choose(self.panel, self.plan, most_series, origins)
        return self._flow(self.network, self.batch(rows), rows)[0]

    def _flow(self, network: Stack, batch: Seen, rows: Rows) -> tuple[Flow, LossOfOutputs]:
        exact = {name: weight.detach().double() for name, weight in self.weights.items()}
        head = {name: weight.requires_grad_() for name, weight in head_weights(exact).items()}
        loss = self._loss(head, batch)
        flow = gradient_by_lag(
            network, batch.inputs, loss, groups=rows.series, head={HEAD + name: w for name, w in head.items()}
        )
        return flow, loss

    def _loss(self, head: Weights, batch: Seen) -> LossOfOutputs:
        task, spec = self.plan.task, self.plan.spec

        def loss_of_outputs(outputs: Tensor, rows: slice) -> Tensor:
            asked = at_the_end(batch, rows, outputs)
            said = task.head(spec, head, task.read(spec, head, outputs, asked, torch), asked.beside, torch)
            loss: Tensor = task.loss(spec, said, asked.targets, torch)
            return loss

        return loss_of_outputs

    def long(self, rows: Rows, effort: Effort) -> Rows:
        """A few of the rows, longer where there is room: dynamics need time to settle."""
        chosen = np.unique(np.linspace(0, len(rows.series) - 1, min(effort.paths, len(rows.series))).astype(np.int64))
        series, origins = rows.series[chosen], rows.origins[chosen]
        steps = int(min(max(effort.steps, 2), origins.min()))
        return Rows(series, origins, max(steps, min(rows.steps, int(origins.min()))))

    def objective(self) -> Objective:
        """Training as it would go on from here, with rows left out for validation."""
        return objective_for(self.panel, self.plan, "cpu", self.plan.task.hold_out(self.panel, self.plan.spec), 0)

    def training_steps(self, steps: int) -> tuple[Steps, str]:
        """A few steps from these weights, each watched, and where they stopped being finite, in words."""
        objective = replace(self.objective(), holdout=None)
        training = replace(self.plan.training, steps=steps, evaluate_every=steps + 1, time_budget=None)
        run = begin(dict(self.weights))
        watch, seen = Watch(training.clip), list[Gradients]()
        try:
            for event in fit(run, objective, training, PROBE):
                if isinstance(event, Stepped):
                    watch.count(event.gradient_norm)
                    seen.append(watched(event, run, watch, self.plan.training.learning_rate))
        except TrainingDiverged as error:
            return Steps(tuple(seen)), str(error)
        return Steps(tuple(seen)), ""

    def shares(self, most: int) -> SeriesShares:
        """The loss of each series at its last full origin, and the gradient that its output gets from it."""
        series, origins = self.plan.task.last_questions(self.panel, self.plan.spec)
        chosen = np.unique(np.linspace(0, len(series) - 1, min(most, len(series))).astype(np.int64))
        losses, gradients = [], []
        for part in np.array_split(chosen, -(-len(chosen) // CHUNK)):
            loss, gradient = self._at_origins(series[part], origins[part])
            losses.append(loss)
            gradients.append(gradient)
        ids = tuple(self.panel.ids[s] for s in series[chosen])
        return SeriesShares(ids, np.concatenate(losses), np.concatenate(gradients))

    def _at_origins(self, series: Ints, origins: Ints) -> tuple[Floats, Floats]:
        task, spec = self.plan.task, self.plan.spec
        seen = on(task.lesson(self.panel, spec, self.panel.lengths).ending(series, origins))
        weights = {name: w.detach().requires_grad_(name.startswith(HEAD)) for name, w in self.weights.items()}
        head = {name: w for name, w in weights.items() if w.requires_grad}
        with torch.enable_grad():
            loss = task.loss(spec, forward(weights, self.plan, seen), seen.targets, torch)
        norms = [_norm(torch.autograd.grad(one, list(head.values()), retain_graph=True)) for one in loss]
        return loss.detach().double().numpy(), np.array(norms)


def _can_keep(cell: Cell) -> bool:
    """Whether an initialisation for memories of so many steps sets anything in it."""
    return cell.keep_gate is not None or cell.input_gate is not None or cell.begin is not None


def _norm(gradients: tuple[Tensor, ...]) -> float:
    return float(torch.stack([gradient.norm() for gradient in gradients]).norm())


def watched(event: Stepped, run: Run, watch: Watch, rate: float) -> Gradients:
    """The gradients, moments and step lengths of a run's last step, as if taken at this learning rate."""
    moments = Moments(run.first_moment, run.second_moment, BETAS, rate, event.step)
    return watch.look(event.phase, event.loss, event.gradient_norm, run.live, moments)


def choose(panel: Panel, plan: Plan[Any], most_series: int, most_rows: int) -> Rows:
    """Up to `most_series` series with as many origins each as make up `most_rows`: the last question with a known
    answer, and others evenly back to where there still are enough steps; of series that are read whole the last alone.
    """
    task, spec = plan.task, plan.spec
    usable, last = task.last_questions(panel, spec)
    facts = task.facts(panel, spec)
    farthest = max((1, *facts.lags))
    wanted = max(task.context(spec), min(farthest, LONGEST_LAG) + 1)  # lag `season` needs one step more than a season
    steps = int(min(wanted, max(1, np.median(last))))
    long = np.flatnonzero(last >= steps)
    chosen = long[np.unique(np.linspace(0, len(long) - 1, min(most_series, len(long))).astype(np.int64))]
    each = 1 if facts.whole else max(1, most_rows // len(chosen))
    begin = last if facts.whole else np.maximum(steps, last // 4)
    origins = [np.unique(np.linspace(begin[s], last[s], each).astype(np.int64)) for s in chosen]
    series = np.repeat(usable[chosen], [len(of_series) for of_series in origins])
    return Rows(series, np.concatenate(origins), steps)
