"""Quantile and interval metrics against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.metrics.quantile import (
    central_intervals,
    coverage,
    interval_score,
    msis,
    pinball,
    weighted_quantile_loss,
)

NAN = float("nan")


def test_pinball_weighs_too_low_with_q_and_too_high_with_1_minus_q() -> None:
    losses = pinball(np.array([10.0, 10.0]), np.array([[7.0, 6.0], [15.0, 12.0]]), (0.1, 0.9))
    np.testing.assert_allclose(losses, [[0.3, 3.6], [4.5, 0.2]])


def test_weighted_quantile_loss_by_hand() -> None:
    quantiles = np.array([[7.0, 6.0], [15.0, 12.0], [0.0, 0.0]])
    loss = weighted_quantile_loss(np.array([10.0, -10.0, NAN]), quantiles, (0.1, 0.9))
    low, high = 0.3 + 0.9 * 25, 3.6 + 0.1 * 22
    assert loss == pytest.approx((2 * low / 20 + 2 * high / 20) / 2)


def test_weighted_quantile_loss_of_one_value_for_all_levels_is_the_normalised_deviation() -> None:
    y, point = np.array([3.0, 5.0, 2.0]), np.array([4.0, 4.0, 4.0])
    quantiles = np.repeat(point[:, None], 3, axis=1)
    assert weighted_quantile_loss(y, quantiles, (0.1, 0.5, 0.9)) == pytest.approx(4 / 10)


@pytest.mark.parametrize("actual", [[0.0, 0.0], [NAN, NAN]])
def test_weighted_quantile_loss_over_nothing_is_undefined(actual: list[float]) -> None:
    assert np.isnan(weighted_quantile_loss(np.array(actual), np.ones((2, 1)), (0.5,)))


def test_coverage_counts_the_ends_as_inside_and_leaves_missing_values_out() -> None:
    y = np.array([1.0, 2.0, 3.0, NAN, 5.0])
    assert coverage(y, np.ones(5), np.full(5, 3.0)) == 3 / 4


def test_interval_score_is_the_width_and_a_fine_for_what_lies_outside() -> None:
    score = interval_score(np.array([2.0, 0.0, 7.0]), np.ones(3), np.full(3, 5.0), 0.8)
    np.testing.assert_allclose(score, [4.0, 4.0 + 10 * 1, 4.0 + 10 * 2])


def test_msis_is_the_mean_interval_score_in_units_of_the_scale() -> None:
    y = np.array([2.0, NAN, 7.0])
    assert msis(y, np.ones(3), np.full(3, 5.0), 0.95, np.array(2.0)) == pytest.approx((4 + 4 + 40 * 2) / 2 / 2)
    assert np.isnan(msis(y, np.ones(3), np.full(3, 5.0), 0.95, np.array(NAN)))


def test_central_intervals_are_found_among_any_levels() -> None:
    levels = tuple(round(0.1 * k, 1) for k in range(1, 10))
    assert [(i.percent, i.lower, i.upper) for i in central_intervals(levels)] == [
        ("20", 3, 5), ("40", 2, 6), ("60", 1, 7), ("80", 0, 8),
    ]  # fmt: skip
    assert [i.percent for i in central_intervals((0.0125, 0.2, 0.5, 0.9, 0.9875))] == ["97.5"]
    assert central_intervals((0.5,)) == ()
