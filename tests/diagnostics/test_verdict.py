"""The rules behind a verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.diagnostics.dynamics import LayerDynamics
from rnncli.diagnostics.profile import LayerFlow, decay_rate, gone, reach, share
from rnncli.diagnostics.verdict import RULES, Verdict, deciding_lag, judge


def fading(rate: float, lags: int = 60) -> np.ndarray:
    return np.asarray(np.exp(rate * np.arange(lags)))


def judged(profile: np.ndarray, seasons: tuple[int, ...] = (), dynamics: LayerDynamics | None = None) -> Verdict:
    return judge(LayerFlow(0, {"state": profile[:, None]}, np.zeros(1, np.int64)), seasons, dynamics)


def moving(exponents: list[float], size: np.ndarray) -> LayerDynamics:
    """Layer dynamics with these largest exponents by path, and a state of this size by step."""
    paths = len(exponents)
    sizes = np.repeat(size[:, None], paths, axis=1)
    return LayerDynamics(0, np.array(exponents)[:, None], np.ones((1, 1)), None, None, sizes, np.arange(paths))


def test_the_slope_is_found_in_spite_of_outliers() -> None:
    profile = fading(-0.1)
    profile[[3, 20, 44]] *= 1e6
    assert decay_rate(profile) == pytest.approx(-0.1, abs=0.005)


def test_lags_whose_gradient_underflowed_are_left_out_of_the_slope() -> None:
    profile = fading(-0.5)
    profile[30:] = 0
    assert decay_rate(profile) == pytest.approx(-0.5)


def test_a_long_profile_is_fitted_on_some_of_its_lags() -> None:
    assert decay_rate(fading(-0.01, 5000)) == pytest.approx(-0.01)


def test_one_lag_has_no_slope() -> None:
    assert decay_rate(np.ones(1)) is None


@pytest.mark.parametrize(
    ("profile", "seasons", "expected"),
    [
        (fading(-0.01), (24,), "healthy"),
        (fading(-0.5), (24,), "vanishing"),
        (fading(-0.5), (7,), "healthy"),
        (fading(0.1), (24,), "exploding"),
        (fading(0.02), (24,), "healthy"),
        (np.full(60, math.inf), (), "exploding"),
        (fading(-0.1, 8), (), "not enough data"),
        (np.zeros(60), (), "not enough data"),
        (np.concatenate([[1.0], np.zeros(59)]), (), "vanishing"),
    ],
)
def test_each_rule_gives_its_verdict(profile: np.ndarray, seasons: tuple[int, ...], expected: str) -> None:
    verdict = judged(profile, seasons)
    assert verdict.name == expected
    assert verdict.name in RULES
    assert verdict.reason


@pytest.mark.parametrize(
    ("exponents", "size", "expected"),
    [
        ([0.2, 0.21, 0.19, 0.2, 0.22], np.ones(60), "chaotic"),
        ([0.2, 0.21, 0.19, 0.2, 0.22], np.exp(0.2 * np.arange(60)), "healthy"),  # it runs away; its gradient decides
        ([0.9, -0.8, 0.7, -0.9, 0.4], np.ones(60), "healthy"),  # the interval holds 0
        ([-0.01, -0.02, -0.01, -0.02, -0.01], np.ones(60), "healthy"),
        ([0.01, 0.011, 0.01, 0.011, 0.01], np.ones(60), "healthy"),  # less than tenfold over the context
        ([0.0, 0.0, 0.0, 0.0, 0.0], np.full(60, math.nan), "exploding"),
    ],
)
def test_chaos_is_growth_of_a_disturbance_in_a_bounded_state(
    exponents: list[float], size: np.ndarray, expected: str
) -> None:
    assert judged(fading(-0.01), (), moving(exponents, size)).name == expected


def test_growth_beyond_all_numbers_is_still_told() -> None:
    assert "10^" in judged(np.exp(np.linspace(-680, 709, 60))).reason


def test_the_longest_season_within_the_context_decides() -> None:
    assert deciding_lag(100, (24, 168)) == 24
    assert deciding_lag(200, (24, 168)) == 168


def test_without_a_season_the_end_of_the_context_decides() -> None:
    assert deciding_lag(100, ()) == deciding_lag(100, (1, 168)) == 99


def test_a_share_of_nothing_is_undefined() -> None:
    assert share(np.zeros(5), 2) is None
    assert share(np.ones(5), 5) is None


def test_reach_is_the_lag_by_which_a_part_of_the_gradient_is_seen() -> None:
    assert reach(np.ones(10), 0.5) == 4
    assert reach(np.zeros(10), 0.5) is None


def test_a_gradient_that_comes_back_is_not_gone() -> None:
    profile = fading(-1.0, 40)
    assert gone(profile) == 16  # exp(-16) is the first below float32's epsilon
    profile[30] = 1e-3
    assert gone(profile) == 31
