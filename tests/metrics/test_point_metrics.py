"""Point metrics against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.metrics.point import mae, mase, mse, rmse, rmsse, smape
from rnncli.metrics.scale import seasonal_scale, seasonal_scales

NAN = float("nan")
Y = np.array([10.0, 20.0, NAN, 40.0])
F = np.array([12.0, 16.0, 99.0, 40.0])


def test_mae_leaves_missing_actuals_out() -> None:
    assert mae(Y, F) == 2.0


def test_mse_and_rmse_by_hand() -> None:
    assert mse(Y, F) == 20 / 3
    assert rmse(Y, F) == pytest.approx((20 / 3) ** 0.5, rel=1e-15)


def test_smape_by_hand() -> None:
    assert smape(Y, F) == pytest.approx((400 / 22 + 800 / 36 + 0) / 3, rel=1e-15)


def test_smape_of_zero_forecast_as_zero_is_0_and_of_anything_else_is_200() -> None:
    assert smape(np.array([0.0, 0.0]), np.array([0.0, 5.0])) == 100.0


def test_the_scale_is_the_mean_seasonal_difference() -> None:
    history = np.array([1.0, 2.0, 4.0, 7.0, 3.0])
    assert seasonal_scale(history, 1) == (1 + 2 + 3 + 4) / 4
    assert seasonal_scale(history, 2) == (3 + 5 + 1) / 3
    assert seasonal_scales(history, np.array([0, 5]), 2, power=2).tolist() == [(9 + 25 + 1) / 3]


def test_the_scale_leaves_out_pairs_with_a_missing_value() -> None:
    assert seasonal_scale(np.array([NAN, NAN, 1.0, 4.0, NAN, 6.0, 7.0]), 1) == (3 + 1) / 2


@pytest.mark.parametrize("history", [[], [5.0], [5.0, 5.0, 5.0], [NAN, NAN, NAN], [1.0, NAN, 2.0]])
def test_a_scale_of_zero_or_of_nothing_is_undefined(history: list[float]) -> None:
    assert np.isnan(seasonal_scale(np.array(history), 1))


def test_scales_of_a_panel_never_reach_across_series() -> None:
    values = np.array([1.0, 3.0, 100.0, 50.0, 60.0, 80.0])
    scales = seasonal_scales(values, np.array([0, 2, 2, 3, 6]), 1)
    np.testing.assert_array_equal(scales, [2.0, NAN, NAN, 15.0])


def test_mase_is_mae_in_units_of_the_scale() -> None:
    assert mase(Y, F, np.array(4.0)) == 0.5


def test_rmsse_is_the_root_of_mse_in_units_of_the_squared_scale() -> None:
    assert rmsse(np.array([1.0, 2.0]), np.array([4.0, 2.0]), np.array(0.5)) == 3.0


@pytest.mark.parametrize("scale", [0.0, NAN])
def test_without_a_scale_mase_and_rmsse_are_undefined(scale: float) -> None:
    assert np.isnan(mase(Y, F, np.array(scale)))
    assert np.isnan(rmsse(Y, F, np.array(scale)))


@pytest.mark.parametrize("metric", [mae, mse, rmse, smape])
def test_without_actual_values_everything_is_undefined(metric) -> None:  # type: ignore[no-untyped-def]
    assert np.isnan(metric(np.full(3, NAN), np.ones(3)))
    assert np.isnan(metric(np.empty(0), np.empty(0)))


@pytest.mark.parametrize("metric", [mae, mse, rmse, smape])
def test_a_forecast_that_is_not_finite_makes_the_metric_undefined(metric) -> None:  # type: ignore[no-untyped-def]
    assert np.isnan(metric(np.ones(2), np.array([1.0, NAN])))
    assert np.isnan(metric(np.ones(2), np.array([1.0, np.inf])))


def test_an_error_too_large_for_a_float_is_undefined_and_not_infinite() -> None:
    assert np.isnan(rmse(np.array([1e200]), np.array([-1e200])))


def test_leading_axes_are_kept() -> None:
    assert mae(np.ones((3, 4, 5)), np.zeros((3, 4, 5))).shape == (3, 4)
