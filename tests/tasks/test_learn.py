"""Origins lie where they may, missing targets do not count, held-out rows are not trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import features, learn, plan
from rnncli.tasks.forecast.learn import Examples, Validated, hold_out, pinball
from rnncli.tasks.forecast.spec import ForecastSpec

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def spec(weekly_waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(weekly_waves, 5, LEVELS)


def test_sampled_origins_have_a_past_and_something_to_forecast(weekly_waves: Panel, spec: ForecastSpec) -> None:
    ends = weekly_waves.lengths - 11
    examples = Examples(weekly_waves, spec, ends)
    batch = examples.sample(np.random.default_rng(0), 64, 12)
    assert (~torch.isnan(batch.targets)).any(dim=1).all()
    assert len(set(zip(batch.rows.tolist(), batch.origins.tolist(), strict=True))) == len(batch.rows)


def test_a_batch_never_looks_past_the_end_it_was_given(build: object, spec: ForecastSpec) -> None:
    panel = build(np.where(np.arange(100) < 80, 5.0 + np.arange(100) % 7, np.inf))  # type: ignore[operator]
    batch = Examples(panel, spec, np.array([80])).sample(np.random.default_rng(0), 64, 12)
    assert not torch.isinf(batch.targets).any()
    assert torch.isfinite(batch.inputs).all()


def test_pinball_is_the_quantile_loss_twice() -> None:
    predicted, actual = torch.tensor([[[1.0, 4.0, 6.0]]]), torch.tensor([[3.0]])
    expected = 2 * (0.1 * 2 + 0.5 * 1 + 0.1 * 3) / 3
    torch.testing.assert_close(pinball(predicted, actual, torch.tensor(LEVELS)), torch.tensor([expected]))


def test_a_missing_target_changes_neither_loss_nor_gradient() -> None:
    predicted = torch.tensor([[[1.0, 2.0, 3.0], [9.0, 9.0, 9.0]]], requires_grad=True)
    loss = pinball(predicted, torch.tensor([[2.5, float("nan")]]), torch.tensor(LEVELS))
    loss.sum().backward()
    alone = pinball(predicted[:, :1], torch.tensor([[2.5]]), torch.tensor(LEVELS))
    torch.testing.assert_close(loss, alone)
    assert predicted.grad is not None
    assert (predicted.grad[0, 1] == 0).all()


def test_the_last_horizon_of_every_long_series_is_held_out(weekly_waves: Panel, spec: ForecastSpec) -> None:
    holdout = hold_out(weekly_waves, spec)
    assert (holdout.origins[-1] == weekly_waves.lengths - spec.horizon).all()
    assert (holdout.ends(weekly_waves.lengths) <= weekly_waves.lengths - spec.horizon).all()


def test_a_series_too_short_to_spare_rows_trains_whole(build: object, spec: ForecastSpec) -> None:
    panel = build(np.arange(1.0, 61), np.arange(1.0, 9))  # type: ignore[operator]
    assert hold_out(panel, spec).ends(panel.lengths)[1] == 8


def test_where_no_series_can_spare_rows_all_are_trained_on(build: object, spec: ForecastSpec) -> None:
    panel = build(np.arange(1.0, 9), np.arange(1.0, 5))  # type: ignore[operator]
    assert hold_out(panel, spec).ends(panel.lengths).tolist() == [8, 4]


def test_the_scaled_loss_of_a_perfect_forecast_is_zero() -> None:
    actual = np.array([[1.0, np.nan]])
    found = Validated(np.array([0]), np.array([5]), np.repeat(actual[..., None], 3, axis=2), actual, np.array([2.0]))
    assert learn.scaled_quantile_loss(found, LEVELS).tolist() == [0.0]


def test_a_series_that_never_changes_still_has_a_scale(build: object) -> None:
    panel = build(np.full(30, 4.0), np.zeros(30))  # type: ignore[operator]
    assert learn.seasonal_scale(panel, np.array([0, 1]), panel.lengths, 7).tolist() == [4.0, 1.0]


def test_crops_of_a_single_row_are_whole(build: object, spec: ForecastSpec) -> None:
    panel = build([3.0])  # type: ignore[operator]
    crops, last = features.latest(panel, panel.lengths, np.array([0]), spec)
    assert last.tolist() == [0]
    assert np.isnan(crops.values).sum() == crops.values.size - 1
