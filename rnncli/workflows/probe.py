"""From a panel, a plan and weights to everything the panels of `inspect-gradients` measure: the wiring of the forecast
task, which diagnostics do not know, with diagnostics, which the task does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.data.panel import Panel
from rnncli.diagnostics.dominance import SeriesShares
from rnncli.diagnostics.dynamics import layer_dynamics
from rnncli.diagnostics.events import Gradients
from rnncli.diagnostics.evidence import SEASON, Evidence, Steps, Subject
from rnncli.diagnostics.flow import Flow, LossOfOutputs, gradient_by_lag
from rnncli.diagnostics.gates import layer_activity
from rnncli.diagnostics.memory import cuts, memory
from rnncli.diagnostics.unrolling import Stack, paths, undilated
from rnncli.diagnostics.watch import Moments, Watch
from rnncli.errors import InputRefused, TrainingDiverged
from rnncli.layers.encoder import recurrent_layers
from rnncli.tasks.forecast.learn import Batch, Examples, Objective, forward, pinball
from rnncli.tasks.forecast.network import HEAD, head_weights
from rnncli.tasks.forecast.output import quantiles
from rnncli.tasks.forecast.plan import Plan
from rnncli.tasks.forecast.validation import hold_out
from rnncli.training.adamw import BETAS
from rnncli.training.events import Stepped
from rnncli.training.fit import Run, begin, fit
from rnncli.training.session import objective_for

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Weights = Mapping[str, Tensor]
LONGEST_LAG = 400  # steps that gradients are followed back
CHUNK = 128


@dataclass(frozen=True)
class Effort:
    """How much is looked at: series and origins whose gradients are followed back; paths, their steps and the
    exponents of the dynamics (None: all); training steps; series whose loss is compared.
    """

    series: int = 24
    origins: int = 48
    paths: int = 8
    steps: int = 300
    exponents: int | None = None
    trained: int = 12
    compared: int = 1000


FULL = Effort()
QUICK = Effort(series=12, origins=12, paths=5, steps=150, exponents=8, trained=5, compared=200)


@dataclass(frozen=True)
class Rows:
    """Crops that end at their origins: `series` [n], rows of the series before each `origins` [n], `steps` of each."""

    series: Ints
    origins: Ints
    steps: int


@dataclass(frozen=True)
class Probe:
    """A network on the data: weights of one member, float32 as they are trained."""

    panel: Panel
    plan: Plan
    weights: Weights
    trained: bool

    @property
    def network(self) -> Stack:
        """Its recurrent layers."""
        exact = {name: weight.detach().double() for name, weight in self.weights.items()}
        return Stack.of(self.plan.network, exact)

    def batch(self, rows: Rows) -> Batch:
        """These crops, with everything that belongs to their last step."""
        place, last = np.arange(len(rows.series)), np.full(len(rows.series), rows.steps - 1)
        examples = Examples(self.panel, replace(self.plan.forecast, steps=rows.steps), self.panel.lengths)
        return examples.batch(rows.series, rows.origins - rows.steps, place, last)

    def evidence(self, effort: Effort = FULL, most_series: int | None = None) -> Evidence:
        """All panels. InputRefused if no series is long enough."""
        rows = choose(self.panel, self.plan, most_series or effort.series, effort.origins)
        network, batch = self.network, self.batch(rows)
        flow, loss = self._flow(network, batch, rows)
        long = self.long(rows, effort)
        _, along = paths(network, self.batch(long).inputs.double())
        steps, diverged = self.training_steps(effort.trained)
        whole = min(self.plan.forecast.steps, rows.steps)
        lengths = cuts(whole, self.plan.forecast.seasons)
        return Evidence(
            self.subject(),
            flow,
            memory(network, batch.inputs.double(), loss, lengths, rows.series, self.batch(long).inputs.double()),
            tuple(layer_dynamics(network, path, long.series, effort.exponents) for path in along),
            tuple(layer_activity(network, path) for path in along),
            steps,
            self.shares(effort.compared),
            rows.series,
            diverged,
        )

    def subject(self) -> Subject:
        """What is examined, in the words of its flags."""
        network, forecast, training = self.plan.network, self.plan.forecast, self.plan.training
        cells = [undilated(layer.cell) for layer in recurrent_layers(network.cell, network.layers)]
        return Subject(
            cell=network.cell,
            activation=network.activation,
            layers=network.layers,
            hidden=network.hidden,
            dropout=network.dropout,
            init=network.init,
            context=forecast.steps,
            lags_that_matter=tuple(season for season in forecast.seasons if season > 1),
            rows=int(np.median(self.panel.lengths)),
            learning_rate=training.learning_rate,
            clip=training.clip,
            trained=self.trained,
            gated=all(cell.gates > 1 for cell in cells),
            keeps=all(_can_keep(cell) for cell in cells),
            lag_name=SEASON,
            horizon=forecast.horizon,
        )

    def flow(self, most_series: int, origins: int) -> Flow:
        """The gradient by lag alone."""
        rows = choose(self.panel, self.plan, most_series, origins)
        return self._flow(self.network, self.batch(rows), rows)[0]

    def _flow(self, network: Stack, batch: Batch, rows: Rows) -> tuple[Flow, LossOfOutputs]:
        exact = {name: weight.detach().double() for name, weight in self.weights.items()}
        head = {name: weight.requires_grad_() for name, weight in head_weights(exact).items()}
        loss = self._loss(head, batch)
        flow = gradient_by_lag(
            network, batch.inputs, loss, groups=rows.series, head={HEAD + name: w for name, w in head.items()}
        )
        return flow, loss

    def _loss(self, head: Weights, batch: Batch) -> LossOfOutputs:
        spec = self.plan.forecast
        levels = torch.tensor(spec.levels, dtype=torch.float64)

        def loss_of_outputs(outputs: Tensor, rows: slice) -> Tensor:
            plain, errors, known = (part[rows].double() for part in (batch.components, batch.errors, batch.known))
            found = quantiles(head, outputs[:, -1], plain, errors, known, spec.median, torch)
            return pinball(found, batch.targets[rows].double(), levels)

        return loss_of_outputs

    def long(self, rows: Rows, effort: Effort) -> Rows:
        """A few of the rows, longer where there is room: dynamics need time to settle."""
        chosen = np.unique(np.linspace(0, len(rows.series) - 1, min(effort.paths, len(rows.series))).astype(np.int64))
        series, origins = rows.series[chosen], rows.origins[chosen]
        steps = int(min(max(effort.steps, 2), origins.min()))
        return Rows(series, origins, max(steps, min(rows.steps, int(origins.min()))))

    def objective(self) -> Objective:
        """Training as it would go on from here, with rows left out for validation."""
        return objective_for(self.panel, self.plan, "cpu", hold_out(self.panel, self.plan.forecast), 0)

    def training_steps(self, steps: int) -> tuple[Steps, str]:
        """A few steps from these weights, each watched, and where they stopped being finite, in words."""
        objective = replace(self.objective(), holdout=None)
        training = replace(self.plan.training, steps=steps, evaluate_every=steps + 1, time_budget=None)
        run = begin(dict(self.weights))
        watch, seen = Watch(training.clip), list[Gradients]()
        try:
            for event in fit(run, objective, training, "probe"):
                if isinstance(event, Stepped):
                    watch.count(event.gradient_norm)
                    seen.append(watched(event, run, watch, self.plan.training.learning_rate))
        except TrainingDiverged as error:
            return Steps(tuple(seen)), str(error)
        return Steps(tuple(seen)), ""

    def shares(self, most: int) -> SeriesShares:
        """The loss of each series at its last full origin, and the gradient that its output gets from it."""
        series, origins = _last_origins(self.panel, self.plan)
        chosen = np.unique(np.linspace(0, len(series) - 1, min(most, len(series))).astype(np.int64))
        losses, gradients = [], []
        for part in np.array_split(chosen, -(-len(chosen) // CHUNK)):
            loss, gradient = self._at_origins(series[part], origins[part])
            losses.append(loss)
            gradients.append(gradient)
        ids = tuple(self.panel.ids[s] for s in series[chosen])
        return SeriesShares(ids, np.concatenate(losses), np.concatenate(gradients))

    def _at_origins(self, series: Ints, origins: Ints) -> tuple[Floats, Floats]:
        spec = self.plan.forecast
        examples = Examples(self.panel, spec, self.panel.lengths)
        first_row = np.maximum(origins - spec.steps, 0)
        batch = examples.batch(series, first_row, np.arange(len(series)), origins - first_row - 1)
        weights = {name: w.detach().requires_grad_(name.startswith(HEAD)) for name, w in self.weights.items()}
        head = {name: w for name, w in weights.items() if w.requires_grad}
        with torch.enable_grad():
            found = forward(weights, self.plan.network, spec, batch)
            loss = pinball(found, batch.targets, torch.tensor(spec.levels))
        norms = [_norm(torch.autograd.grad(one, list(head.values()), retain_graph=True)) for one in loss]
        return loss.detach().double().numpy(), np.array(norms)


def _can_keep(cell: Cell) -> bool:
    """Whether an initialisation for memories of so many steps sets anything in it."""
    return cell.keep_gate is not None or cell.input_gate is not None or cell.begin is not None


def _norm(gradients: tuple[Tensor, ...]) -> float:
    return float(torch.stack([gradient.norm() for gradient in gradients]).norm())


def watched(event: Stepped, run: Run, watch: Watch, rate: float) -> Gradients:
    """What the last step of a run did, as if at this learning rate."""
    moments = Moments(run.first_moment, run.second_moment, BETAS, rate, event.step)
    return watch.look(event.phase, event.loss, event.gradient_norm, run.live, moments)


def _last_origins(panel: Panel, plan: Plan) -> tuple[Ints, Ints]:
    """Series with two rows, and the rows before the last origin of each that has its whole horizon, or half of them."""
    ends = panel.observed_ends()
    origins = ends - np.minimum(plan.forecast.horizon, np.maximum(ends // 2, 1))
    usable = np.flatnonzero(origins >= 1)
    if not len(usable):
        raise InputRefused("no series has two rows", hint="give longer series")
    return usable, origins[usable]


def choose(panel: Panel, plan: Plan, most_series: int, most_rows: int) -> Rows:
    """Up to `most_series` series with as many origins each as make up `most_rows`, the last a full horizon before the
    end, the others evenly back to where there still are enough steps.
    """
    usable, last = _last_origins(panel, plan)
    spec = plan.forecast
    wanted = max(spec.steps, min(max(spec.seasons), LONGEST_LAG) + 1)  # lag `season` needs one step more than a season
    steps = int(min(wanted, max(1, np.median(last))))
    long = np.flatnonzero(last >= steps)
    chosen = long[np.unique(np.linspace(0, len(long) - 1, min(most_series, len(long))).astype(np.int64))]
    each = max(1, most_rows // len(chosen))
    origins = [np.unique(np.linspace(max(steps, last[s] // 4), last[s], each).astype(np.int64)) for s in chosen]
    series = np.repeat(usable[chosen], [len(of_series) for of_series in origins])
    return Rows(series, np.concatenate(origins), steps)
