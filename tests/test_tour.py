"""A tour of the house: from a table to a loss, a step, a forecast and a diagnosis, by the functions that commands use.

Start here: it is what `rnncli train`, `predict` and `inspect-gradients` do, in the smallest steps that run. Read on in
what is called. Shapes: n crops of T steps with I inputs, H units, o questions, q quantile levels.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from rnncli.diagnostics.flow import gradient_by_lag
from rnncli.diagnostics.unrolling import Stack
from rnncli.diagnostics.verdict import judge
from rnncli.events import unheard
from rnncli.layers.encoder import outputs
from rnncli.model import load
from rnncli.nn.network import encode
from rnncli.registry import TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.plan import Plan
from rnncli.tasks.seen import Seen, head_weights
from rnncli.tasks.task import Lesson, Task
from rnncli.training.adamw import adamw
from rnncli.training.objective import at_the_end, forward, on
from rnncli.training.session import initial_weights, train

SIZES = {"horizon": 12, "cell": "lstm", "layers": 1, "hidden": 8, "members": 1, "steps": 5, "batch": 16}


class Tour(NamedTuple):
    """A task, its data, what was planned, the data as questions, one of them, and weights that are not trained yet."""

    task: Task[Any]
    loaded: Any
    plan: Plan[Any]
    lesson: Lesson
    question: Seen
    weights: dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def tour(sample_data: Path) -> Tour:
    """A table becomes a panel, then all is decided before the first step. The question: what comes in the last year?"""
    task: Task[Any] = find(TASKS, "forecast", "task")
    loaded = task.load_new(sample_data / "us_employment.csv", ColumnChoices(), SIZES, unheard)
    panel = loaded.panel.select(np.arange(3))
    plan = task.planned(replace(loaded, panel=panel), SIZES)
    lesson = task.lesson(panel, plan.spec, panel.lengths)
    seen = lesson.ending(np.arange(3), panel.lengths - 12)
    return Tour(task, replace(loaded, panel=panel), plan, lesson, seen, initial_weights(plan))


def test_a_table_is_a_panel_of_flat_arrays(tour: Tour) -> None:
    panel = tour.loaded.panel
    assert (len(panel), panel.values.shape, str(panel.calendar.frequency)) == (3, (360, 1), "1 month")
    assert panel.target(0).tolist() == panel.values[: panel.offsets[1], 0].tolist()


def test_a_lesson_turns_it_into_crops_with_several_questions_each(tour: Tour) -> None:
    seen = tour.lesson.drawn(np.random.default_rng(0), size=16)
    assert seen.inputs.shape[:2] == (16, tour.task.context(tour.plan.spec))  # [n, T, I]
    assert seen.targets.shape == (len(seen.rows), 12)  # question i: the rows after step origins[i] of crop rows[i]


def test_the_loss_falls_step_by_step(tour: Tour) -> None:
    """The encoder gives an output a step, the head reads those at the origins, the loss says how wrong it is."""
    task, plan, seen = tour.task, tour.plan, on(tour.question)
    weights = {name: weight.clone().requires_grad_() for name, weight in tour.weights.items()}
    moments = [{name: torch.zeros_like(weight) for name, weight in weights.items()} for _ in range(2)]
    losses = []
    for step in range(1, 6):
        head = head_weights(weights)
        encoded = encode(weights, plan.network, task.enter(plan.spec, head, seen, torch))  # [n, T, H]
        state = task.read(plan.spec, head, encoded, seen, torch)  # [o, H]
        said = task.head(plan.spec, head, state, seen.beside, torch)  # [o, horizon, q]
        loss = task.loss(plan.spec, said, seen.targets, torch).mean()
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for weight, gradient in zip(weights.values(), gradients, strict=True):
            weight.grad = gradient
        adamw(weights, *moments, step=step, rate=0.01, decay=dict.fromkeys(weights, 0.0))
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


def test_the_same_formulas_run_in_numpy(tour: Tour) -> None:
    """Prediction imports no torch: the kernel is the cell's formula, and `xp` is NumPy."""
    task, plan, seen = tour.task, tour.plan, tour.question
    weights = {name: weight.numpy() for name, weight in tour.weights.items()}
    state = task.read(plan.spec, head_weights(weights), outputs(plan.network, weights, seen.inputs), seen, np)
    said = task.head(plan.spec, head_weights(weights), state, seen.beside, np)
    assert np.allclose(said, forward(tour.weights, plan, on(seen)).numpy(), atol=1e-5)
    assert task.answers(plan.spec, said, seen.units).shape == (3, 12, 9)  # in the units of the data


def test_a_training_leaves_a_file_that_answers(tour: Tour, tmp_path: Path) -> None:
    """A search on what is not held out, a refit with everything, then what held-out answers decide."""
    *_, trained = train(tour.loaded.panel, tour.plan)  # before it, the events of training
    tour.task.settled(tour.loaded, tour.plan, trained, None).save(tmp_path / "jobs.safetensors")
    quantiles = load(tmp_path / "jobs.safetensors").quantiles(tour.loaded.panel, tour.loaded.panel.lengths)
    assert (np.diff(quantiles, axis=2) >= 0).all()  # [series, horizon, q]


def test_a_diagnosis_follows_the_gradient_back(tour: Tour) -> None:
    """An exact unroll in float64: how much of the loss's gradient at the origin is left k steps before it?"""
    task, plan, seen = tour.task, tour.plan, on(tour.question)
    head = {name: weight.double() for name, weight in head_weights(tour.weights).items()}

    def loss_of(encoded: torch.Tensor, rows: slice) -> Any:
        asked = at_the_end(seen, rows, encoded)
        state = task.read(plan.spec, head, encoded, asked, torch)
        return task.loss(plan.spec, task.head(plan.spec, head, state, asked.beside, torch), asked.targets, torch)

    flow = gradient_by_lag(Stack.of(plan.network, tour.weights), seen.inputs, loss_of)
    assert judge(flow.layers[0], (12,)).name == "healthy"  # its gates begin so that they keep a year
