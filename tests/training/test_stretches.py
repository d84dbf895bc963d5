"""`--tbptt`: whole series in order, their state carried on from step to step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.data.panel import Panel
from rnncli.events import SEARCH, Phase
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.examples import Examples
from rnncli.tasks.forecast.spec import Covariate
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan
from rnncli.training.events import Stepped
from rnncli.training.fit import begin, fit
from rnncli.training.objective import Objective
from rnncli.training.session import initial_weights
from rnncli.training.stretches import Stretches

LEVELS = (0.1, 0.5, 0.9)
LENGTHS = np.array([23, 5, 0, 40, 1, 16])


def test_a_stream_goes_through_each_series_in_order_and_through_all_before_one_comes_again() -> None:
    stretches = Stretches(LENGTHS, 8, 3, (1, 0, 0))
    each = -(-LENGTHS // 8)
    found = np.array([stretches.at(step) for step in range(1, 4 * int(each.sum()) + 1)])  # [steps, 2, streams]
    for series, first_row in np.moveaxis(found, 2, 0).swapaxes(1, 2):
        starts = np.flatnonzero(first_row == 0)
        for at, until in pairwise(starts.tolist()):
            assert (series[at:until] == series[at]).all()
            assert first_row[at:until].tolist() == list(range(0, int(LENGTHS[series[at]]), 8))
        assert (
            np.abs(np.bincount(series, minlength=6) - 4 * each) <= each
        ).all()  # one round may be begun and not ended
    assert len({tuple(stream) for stream in found[:, 0].T.tolist()}) == 3


def test_where_the_streams_are_is_a_function_of_the_step_alone() -> None:
    forward = Stretches(LENGTHS, 8, 3, (1, 0, 0))
    every = [np.stack(forward.at(step)) for step in range(1, 60)]
    assert (np.stack(Stretches(LENGTHS, 8, 3, (1, 0, 0)).at(41)) == every[40]).all()
    assert (np.stack(forward.at(3)) == every[2]).all()


def test_inputs_and_targets_are_those_of_a_crop_wherever_a_stretch_begins(weekly_waves: Panel) -> None:
    spec = plan.forecast_spec(weekly_waves, 5, LEVELS, 120)
    examples = Examples(weekly_waves, spec, weekly_waves.lengths)
    series, first_row = np.array([5, 4, 5]), np.array([0, 40, 104])
    batch = examples.stretch(np.random.default_rng(0), series, first_row, 16)
    rows, origins = batch.rows, batch.origins
    whole = examples.batch(series, np.zeros(3, np.int64), rows, origins + first_row[rows])
    for row, first in enumerate(first_row.tolist()):
        np.testing.assert_allclose(batch.inputs[row], whole.inputs[row, first : first + 16], atol=1e-5)
    np.testing.assert_allclose(batch.targets, whole.targets, atol=1e-4, equal_nan=True)
    for name in ("components", "known", "errors"):
        np.testing.assert_allclose(batch.beside[name], whole.beside[name], atol=1e-4, equal_nan=True)
    assert batch.fresh is not None
    assert batch.fresh.tolist() == [True, False, False]


def test_origins_have_a_past_and_something_to_forecast(weekly_waves: Panel) -> None:
    spec = plan.forecast_spec(weekly_waves, 5, LEVELS)
    ends = weekly_waves.lengths - 11
    examples = Examples(weekly_waves, spec, ends)
    stretches = Stretches(ends, 8, 16, (0, 0, 0))
    seen = 0
    for step in range(1, 40):
        batch = examples.stretch(np.random.default_rng(step), *stretches.at(step), 8)
        row = batch.first_row[batch.rows] + batch.origins
        assert (row >= examples.warm_up - 1).all()
        assert (row < ends[batch.series[batch.rows]] - 1).all()
        assert (~np.isnan(batch.targets)).any(axis=1).all()
        seen += len(row)
    assert seen > 39 * 16 * 4 * 0.8


def planned(panel: Panel, said: plan.Sizes, beside: tuple[Covariate, ...] = (), horizon: int = 3) -> Plan:
    spec = plan.forecast_spec(panel, horizon, LEVELS, beside=beside)
    network = plan.network_spec(panel, spec, said)
    return Plan(TASK, network, spec, plan.training_spec(network, spec, said))


def objective(panel: Panel, made: Plan, kind: type[Objective] = Objective) -> Objective:
    examples = Examples(panel, made.spec, panel.lengths)
    return kind(made, examples, None, (0, 0, 0), panel)


class Forgetful(Objective):
    """The same training with a state that is lost between the steps."""

    def loss(self, weights: object, step: int, carried: dict[str, Tensor] | None = None) -> Tensor:
        del carried
        return super().loss(weights, step, {})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cued(build: Callable[..., Panel]) -> Panel:
    """The target is seen in one row of twelve alone, and a covariate said eleven rows earlier where it would be."""
    rng = np.random.default_rng(0)
    series = []
    for _ in range(8):
        cue = np.zeros(12 * 30)
        cue[::12] = rng.choice([-1.0, 1.0], 30)
        target = np.full(len(cue), np.nan)
        target[11::12] = 10 + 3 * cue[::12]
        series.append(np.stack([target, cue], axis=1))
    made: Panel = build(*series, seasons=(12,), channels=("y", "cue"))
    return made


def test_a_cue_from_before_the_stretch_is_used_by_what_is_carried_alone(cued: Panel) -> None:
    """Gradients go back through 6 rows; from 5 of the 9 origins that see the target ahead, the cue is farther back."""
    said = plan.Sizes(cell="gru", layers=1, hidden=16, dropout=0.0, tbptt=6, steps=300, batch=16, learning_rate=2e-2)
    made = planned(cued, said, (Covariate("cue", "past"),), horizon=9)
    ends = {}
    for kind in (Objective, Forgetful):
        events = fit(begin(initial_weights(made, 0)), objective(cued, made, kind), made.training, Phase(SEARCH))
        ends[kind] = np.mean([event.loss for event in events if isinstance(event, Stepped)][-30:])
    assert ends[Objective] < 0.75 * ends[Forgetful], ends


def test_series_no_longer_than_a_season_are_learnt_from(build: Callable[..., Panel]) -> None:
    panel = build(*np.random.default_rng(0).normal(50, 5, (30, 6)))
    made = planned(panel, plan.Sizes(hidden=4, tbptt=4, steps=5, batch=8), horizon=2)
    events = fit(begin(initial_weights(made, 0)), objective(panel, made), made.training, Phase(SEARCH))
    assert any(event.loss > 0 for event in events if isinstance(event, Stepped))


def test_a_step_keeps_no_more_for_its_gradient_where_series_are_longer(build: Callable[..., Panel]) -> None:
    def kept(rows: int) -> int:
        panel = build(*np.random.default_rng(0).normal(50, 5, (4, rows)))
        made = planned(panel, plan.Sizes(cell="lstm,gru", hidden=16, dropout=0.0, tbptt=8, batch=4))
        weights = {name: weight.requires_grad_() for name, weight in initial_weights(made, 0).items()}
        task, carried, sizes = objective(panel, made), dict[str, Tensor](), list[int]()

        def count(tensor: Tensor) -> Tensor:
            sizes.append(tensor.numel())
            return tensor

        for step in range(1, 4):
            sizes.clear()
            with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
                task.loss(weights, step, carried)
        return sum(sizes)

    assert kept(2_000) <= 1.1 * kept(200)
