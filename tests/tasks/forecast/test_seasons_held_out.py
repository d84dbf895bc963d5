"""Seasons of signals of many kinds, at many periods, with known answers; and of signals that have none."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rnncli.data.calendar import Frequency
from rnncli.tasks.forecast.seasonal_errors import gain, held_out, seasonal_profile
from rnncli.tasks.forecast.seasons import infer_seasons, phase_variance

Floats = NDArray[np.float64]
Chance = np.random.Generator
STEP, HOUR, DAY = Frequency("step"), Frequency("hour"), Frequency("day")


def seasons(series: list[Floats], frequency: Frequency = STEP) -> tuple[int, ...]:
    return infer_seasons(np.concatenate(series), np.cumsum([0, *map(len, series)]), frequency)


def autoregression(chance: Chance, rows: int, phi: float) -> Floats:
    return np.convolve(chance.normal(size=rows + 200), phi ** np.arange(200))[200 : 200 + rows]


def load(chance: Chance, weeks: int) -> Floats:
    """Hourly load: a day that is lower at weekends, a slow level, and errors that last some hours."""
    hours = np.arange(168 * weeks)
    angle, weekday = 2 * np.pi * (hours % 24) / 24, hours // 24 % 7
    day = np.sin(angle - 2.4) + 0.4 * np.sin(2 * angle - 2.6)
    level = np.interp(hours, np.arange(7 * weeks) * 24, 1200 * autoregression(chance, 7 * weeks, 0.8))
    weekend = 3000 * (weekday >= 5) + 1000 * (weekday == 6)
    return (
        30_000
        + 4000 * day * np.where(weekday < 5, 1, 0.8)
        - weekend
        + level
        + 150 * autoregression(chance, len(hours), 0.9)
    )


SHAPES: dict[str, Callable[[Chance, int], Floats]] = {
    "sine": lambda _, m: np.sin(2 * np.pi * np.arange(m) / m),
    "on and off": lambda _, m: np.where(np.arange(m) < 0.4 * m, 1.0, -1.0),
    "saw": lambda _, m: 2 * np.arange(m) / m - 1,
    "sharp": lambda chance, m: chance.normal(size=m),
    "two humps": lambda _, m: (
        np.exp(-(((np.arange(m) / m - 0.35) / 0.08) ** 2)) + 1.2 * np.exp(-(((np.arange(m) / m - 0.75) / 0.1) ** 2))
    ),
}


@pytest.mark.parametrize("season", [7, 12, 24, 30, 37, 96, 288])
@pytest.mark.parametrize("shape", SHAPES)
def test_whole_steps_show_a_season_of_any_shape(shape: str, season: int) -> None:
    for seed, (cycles, noise) in enumerate([(5, 0.1), (10, 0.1), (10, 0.2)]):
        chance = np.random.default_rng(seed)
        rows = season * cycles - season // 3
        values = np.resize(SHAPES[shape](chance, season), rows) + noise * chance.normal(size=rows)
        assert seasons([values]) == (season,), (cycles, noise)


KINDS: dict[str, Callable[[Chance, Floats, int], Floats]] = {
    "with a trend": lambda chance, t, m: np.sin(2 * np.pi * t / m) + 0.05 * t + 0.2 * chance.normal(size=len(t)),
    "that grows": lambda chance, t, m: (
        np.exp(t / m / 5) * (5 + np.sin(2 * np.pi * t / m) + 0.1 * chance.normal(size=len(t)))
    ),
    "at a level of 1e12": lambda chance, t, m: 1e12 + np.sin(2 * np.pi * t / m) + 0.2 * chance.normal(size=len(t)),
    "of tiny values": lambda chance, t, m: 1e-12 * (np.sin(2 * np.pi * t / m) + 0.2 * chance.normal(size=len(t))),
    "with missing values": lambda chance, t, m: np.where(
        chance.random(len(t)) < 0.3, np.nan, np.sin(2 * np.pi * t / m) + 0.3 * chance.normal(size=len(t))
    ),
    "with an outlier": lambda chance, t, m: np.where(
        t == len(t) - m - 3, 1e6, np.sin(2 * np.pi * t / m) + 0.3 * chance.normal(size=len(t))
    ),
    "with lasting errors": lambda chance, t, m: (
        5 * np.resize(np.sin(2 * np.pi * np.arange(m) / m), len(t)) + autoregression(chance, len(t), 0.7)
    ),
}


@pytest.mark.parametrize("season", [7, 12, 24, 37, 96])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_steps_show_a_season(kind: str, season: int) -> None:
    values = KINDS[kind](np.random.default_rng(season), np.arange(10.0 * season), season)
    assert seasons([values]) == (season,)


@pytest.mark.parametrize("season", [4, 7, 12, 24, 30])
def test_many_short_series_of_different_lengths_show_their_season(season: int) -> None:
    chance = np.random.default_rng(season)
    series = [
        chance.normal() * 10 + np.sin(2 * np.pi * np.arange(rows) / season) + 0.3 * chance.normal(size=rows)
        for rows in chance.integers(5, 12 * season, size=50)
    ]
    assert seasons(series) == (season,)


@pytest.mark.parametrize("frequency", [STEP, HOUR])
@pytest.mark.parametrize("weeks", [16, 20, 26, 30, 52])
def test_the_week_of_hourly_load_is_found_beside_its_day(frequency: Frequency, weeks: int) -> None:
    assert seasons([load(np.random.default_rng(weeks), weeks)], frequency) == (24, 168)


@pytest.mark.parametrize("minutes", [5, 10, 15, 20, 30])
def test_the_week_of_load_is_found_at_steps_below_the_hour(minutes: int) -> None:
    hourly = load(np.random.default_rng(minutes), 12)
    fine = np.interp(np.arange(0, len(hourly) - 1, minutes / 60), np.arange(len(hourly)), hourly)
    assert seasons([fine], Frequency("minute", minutes)) == (1440 // minutes, 10080 // minutes)


@pytest.mark.parametrize("seed", range(5))
def test_a_clock_change_does_not_hide_the_day_or_the_week(seed: int) -> None:
    wall = load(np.random.default_rng(seed), 16)
    assert seasons([np.delete(wall, 168 * 8 + 2)], HOUR) == (24, 168)


@pytest.mark.parametrize("seed", range(5))
def test_a_week_with_holidays_is_found(seed: int) -> None:
    chance = np.random.default_rng(seed)
    sales = 100 * np.resize([1, 1.1, 1.05, 1.1, 1.4, 1.8, 0.6], 730) * (1 + 0.1 * chance.normal(size=730))
    sales[chance.integers(0, 730, 20)] *= 0.3
    assert seasons([sales], DAY) == (7,)


def yearly(chance: Chance, years: float) -> Floats:
    days = np.arange(int(365.25 * years))
    week = np.resize([0.0, 0.1, 0.2, 0.1, 0.4, 0.8, -0.5], len(days))
    return 10 + np.sin(2 * np.pi * days / 365.25) + week + 0.2 * chance.normal(size=len(days))


@pytest.mark.parametrize("seed", range(5))
def test_days_have_a_year_beside_their_week_where_they_are_long_enough(seed: int) -> None:
    chance = np.random.default_rng(seed)
    assert seasons([yearly(chance, 4 + seed % 3)], DAY) == (7, 365)
    assert seasons([yearly(chance, 2)], DAY) == (7,)


@pytest.mark.parametrize("season", [10, 30, 37, 60, 100])
def test_hours_may_have_a_season_that_is_no_day(season: int) -> None:
    chance = np.random.default_rng(season)
    values = np.resize(SHAPES["saw"](chance, season), 30 * season) + 0.2 * chance.normal(size=30 * season)
    assert seasons([values], HOUR) == (season,)


NONE: dict[str, Callable[[Chance, int], Floats]] = {
    "a random walk": lambda chance, rows: np.cumsum(chance.normal(size=rows)),
    "white noise": lambda chance, rows: chance.normal(size=rows),
    "a short autoregression": lambda chance, rows: autoregression(chance, rows, 0.5),
    "a long autoregression": lambda chance, rows: autoregression(chance, rows, 0.9),
    "a walk of walks": lambda chance, rows: np.cumsum(np.cumsum(chance.normal(size=rows))),
    "sparse counts": lambda chance, rows: chance.poisson(0.3, size=rows).astype(np.float64),
    "heavy tails": lambda chance, rows: chance.standard_t(1.5, size=rows),
    "growth by chance": lambda chance, rows: np.exp(np.cumsum(0.05 * chance.normal(size=rows))),
    "a line": lambda chance, rows: 0.1 * np.arange(rows) + chance.normal(size=rows),
}


@pytest.mark.parametrize("kind", NONE)
def test_what_has_no_season_shows_one_in_hardly_one_of_a_hundred(kind: str) -> None:
    """0.3 % of 3,600 were found to have one, with 40 seeds, 4 lengths, whole steps and days."""
    found = [
        seasons([NONE[kind](np.random.default_rng(seed), rows)], frequency) != (1,)
        for frequency in (STEP, DAY)
        for rows in (40, 100, 400)
        for seed in range(5)
    ]
    assert sum(found) <= 1


@pytest.mark.parametrize("kind", NONE)
def test_many_series_without_a_season_have_none(kind: str) -> None:
    series = [NONE[kind](np.random.default_rng(seed), 120) for seed in range(30)]
    assert seasons(series, STEP) == seasons(series, DAY) == (1,)


def test_a_walk_of_hours_keeps_the_day_as_is_customary() -> None:
    assert seasons([NONE["a random walk"](np.random.default_rng(0), 1_500)], HOUR) == (24,)


@pytest.mark.parametrize("frequency", [STEP, HOUR, DAY, Frequency("month"), Frequency("minute", 5)])
def test_constant_and_empty_series_break_nothing(frequency: Frequency) -> None:
    usual = {"hour": (24,), "month": (12,)}.get(frequency.unit, (1,))
    for value in (0.0, 5.0, 1e12, np.nan):
        assert seasons([np.full(300, value)], frequency) == usual
        assert seasons([np.full(1, value)], frequency) == (1,)


def test_a_wrong_season_gains_nothing_and_a_right_one_nearly_all() -> None:
    values = np.resize([0.0, 0, 1, 1, 1, 0, -1], 400)[None] + 0.01 * np.random.default_rng(0).normal(size=(1, 400))
    right, wrong = gain(values, (7,), ()), gain(values, (11,), ())
    assert right.share > 0.9
    assert right.surety > 5
    assert wrong.share < 0.02
    assert gain(values, (7, 14), (7,)).share < 0.02


def test_rows_after_an_origin_do_not_move_what_is_forecast_there() -> None:
    origins, horizon = held_out(100, 7, 24)
    assert origins[-1] + horizon == 100
    assert origins[0] >= 14


def test_a_profile_is_exact_without_noise_whatever_the_line_and_the_gaps() -> None:
    shape = np.array([3.0, -1, 0, 2, -4])
    values = np.resize(shape, 50) + 0.7 * np.arange(50) + 5
    assert seasonal_profile(values[None], 5)[0] == pytest.approx(shape)
    values[[3, 17, 31]] = np.nan
    assert seasonal_profile(values[None], 5)[0] == pytest.approx(shape, abs=0.4)


def test_phases_of_the_right_period_leave_least() -> None:
    chance = np.random.default_rng(0)
    values = np.resize(chance.normal(size=12), 240)[None] + 0.3 * chance.normal(size=(1, 240))
    shown = phase_variance(values, range(1, 40))
    assert 1 + np.argmax(shown.ratio) == 12
    assert shown.left[11] == pytest.approx(0.09, rel=0.3)
    assert shown.nested(12, 24) < 2


@pytest.mark.parametrize("frequency", [Frequency("minute"), Frequency("minute", 5), HOUR, DAY, STEP])
def test_a_hundred_thousand_rows_take_little_time(frequency: Frequency) -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=100_000))
    begin = time.process_time()
    seasons([values], frequency)
    assert time.process_time() - begin < 1.5  # 0.1 to 0.3 s where nothing else runs
