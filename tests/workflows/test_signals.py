"""Signals whose best forecast is known: the median comes near it, and 80 % intervals hold 80 %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

import rnncli

Floats = np.ndarray
SQRT_2_OVER_PI = float(np.sqrt(2 / np.pi))  # the mean absolute value of a standard normal number


@dataclass(frozen=True)
class Signal:
    """Series of one law: `values(rng, rows)` is one of them. `error` is the mean absolute error that the median may
    have; `cover` what share of values the 80 % intervals must at least and may at most hold.
    """

    values: Callable[[np.random.Generator, int], Floats]
    rows: int
    horizon: int
    error: float
    cover: tuple[float, float] = (0.68, 0.95)
    series: int = 12
    step: str = "D"
    steps: int = 20


def noise(rng: np.random.Generator, rows: int, size: float = 1.0) -> Floats:
    return rng.normal(0.0, size, rows)


def sine_with_trend(rng: np.random.Generator, rows: int) -> Floats:
    t = np.arange(rows)
    return 50 + 0.3 * t + 10 * np.sin(2 * np.pi * (t + rng.integers(12)) / 12) + noise(rng, rows)


def line_up(rng: np.random.Generator, rows: int) -> Floats:
    return rng.uniform(5, 20) + rng.uniform(1, 3) * np.arange(rows)


def line_down(rng: np.random.Generator, rows: int) -> Floats:
    return rng.uniform(1, 3) * (rows + 5 - np.arange(rows))


def step_up(rng: np.random.Generator, rows: int) -> Floats:
    return np.where(np.arange(rows) < rng.integers(30, rows - 40), 10.0, 30.0) + noise(rng, rows)


def growing_season(rng: np.random.Generator, rows: int) -> Floats:
    t = np.arange(rows)
    return 20 * 1.01**t * (1 + 0.5 * np.sin(2 * np.pi * (t + rng.integers(12)) / 12)) * np.exp(noise(rng, rows, 0.02))


def day_and_week(rng: np.random.Generator, rows: int) -> Floats:
    t = np.arange(rows)
    weekend = (t // 24) % 7 >= 5
    return 100 + 20 * np.sin(2 * np.pi * t / 24) * np.where(weekend, 0.3, 1.0) - 15 * weekend + noise(rng, rows)


def week_with_holidays(rng: np.random.Generator, rows: int) -> Floats:
    y = 100 + np.tile([0, 5, 10, 10, 20, -40, -60], rows // 7 + 1)[:rows] + noise(rng, rows, 3.0)
    y[rng.choice(rows - 14, rows // 40, replace=False)] = 10.0
    return y


def far_from_zero(rng: np.random.Generator, rows: int) -> Floats:
    return 1e12 + 5 * np.sin(2 * np.pi * (np.arange(rows) + rng.integers(7)) / 7) + noise(rng, rows)


def random_walk(rng: np.random.Generator, rows: int) -> Floats:
    return 500 + np.cumsum(noise(rng, rows))


def white_noise(rng: np.random.Generator, rows: int) -> Floats:
    return rng.normal(0, 5) + noise(rng, rows)


def sparse_counts(rng: np.random.Generator, rows: int) -> Floats:
    return rng.poisson(0.3, rows).astype(float)


def autoregressive(rng: np.random.Generator, rows: int) -> Floats:
    e, y = noise(rng, rows + 50), np.zeros(rows + 50)
    for i in range(1, len(y)):
        y[i] = 0.8 * y[i - 1] + e[i]
    return y[50:]


def day_with_a_year(rng: np.random.Generator, rows: int) -> Floats:
    return 15 - 10 * np.cos(2 * np.pi * (np.arange(rows) - 20) / 365.25) + noise(rng, rows, 2.0)


def around_a_level(rng: np.random.Generator, rows: int) -> Floats:
    return np.exp(rng.normal(4.0, 0.8)) * np.exp(noise(rng, rows, 0.1))


WALK = float(np.sqrt(np.arange(1, 11)).mean()) * SQRT_2_OVER_PI
AR = float(np.sqrt((1 - 0.64 ** np.arange(1, 11)) / 0.36).mean()) * SQRT_2_OVER_PI
EXACT = (0.0, 1.0)
SIGNALS = {
    "sine with trend": Signal(sine_with_trend, 160, 24, 1.4 * SQRT_2_OVER_PI, step="M", steps=60),
    "line up": Signal(line_up, 120, 14, 0.2, EXACT),
    "line down": Signal(line_down, 120, 14, 0.2, EXACT),
    "step": Signal(step_up, 160, 10, 1.25 * SQRT_2_OVER_PI, steps=40),
    "growing season": Signal(growing_season, 160, 12, 0.05 * 20 * 1.01**160, (0.6, 1.0), step="M"),
    "day and week": Signal(day_and_week, 1008, 168, 1.35 * SQRT_2_OVER_PI, series=2, step="h"),
    "week with holidays": Signal(week_with_holidays, 250, 14, 1.6 * 3 * SQRT_2_OVER_PI, steps=60),
    "far from zero": Signal(far_from_zero, 140, 14, 1.35 * SQRT_2_OVER_PI),
    "random walk": Signal(random_walk, 200, 10, 1.15 * WALK, series=40),
    "white noise": Signal(white_noise, 150, 10, 1.15 * SQRT_2_OVER_PI, series=40),
    "sparse counts": Signal(sparse_counts, 150, 10, 1.15 * 0.3, (0.8, 1.0), series=40),
    "autoregressive": Signal(autoregressive, 200, 10, 1.2 * AR, series=40, steps=60),
    "day with a year": Signal(day_with_a_year, 1300, 30, 1.35 * 2 * SQRT_2_OVER_PI, series=1),
    "four rows": Signal(around_a_level, 4, 1, 0.16, (0.6, 1.0), series=150),
}


def table(values: Floats, step: str) -> pa.Table:
    """One row for each of `values` [series, rows], a step apart from 2018 on."""
    series, rows = values.shape
    times = (np.datetime64("2018-01-01").astype(f"datetime64[{step}]") + np.arange(rows)).astype("datetime64[s]")
    ids = np.repeat([f"s{number}" for number in range(series)], rows)
    return pa.table({"unique_id": ids, "ds": np.tile(times, series), "y": values.ravel()})


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_is_forecast_as_well_as_its_law_allows(name: str) -> None:
    signal = SIGNALS[name]
    rng = np.random.default_rng(5)
    values = np.array([signal.values(rng, signal.rows + signal.horizon) for _ in range(signal.series)])
    past, actual = values[:, : -signal.horizon], values[:, -signal.horizon :]
    model = rnncli.train(
        table(past, signal.step), horizon=signal.horizon, quantiles=(0.1, 0.5, 0.9), steps=signal.steps, members=1
    )
    found = rnncli.predict(table(past, signal.step), model=model).to_arrow()
    low, middle, high = (found[column].to_numpy().reshape(actual.shape) for column in ("q0.1", "q0.5", "q0.9"))
    scale = np.abs(past).mean(axis=1, keepdims=True) if name == "four rows" else 1.0
    error = float((np.abs(actual - middle) / scale).mean())
    cover = float(((low <= actual) & (actual <= high)).mean())
    assert error <= signal.error, (error, cover)
    assert signal.cover[0] <= cover <= signal.cover[1], (error, cover)
