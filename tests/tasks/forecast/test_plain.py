"""The plain forecasts: what each continues exactly, and that noise is not taken for a season."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.tasks.forecast import plain, plan

LOOKBACK, SEASONS, HORIZON = 48, (12,), 14
NAMES = plain.names(SEASONS, LOOKBACK)
AHEAD = np.arange(1, HORIZON + 1)


def made(history: np.ndarray, name: str, seasons: tuple[int, ...] = SEASONS) -> np.ndarray:
    """One plain forecast of one history."""
    found = plain.plain_forecasts(history[None], plain.names(seasons, len(history)), seasons, HORIZON)
    return np.asarray(found[0, :, plain.names(seasons, len(history)).index(name)])


def test_a_seasonal_wave_goes_on_as_it_was() -> None:
    wave = np.sin(2 * np.pi * np.arange(LOOKBACK + HORIZON) / 12)
    for name in ("season 12", "season 12 mean", "steady", "mean 18", "trend 18"):
        np.testing.assert_allclose(made(wave[:LOOKBACK], name), wave[LOOKBACK:], atol=0.12, err_msg=name)


def test_a_line_under_a_season_goes_on_as_it_was() -> None:
    t = np.arange(LOOKBACK + HORIZON)
    both = 0.5 * t + 3 * np.cos(2 * np.pi * t / 12)
    np.testing.assert_allclose(made(both[:LOOKBACK], "trend 18"), both[LOOKBACK:], atol=0.3)


@pytest.mark.parametrize("reach", [2, 6, 18])
def test_a_discounted_mean_is_simple_exponential_smoothing(reach: int) -> None:
    history = np.random.default_rng(1).normal(0, 1, 2_000)
    alpha, level = 1 - np.exp(-1 / reach), 0.0
    for value in history:
        level += alpha * (value - level)
    assert plain.discounted(history[None], reach)[0].item() == pytest.approx(level, abs=1e-9)


def test_a_discounted_line_is_the_weighted_least_squares_line() -> None:
    history = np.random.default_rng(2).normal(0, 1, 300).cumsum()
    age = np.arange(299, -1, -1.0)
    slope, level = np.polyfit(-age, history, 1, w=np.exp(-age / 20) ** 0.5)
    _, found, inclined = plain.discounted(history[None], 20)
    assert found.item() == pytest.approx(level, rel=1e-3)
    assert inclined.item() == pytest.approx(slope, rel=1e-3)


def test_noise_is_hardly_taken_for_a_season() -> None:
    noise = np.random.default_rng(3).normal(0, 1, (400, LOOKBACK))
    drawn = plain.seasonal_part(noise, SEASONS, AHEAD)[1]
    mean_square_of_unshrunk = 11 / 12 / 4  # the variance of a mean of four, less that of the level
    assert (drawn**2).mean() < 0.35 * mean_square_of_unshrunk


def test_the_forecast_that_did_best_has_the_lowest_past_error() -> None:
    wave = np.tile(np.arange(12.0), 4) - 5.5
    errors = plain.past_errors(wave[None], NAMES, SEASONS, 12)[0]
    assert NAMES[int(np.argmin(errors))] in ("season 12", "season 12 mean")
    assert errors[NAMES.index("last")] > errors.min() + 1


def test_past_errors_do_not_see_how_large_the_values_are() -> None:
    history = np.random.default_rng(4).normal(0, 50, (3, LOOKBACK))
    np.testing.assert_allclose(
        plain.past_errors(history, NAMES, SEASONS, 12), plain.past_errors(1e6 * history, NAMES, SEASONS, 12), atol=2e-3
    )


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    rows=st.integers(1, LOOKBACK), missing=st.floats(0, 1), scale=st.sampled_from([1e-9, 1.0, 1e6]),
    seed=st.integers(0, 999), seasons=st.sampled_from([(1,), (12,), (7, 28), (24, 168)]),
)  # fmt: skip
def test_whatever_is_missing_every_plain_forecast_is_a_number(
    rows: int, missing: float, scale: float, seed: int, seasons: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(seed)
    lookback = max(LOOKBACK, *seasons)
    history = np.full((2, lookback), np.nan)
    history[:, -rows:] = scale * rng.normal(size=(2, rows))
    history[rng.random(history.shape) < missing] = np.nan
    names = plain.names(seasons, lookback)
    assert np.isfinite(plain.plain_forecasts(history, names, seasons, HORIZON)).all()
    assert np.isfinite(plain.past_errors(history, names, seasons, max(1, lookback // 3))).all()


def test_a_history_is_forecast_the_same_bits_alone_and_among_others() -> None:
    history = np.random.default_rng(6).normal(0, 1, (9, LOOKBACK))
    together = plain.plain_forecasts(history, NAMES, SEASONS, HORIZON)
    for i in range(9):
        assert together[i].tobytes() == plain.plain_forecasts(history[i : i + 1], NAMES, SEASONS, HORIZON).tobytes()


@pytest.mark.parametrize("name", ["mean", "mean 0", "mean x", "trend 99999999999", "season 5", "best", ""])
def test_a_model_file_cannot_name_a_forecast_that_there_is_not(name: str, weekly_waves: Panel) -> None:
    spec = plan.forecast_spec(weekly_waves, 5, (0.1, 0.5, 0.9))
    assert all(plain.is_known(known, spec.seasons) for known in spec.plain)
    with pytest.raises(UsageError, match="no plain forecast"):
        replace(spec, components=(*spec.components, name))


def test_a_week_of_days_goes_on_where_both_seasons_are_seen() -> None:
    t = np.arange(4 * 168)
    both = 4 * np.sin(2 * np.pi * t / 24) + 3 * (t % 168 >= 120) - 3 * 48 / 168
    history = both[: 3 * 168] + np.random.default_rng(5).normal(0, 0.3, 3 * 168)
    found = plain.plain_forecasts(history[None], plain.names((24, 168), 504), (24, 168), 168)
    steady = found[0, :, plain.names((24, 168), 504).index("mean 54")]
    assert np.abs(steady - both[504:]).mean() < 0.6
    assert np.abs(found[0, :, 4] - both[504:]).mean() > 0.6  # the mean of the last days knows of no weekend
