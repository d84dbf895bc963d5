"""Baselines against forecasts worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.baselines.baseline import Baseline
from rnncli.baselines.naive import drift, naive, seasonal_naive
from rnncli.registry import BASELINES, find

NAN = float("nan")
ALL = [naive, seasonal_naive, drift]


def _is(forecast: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_array_equal(forecast, expected)


def test_naive_repeats_the_last_value() -> None:
    _is(naive(np.array([1.0, 2.0, 7.0]), 3), [7, 7, 7])


def test_naive_repeats_the_last_observed_value() -> None:
    _is(naive(np.array([1.0, 2.0, NAN]), 2), [2, 2])


def test_seasonal_naive_repeats_the_last_season() -> None:
    _is(seasonal_naive(np.array([9.0, 9, 9, 1, 2, 3]), 7, 3), [1, 2, 3, 1, 2, 3, 1])


def test_seasonal_naive_looks_a_season_further_back_for_a_missing_value() -> None:
    _is(seasonal_naive(np.array([1.0, 2, 3, NAN, NAN, 6, NAN, 8, 9]), 4, 3), [1, 8, 9, 1])


def test_seasonal_naive_keeps_the_phase_over_trailing_missing_rows() -> None:
    _is(seasonal_naive(np.array([1.0, 2, 3, 4, NAN]), 3, 2), [4, 3, 4])


def test_seasonal_naive_is_naive_where_a_phase_was_never_observed() -> None:
    _is(seasonal_naive(np.array([1.0, NAN, 3, NAN]), 2, 2), [3, 3])


@pytest.mark.parametrize("history", [[4.0, 5.0], [NAN, NAN, NAN, 4.0, 5.0]])
def test_seasonal_naive_is_naive_where_less_than_a_season_is_known(history: list[float]) -> None:
    _is(seasonal_naive(np.array(history), 3, 4), [5, 5, 5])


def test_drift_carries_the_line_through_the_ends_on() -> None:
    _is(drift(np.array([1.0, 9.0, 5.0]), 3), [7, 9, 11])


def test_drift_counts_the_steps_of_missing_rows() -> None:
    _is(drift(np.array([NAN, 1.0, NAN, 5.0, NAN]), 2), [9, 11])


@pytest.mark.parametrize("baseline", ALL, ids=lambda b: b.name)
def test_one_row_is_repeated(baseline: Baseline) -> None:
    _is(baseline(np.array([3.0]), 2, 12), [3, 3])


@pytest.mark.parametrize("baseline", ALL, ids=lambda b: b.name)
@pytest.mark.parametrize("history", [[], [NAN, NAN, NAN]])
def test_nothing_observed_is_forecast_as_nothing(baseline: Baseline, history: list[float]) -> None:
    _is(baseline(np.array(history), 2, 2), [NAN, NAN])


@pytest.mark.parametrize("baseline", ALL, ids=lambda b: b.name)
def test_large_values_stay_exact(baseline: Baseline) -> None:
    large = 2.0**53 - 1
    _is(baseline(np.array([large, large, large]), 2, 2), [large, large])


@pytest.mark.parametrize("baseline", ALL, ids=lambda b: b.name)
def test_a_series_is_forecast_the_same_alone_and_in_a_panel(baseline: Baseline) -> None:
    draw = np.random.default_rng(3)
    histories = [draw.normal(size=n) for n in (0, 1, 5, 9, 30, 100)]
    for history in histories[3:]:
        history[draw.random(len(history)) < 0.3] = NAN
    offsets = np.cumsum([0, *map(len, histories)])
    wide, point = baseline.quantiles(np.concatenate(histories), offsets, 7, 4, (0.1, 0.5, 0.9))
    for place, history in enumerate(histories):
        alone, middle = baseline.quantiles(history, np.array([0, len(history)]), 7, 4, (0.1, 0.5, 0.9))
        np.testing.assert_array_equal(wide[place], alone[0])
        np.testing.assert_array_equal(point[place], middle[0])


def test_every_registered_baseline_is_one() -> None:
    assert all(isinstance(find(BASELINES["forecast"], name, "baseline"), Baseline) for name in BASELINES["forecast"])
