"""Intervals of the baselines, and the published scores of the seasonal naive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.baselines.baseline import Baseline
from rnncli.baselines.naive import drift, naive, seasonal_naive, with_intervals

ALL = [naive, seasonal_naive, drift]
LEVELS = tuple(round(0.1 * k, 1) for k in range(1, 10))
HISTORIES = arrays(float, st.integers(0, 40), elements=st.floats(-1e9, 1e9) | st.just(float("nan")))


@settings(max_examples=60, deadline=None)
@given(HISTORIES, st.integers(1, 8), st.integers(1, 13), st.sampled_from(ALL))
def test_quantiles_are_finite_and_never_cross(y: np.ndarray, horizon: int, season: int, baseline: Baseline) -> None:
    wide = with_intervals(baseline, y, horizon, season, LEVELS)
    assert wide.shape == (horizon, 9)
    assert np.isfinite(wide).all() or np.isnan(y).all()
    assert not (np.diff(wide, axis=1) < 0).any()


@settings(max_examples=60, deadline=None)
@given(HISTORIES, st.integers(1, 8), st.integers(1, 13), st.sampled_from(ALL))
def test_the_median_is_the_forecast_to_the_bit(y: np.ndarray, horizon: int, season: int, baseline: Baseline) -> None:
    np.testing.assert_array_equal(
        with_intervals(baseline, y, horizon, season, LEVELS)[:, 4], baseline(y, horizon, season)
    )


@pytest.mark.parametrize("baseline", ALL, ids=lambda b: b.name)
def test_a_constant_series_has_intervals_without_width(baseline: Baseline) -> None:
    np.testing.assert_array_equal(
        with_intervals(baseline, np.full(30, 5.0), 4, 3, (0.1, 0.5, 0.9)), np.full((4, 3), 5.0)
    )


def test_the_intervals_of_a_random_walk_grow_with_the_root_of_the_horizon() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=50_000))
    wide = with_intervals(naive, walk, 16, 1, (0.1, 0.9))
    width = wide[:, 1] - wide[:, 0]
    np.testing.assert_allclose(width, 2 * 1.2816 * np.sqrt(np.arange(1, 17)), rtol=0.05)


def test_the_intervals_of_independent_noise_do_not_grow_with_the_horizon() -> None:
    wide = with_intervals(naive, np.random.default_rng(1).normal(size=20_000), 30, 1, (0.1, 0.9))
    width = wide[:, 1] - wide[:, 0]
    np.testing.assert_allclose(width, width[0], rtol=0.03)


def test_seasonal_intervals_are_of_one_width_within_a_season() -> None:
    wide = with_intervals(seasonal_naive, np.random.default_rng(1).normal(size=400), 8, 4, (0.1, 0.9))
    width = np.round(wide[:, 1] - wide[:, 0], 12)
    assert len(set(width[:4])) == len(set(width[4:])) == 1


def test_a_gap_before_the_forecast_widens_a_random_walks_intervals() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=500))
    stale = np.append(walk, [np.nan] * 3)
    near, far = (with_intervals(naive, y, 1, 1, (0.1, 0.9))[0] for y in (walk, stale))
    assert far[1] - far[0] == pytest.approx(2 * (near[1] - near[0]), rel=0.05)


def test_errors_of_any_shape_are_covered_in_sample_as_often_as_named() -> None:
    draw = np.random.default_rng(5).standard_cauchy(20_001)
    low, high = with_intervals(naive, np.cumsum(draw), 1, 1, (0.1, 0.9))[0] - np.cumsum(draw)[-1]
    assert np.mean((low <= draw[1:]) & (draw[1:] <= high)) == pytest.approx(0.8, abs=0.01)


def test_two_rows_are_enough_for_an_interval() -> None:
    wide = with_intervals(naive, np.array([1.0, 3.0]), 4, 1, (0.5, 0.8413447460685429))
    np.testing.assert_allclose(wide[:, 1] - wide[:, 0], 2 * np.sqrt([1, 2, 3, 4]))
