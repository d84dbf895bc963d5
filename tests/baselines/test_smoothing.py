"""Exponential smoothing: what it continues, how its intervals grow, and that no other series has a say."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.baselines.naive import seasonal_naive
from rnncli.baselines.smoothing import ALPHAS, Grid, _fitted, _start, exponential_smoothing, ran

LEVELS = (0.1, 0.5, 0.9)


def forecast(*histories: np.ndarray, horizon: int = 12, season: int = 1) -> np.ndarray:
    """Quantiles [series, horizon, 3]."""
    offsets = np.cumsum([0, *map(len, histories)])
    return exponential_smoothing.quantiles(np.concatenate(histories), offsets, horizon, season, LEVELS)[0]


def test_a_line_and_a_season_go_on() -> None:
    t = np.arange(72)
    both = 50 + 0.7 * t + 9 * np.sin(2 * np.pi * t / 12)
    np.testing.assert_allclose(forecast(both[:60], season=12)[0, :, 1], both[60:], rtol=0.03)


def test_beer_is_forecast_better_than_by_the_seasonal_naive(beer: tuple[np.ndarray, np.ndarray]) -> None:
    past, future = beer
    error = np.abs(forecast(past, horizon=10, season=4)[0, :, 1] - future).mean()
    assert error < 0.85 * np.abs(seasonal_naive(past, 10, 4) - future).mean()


def test_the_recursion_is_that_of_the_book(beer: tuple[np.ndarray, np.ndarray]) -> None:
    """Hyndman, Koehler, Ord & Snyder 2008, Forecasting with Exponential Smoothing, equations 2.2, 3.4 and table 6.1:
    the damped trend with additive errors and seasons, and the variance of its forecasts.
    """
    past, _ = beer
    alpha, beta, phi, gamma, m = 0.3, 0.09, 0.9, 0.2, 4
    g = Grid(*np.array([[alpha, beta, phi, gamma, 5.0]]).T)
    found = _fitted(ran(past[None], m, g), 6, g)
    level, trend, season = (part.ravel() for part in _start(past[None], np.zeros(1, np.int64), m, g))
    b, d, s, errors = float(level[0]), float(trend[0]), season.tolist(), []
    for t, y in enumerate(past):
        error = y - b - phi * d - s[t % m]
        b, d = b + phi * d + alpha * error, phi * d + beta * error
        s[t % m] += gamma * error
        errors.append(error)
    damped = np.cumsum(phi ** np.arange(1, 7))
    expected = b + d * damped + [s[(len(past) + h) % m] for h in range(6)]
    np.testing.assert_allclose(found.point[0, :, 0], expected, rtol=1e-9)
    c = alpha + beta * damped + gamma * (np.arange(1, 7) % m == 0)
    growth = 1 + np.concatenate([[0], np.cumsum(c[:-1] ** 2)])
    np.testing.assert_allclose(found.variance[0, :, 0] / found.variance[0, 0, 0], growth, rtol=1e-9)
    assert found.variance[0, 0, 0] == pytest.approx(np.mean(np.square(errors)) * (1 + 5 / (len(past) - 5)))


def test_the_intervals_of_random_walks_hold_what_they_promise() -> None:
    walks = np.random.default_rng(0).normal(0, 1, (300, 92)).cumsum(axis=1)
    found = forecast(*walks[:, :80])
    inside = (found[..., 0] < walks[:, 80:]) & (walks[:, 80:] < found[..., 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.05)
    width = found[..., 2] - found[..., 0]
    assert np.median(width[:, 8] / width[:, 0]) == pytest.approx(3, rel=0.15)


def test_the_intervals_of_noise_hold_what_they_promise() -> None:
    noise = np.random.default_rng(1).gamma(9, 1, (300, 92))
    found = forecast(*noise[:, :80])
    inside = (found[..., 0] < noise[:, 80:]) & (noise[:, 80:] < found[..., 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.03)
    assert (found > 0).all()


@pytest.mark.parametrize("rows", [1_000, 1_060])
def test_histories_that_begin_with_one_another_are_forecast_as_each_is_alone(rows: int) -> None:
    rng = np.random.default_rng(3)
    ends = [5, 30, 90, 700, rows - 40, rows - 12, rows]
    jumps = np.where(np.arange(rows) > 800, 9.0, 1.0)  # to another power of two
    series = [np.exp(rng.normal(0, 0.1, rows)) * jumps, rng.normal(0, 1, rows), rng.poisson(1.0, rows) * 1.0]
    series[0][[0, 1, 2, 40]] = np.nan
    histories = [y[:end] for y in series for end in ends]
    alone = np.concatenate([forecast(history, season=12) for history in histories])
    np.testing.assert_array_equal(forecast(*histories, season=12), alone)


def test_a_history_is_forecast_the_same_bits_alone_and_among_others() -> None:
    rng = np.random.default_rng(2)
    histories = [np.exp(rng.normal(0, 0.1, n).cumsum()) for n in (5, 80, 30, 31, 300)]
    histories[1][10:14] = np.nan
    histories[2] = np.concatenate([np.full(7, np.nan), histories[2]])
    histories[3] -= 1.0
    together = forecast(*histories, season=4)
    for history, expected in zip(histories, together, strict=True):
        assert forecast(history, season=4)[0].tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "history",
    [[3.0], [3.0, 4.0], [0.0] * 30, [5.0] * 30, [np.nan, 2.0, np.nan, 3.0], [1e-150, 1e150] * 9, [-1e12, 1e12] * 9],
)
def test_odd_histories_have_finite_ascending_forecasts(history: list[float]) -> None:
    found = forecast(np.array(history), season=4)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()


def test_a_history_without_a_value_is_forecast_as_missing() -> None:
    found = forecast(np.full(9, np.nan), np.arange(9.0))
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_a_level_that_follows_at_once_is_among_those_tried() -> None:
    assert max(ALPHAS) > 0.98
