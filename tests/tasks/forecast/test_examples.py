"""Origins lie where they may, missing targets do not count, whole numbers are learnt with noise around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import features, plan
from rnncli.tasks.forecast.examples import Examples
from rnncli.tasks.forecast.head import loss as pinball_loss
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.training.ranks import Ranks

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def spec(weekly_waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(weekly_waves, 5, LEVELS)


def test_sampled_origins_have_a_past_and_something_to_forecast(weekly_waves: Panel, spec: ForecastSpec) -> None:
    ends = weekly_waves.lengths - 11
    examples = Examples(weekly_waves, spec, ends)
    batch = examples.drawn(np.random.default_rng(0), 64)
    assert (~np.isnan(batch.targets)).any(axis=1).all()
    assert len(set(zip(batch.rows.tolist(), batch.origins.tolist(), strict=True))) == len(batch.rows)


def test_a_batch_never_looks_past_the_end_it_was_given(build: object, spec: ForecastSpec) -> None:
    panel = build(np.where(np.arange(100) < 80, 5.0 + np.arange(100) % 7, np.inf))  # type: ignore[operator]
    batch = Examples(panel, spec, np.array([80])).drawn(np.random.default_rng(0), 64)
    assert not np.isinf(batch.targets).any()
    assert np.isfinite(batch.inputs).all()


def test_some_crops_are_of_series_that_have_just_begun(weekly_waves: Panel, spec: ForecastSpec) -> None:
    examples = Examples(weekly_waves, spec, weekly_waves.lengths)
    batch = examples.drawn(np.random.default_rng(0), 400)
    origins = [batch.origins[batch.rows == crop] for crop in range(400)]
    young = [crop for crop, steps in enumerate(origins) if len(steps) and steps.max() < examples.warm_up - 1]
    assert 0.08 < len(young) / 400 < 0.17
    assert {0, 1, 2} <= {int(step) for crop in young for step in origins[crop]}
    assert any(batch.first_row[crop] > 0 for crop in young)


def test_a_young_series_shows_nothing_before_it_began(weekly_waves: Panel, spec: ForecastSpec) -> None:
    series, begun, at = np.array([4]), np.array([50]), (np.array([0]), np.array([2]))
    examples = Examples(weekly_waves, spec, weekly_waves.lengths)
    values = weekly_waves.values.copy()
    first = weekly_waves.offsets[4]
    values[first : first + 50] = 1e6
    changed = replace(weekly_waves, values=values)
    length = weekly_waves.lengths[series]
    other = Examples(changed, spec, weekly_waves.lengths).batch(series, begun, *at, length, begun=begun)
    same = examples.batch(series, begun, *at, length, begun=begun)
    for name in ("inputs", "targets"):
        np.testing.assert_array_equal(getattr(other, name), getattr(same, name))
    for name in ("components", "errors"):
        np.testing.assert_array_equal(other.beside[name], same.beside[name])
    may_come = examples.support.at(series)
    crops = features.cut(weekly_waves, length, series, begun, spec, may_come, begun)
    assert features.normalise(crops, spec).seen[0, 2] == 3


def test_whole_numbers_are_learnt_with_noise_that_rounds_back(build: object) -> None:
    counts = np.random.default_rng(2).poisson(1.5, 90).astype(np.float64)
    panel = build(counts)  # type: ignore[operator]
    spec = plan.forecast_spec(panel, 5, LEVELS)
    examples = Examples(panel, spec, panel.lengths)
    where = np.array([0]), np.array([20]), np.array([0]), np.array([12])
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 5))
    plain, noisy = examples.batch(*where), examples.batch(*where, noise=noise)
    level, spread = plain.units["level"][0], plain.units["spread"][0]
    units = level + spread * noisy.targets.astype(np.float64)
    assert (plain.targets != noisy.targets).all()
    assert np.round(units[0]).tolist() == counts[33:38].tolist()


@pytest.mark.parametrize("processes", [2, 3])
def test_shares_of_a_batch_are_together_the_whole(weekly_waves: Panel, processes: int) -> None:
    panel = replace(weekly_waves, values=np.round(weekly_waves.values))
    examples = Examples(panel, plan.forecast_spec(panel, 5, LEVELS), panel.lengths)
    whole, *shares = (
        examples.drawn(np.random.default_rng(0), 20, by)
        for by in (None, *(Ranks(rank, processes).share for rank in range(processes)))
    )
    for name in ("inputs", "targets", "origins", "series", "first_row"):
        assert np.array_equal(
            np.concatenate([getattr(one, name) for one in shares]), getattr(whole, name), equal_nan=True
        )
    assert np.concatenate([one.share.asked for one in shares if one.share]).tolist() == [*range(len(whole.rows))]


def test_pinball_is_the_quantile_loss_twice() -> None:
    predicted, actual = torch.tensor([[[1.0, 4.0, 6.0]]]), torch.tensor([[3.0]])
    expected = 2 * (0.1 * 2 + 0.5 * 1 + 0.1 * 3) / 3
    torch.testing.assert_close(pinball_loss(predicted, actual, LEVELS, torch), torch.tensor([expected]))


def test_a_missing_target_changes_neither_loss_nor_gradient() -> None:
    predicted = torch.tensor([[[1.0, 2.0, 3.0], [9.0, 9.0, 9.0]]], requires_grad=True)
    loss = pinball_loss(predicted, torch.tensor([[2.5, float("nan")]]), LEVELS, torch)
    loss.sum().backward()
    alone = pinball_loss(predicted[:, :1], torch.tensor([[2.5]]), LEVELS, torch)
    torch.testing.assert_close(loss, alone)
    assert predicted.grad is not None
    assert (predicted.grad[0, 1] == 0).all()


def test_crops_of_a_single_row_are_whole(build: object, spec: ForecastSpec) -> None:
    panel = build([3.0])  # type: ignore[operator]
    crops, last = features.latest(panel, panel.lengths, np.array([0]), spec)
    assert last.tolist() == [0]
    assert np.isnan(crops.values).sum() == crops.values.size - 1
