"""Scores by series and over all, against numbers worked by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.evaluation.scores import score
from rnncli.metrics.metric import Forecasts
from rnncli.registry import METRICS

NAN = float("nan")
LEVELS = (0.1, 0.5, 0.9)


def _forecasts(actual: list[list[float]], point: list[list[float]], scale: list[float]) -> Forecasts:
    middle = np.array(point)
    wide = np.stack([middle - 1, middle, middle + 1], axis=-1)
    return Forecasts(np.array(actual), middle, wide, LEVELS, np.array(scale), np.array(scale) ** 2)


TWO = _forecasts([[1.0, 3.0], [10.0, NAN]], [[2.0, 3.0], [4.0, 9.0]], [0.5, 2.0])


def test_mae_rmse_wql_and_coverage_are_pooled_over_all_values() -> None:
    overall = score(TWO).overall
    assert overall["mae"] == pytest.approx((1 + 0 + 6) / 3)
    assert overall["rmse"] == pytest.approx(math.sqrt((1 + 0 + 36) / 3))
    assert overall["coverage_80"] == pytest.approx(2 / 3)
    pinball = {0.1: 0.0 + 0.2 * 0.5 + 0.7, 0.5: 0.5 + 0 + 3, 0.9: 0.2 + 0.1 + 0.9 * 5}
    low = [0.0, 0.1 * 1, 0.1 * 7]
    pinball[0.1] = sum(low)
    assert overall["wql"] == pytest.approx(2 * sum(pinball.values()) / 3 / 14)


def test_mase_rmsse_smape_and_msis_are_means_of_the_series() -> None:
    overall = score(TWO).overall
    assert overall["mase"] == pytest.approx((0.5 / 0.5 + 6 / 2) / 2)
    assert overall["rmsse"] == pytest.approx((math.sqrt(0.5 / 0.25) + math.sqrt(36 / 4)) / 2)
    assert overall["smape"] == pytest.approx((200 / 3 / 2 + 200 * 6 / 14) / 2)
    assert overall["msis_80"] == pytest.approx((2 / 0.5 + (2 + 10 * 5) / 2) / 2)


def test_the_interval_score_is_that_of_95_percent_where_there_is_one() -> None:
    levels = (0.005, 0.025, 0.5, 0.975, 0.995)
    made = Forecasts(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1, 5)), levels, np.ones(1), np.ones(1))
    names = score(made).overall.keys()
    assert {"msis_95", "coverage_95", "coverage_99"} <= names
    assert "msis_99" not in names


def test_without_a_central_interval_there_is_no_interval_score() -> None:
    made = Forecasts(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1, 1)), (0.5,), np.ones(1), np.ones(1))
    assert set(score(made).overall) == METRICS["forecast"].keys() - {"msis", "coverage"}


def test_windows_of_a_series_are_pooled_before_series_are_averaged() -> None:
    made = _forecasts([[0.0], [0.0], [0.0]], [[1.0], [3.0], [5.0]], [1.0, 2.0, 1.0])
    scores = score(made, np.array([0, 0, 1]), 2)
    assert scores.per_series["mase"].tolist() == [1.25, 5.0]
    assert scores.overall["mase"] == 3.125
    assert scores.per_series["mae"].tolist() == [2.0, 5.0]
    assert scores.overall["mae"] == 3.0


def test_a_series_without_a_scale_takes_no_part_in_mase_and_is_counted() -> None:
    scores = score(_forecasts([[1.0], [1.0]], [[2.0], [9.0]], [1.0, NAN]))
    assert scores.overall["mase"] == 1.0
    assert scores.undefined["mase"] == 1
    assert scores.undefined["mae"] == 0


def test_a_series_of_zeros_counts_in_the_pooled_quantile_loss() -> None:
    scores = score(_forecasts([[0.0], [2.0]], [[4.0], [2.0]], [1.0, 1.0]))
    assert scores.undefined["wql"] == 1
    assert scores.overall["wql"] == pytest.approx(2 * (0.9 * 3 + 0.5 * 4 + 0.1 * 5 + 0.1 + 0.1) / 3 / 2)


def test_nothing_to_score_is_undefined_everywhere() -> None:
    scores = score(_forecasts([[NAN], [NAN]], [[1.0], [1.0]], [1.0, 1.0]))
    assert all(math.isnan(value) for value in scores.overall.values())
    assert set(scores.undefined.values()) == {2}


def test_skill_is_the_share_of_the_reference_score_that_is_gone() -> None:
    ours = score(_forecasts([[0.0, 2.0]], [[1.0, 2.0]], [1.0]))
    theirs = score(_forecasts([[0.0, 2.0]], [[2.0, 4.0]], [1.0]))
    assert ours.skill(theirs)["mase"] == 0.75
    assert "coverage_80" not in ours.skill(theirs)


def test_skill_against_a_perfect_reference_is_undefined() -> None:
    perfect = score(_forecasts([[1.0]], [[1.0]], [1.0]))
    assert math.isnan(score(_forecasts([[1.0]], [[2.0]], [1.0])).skill(perfect)["mase"])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_permuting_series_changes_no_score_by_a_bit(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    actual, point = draw.lognormal(3, 3, (2, count, 4))
    actual[draw.random(actual.shape) < 0.2] = NAN
    scale, order = draw.lognormal(size=count), draw.permutation(count)
    before = score(_forecasts(actual.tolist(), point.tolist(), scale.tolist()))
    after = score(_forecasts(actual[order].tolist(), point[order].tolist(), scale[order].tolist()))
    assert json.dumps(before.overall) == json.dumps(after.overall)
    np.testing.assert_array_equal(before.per_series["wql"][order], after.per_series["wql"])
