from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.frequency import infer_frequency
from rnncli.tasks.forecast.seasons import infer_seasons

Floats = NDArray[np.float64]
REAL = Path(__file__).parents[4] / "shared" / "data"


def wave(rows: int, *seasons: int, noise: float = 0.3, seed: int = 0) -> Floats:
    """A sharp shape for each season, and noise."""
    chance = np.random.default_rng(seed)
    shapes = [chance.normal(size=season)[np.arange(rows) % season] for season in seasons]
    return np.asarray(np.sum(shapes, axis=0) + noise * chance.normal(size=rows))


def walk(rows: int, seed: int = 0) -> Floats:
    return np.cumsum(np.random.default_rng(seed).normal(size=rows))


def seasons(series: list[Floats], frequency: Frequency) -> tuple[int, ...]:
    return infer_seasons(np.concatenate(series), np.cumsum([0, *map(len, series)]), frequency)


@pytest.mark.parametrize(
    ("frequency", "rows", "found"),
    [
        (Frequency("minute", 30), 2000, (48, 336)),
        (Frequency("hour"), 1500, (24, 168)),
        (Frequency("day"), 200, (7,)),
        (Frequency("business day"), 200, (5,)),
        (Frequency("week"), 300, (52,)),
        (Frequency("month"), 100, (12,)),
        (Frequency("quarter"), 60, (4,)),
    ],
)
def test_the_seasons_of_the_calendar_are_found(frequency: Frequency, rows: int, found: tuple[int, ...]) -> None:
    assert seasons([wave(rows, *found)], frequency) == found


def test_a_day_without_a_week_is_one_season() -> None:
    assert seasons([wave(1500, 24)], Frequency("hour")) == (24,)


@pytest.mark.parametrize("frequency", [Frequency("day"), Frequency("business day"), Frequency("week")])
def test_a_random_walk_has_no_season(frequency: Frequency) -> None:
    assert seasons([walk(900, seed) for seed in range(8)], frequency) == (1,)


def test_months_keep_their_customary_season_without_evidence() -> None:
    assert seasons([walk(100)], Frequency("month")) == (12,)


def test_series_shorter_than_the_season_have_none() -> None:
    assert seasons([walk(10)], Frequency("month")) == (1,)
    assert seasons([wave(1, 1)], Frequency("day")) == (1,)


@pytest.mark.parametrize("frequency", [Frequency("year"), Frequency("week", 3), Frequency("minute", 7)])
def test_a_frequency_that_divides_no_cycle_has_the_season_of_its_values_alone(frequency: Frequency) -> None:
    assert seasons([walk(500)], frequency) == (1,)
    assert seasons([wave(500, 12)], frequency) == (12,)


@pytest.mark.parametrize("season", [4, 7, 11, 12, 24, 52, 168])
def test_whole_steps_show_their_season_by_evidence_alone(season: int) -> None:
    assert seasons([wave(8 * season + 40, season, seed=seed) for seed in range(3)], Frequency("step")) == (season,)


def test_whole_steps_of_noise_and_of_walks_have_no_season() -> None:
    chance = np.random.default_rng(0)
    for rows in (30, 100, 400, 1000):
        assert seasons([chance.normal(size=rows)], Frequency("step")) == (1,)
        assert seasons([walk(rows)], Frequency("step")) == (1,)


def test_missing_values_do_not_hide_a_season() -> None:
    series = wave(1500, 24, 168)
    series[np.random.default_rng(1).random(1500) < 0.3] = np.nan
    assert seasons([series], Frequency("hour")) == (24, 168)


def test_an_outlier_does_not_hide_a_season() -> None:
    series = wave(200, 7)
    series[100] = 1e6
    assert seasons([series], Frequency("day")) == (7,)


def test_a_trend_and_a_scale_change_nothing() -> None:
    series = wave(300, 7)
    for other in (series + np.arange(300), series * 1e9, series - 1e6):
        assert seasons([other], Frequency("day")) == (7,)


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_series_without_variation_have_no_evidence(value: float) -> None:
    assert seasons([np.full(100, value)], Frequency("day")) == (1,)


def test_most_series_decide() -> None:
    assert seasons([*(wave(300, 7, seed=seed) for seed in range(8)), walk(300), walk(300, 1)], Frequency("day")) == (7,)
    assert seasons([*(walk(300, seed) for seed in range(8)), wave(300, 7), wave(300, 7)], Frequency("day")) == (1,)


def test_four_hundred_series_take_little_time() -> None:
    values = np.concatenate([wave(1000, 24, seed=seed) for seed in range(400)])
    begin = time.process_time()
    infer_seasons(values, np.arange(401) * 1000, Frequency("hour"))
    assert time.process_time() - begin < 1  # 0.1 s where nothing else runs


@pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("m4_hourly", (24, 168)),
        ("nn5_daily", (7,)),
        ("hospital", (12,)),
        ("carparts", (1,)),
        ("exchange_rate", (1,)),
        ("vic_elec", (48, 336)),
        ("pedestrian", (24, 168)),
        ("co2_weekly", (52,)),
        ("walmart_stores", (52,)),
        ("etth1", (24,)),
        ("bike_sharing_hour", (24, 168)),
        ("beijing_pm25", (24,)),
    ],
)
def test_real_series_have_the_seasons_that_everybody_knows(name: str, found: tuple[int, ...]) -> None:
    table = pq.read_table(REAL / f"{name}.parquet", columns=["unique_id", "ds", "y"])
    zone = table.schema.field("ds").type.tz
    rows = table.sort_by([("unique_id", "ascending"), ("ds", "ascending")])
    names, counts = np.unique(np.array(rows["unique_id"].to_pylist(), str), return_counts=True)
    times = rows["ds"].cast("int64").to_numpy()
    offsets = np.concatenate([[0], np.cumsum(counts)])
    frequency = infer_frequency(times, offsets, zone, names.tolist())
    ordinal, _ = Calendar(frequency, zone=zone).ordinals(times)
    series = []
    for begin, end in pairwise(offsets.tolist()):
        at = ordinal[begin:end] - ordinal[begin]
        series.append(np.full(at[-1] + 1, np.nan))
        series[-1][at] = rows["y"].slice(begin, end - begin).cast("float64").to_numpy()
    assert seasons(series, frequency) == found


STEPS = np.arange(1_500)
KNOWN = {
    "a sine": (np.sin(2 * np.pi * STEPS / 96), 0.06, 96),
    "a sine of an odd period": (np.sin(2 * np.pi * STEPS / 37), 0.1, 37),
    "a sine on a trend": (np.sin(2 * np.pi * STEPS / 24) + 0.01 * STEPS, 0.1, 24),
    "a falling trend": (3 * np.sin(2 * np.pi * STEPS / 60) - 0.05 * STEPS, 0.2, 60),
    "on and off": (np.where(STEPS % 48 < 20, 0.0, 5.0), 0.0, 48),
    "a saw": (STEPS % 50, 0.5, 50),
    "rare pulses": (np.where(STEPS % 144 == 7, 9.0, 1.0), 0.0, 144),
    "a line": (100 - 0.5 * STEPS, 0.0, 1),
    "a line with noise": (0.1 * STEPS, 1.0, 1),
    "a parabola": ((STEPS / 100) ** 2, 0.0, 1),
    "growth": (np.exp(STEPS / 300), 0.0, 1),
    "one step": (np.where(STEPS > 700, 5.0, 0.0), 0.1, 1),
    "nothing": (np.ones(1_500), 0.0, 1),
}


@pytest.mark.parametrize("name", KNOWN)
def test_whole_steps_have_the_season_in_which_they_repeat(name: str) -> None:
    signal, noise, season = KNOWN[name]
    values = signal + noise * np.random.default_rng(0).normal(size=len(signal))
    assert infer_seasons(values, np.array([0, len(values)]), Frequency("step")) == (season,)


@pytest.mark.parametrize("kind", ["walk", "noise", "autoregression", "twice summed"])
def test_chance_shows_hardly_a_season(kind: str) -> None:
    found = 0
    for seed in range(30):
        noise = np.random.default_rng(seed).normal(size=400)
        make = {
            "walk": np.cumsum,
            "noise": lambda e: e,
            "autoregression": lambda e: np.convolve(e, 0.8 ** np.arange(60))[:400],
            "twice summed": lambda e: np.cumsum(np.cumsum(e)),
        }[kind]
        found += infer_seasons(make(noise), np.array([0, 400]), Frequency("step")) != (1,)
    assert found <= 1


@pytest.mark.parametrize(("minutes", "season"), [(5, 288), (15, 96), (30, 48), (10, 144), (60, 24)])
@pytest.mark.parametrize("shape", ["on and off", "smooth"])
def test_a_day_is_found_at_every_step_below_it(minutes: int, season: int, shape: str) -> None:
    steps = np.arange(10 * season)
    day = 2 * np.pi * steps / season
    values = np.where(np.sin(day) > 0, 80.0, 20.0) if shape == "on and off" else np.sin(day)
    values = values + (0.0 if shape == "on and off" else 0.1) * np.random.default_rng(1).normal(size=len(steps))
    assert infer_seasons(values, np.array([0, len(values)]), Frequency("minute", minutes))[0] == season
