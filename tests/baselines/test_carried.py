"""Exponential smoothing carried along: the forecasts of the whole history, in any number of pieces, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.baselines import carried
from rnncli.baselines.carried import Carried
from rnncli.baselines.smoothing import exponential_smoothing

LEVELS = (0.1, 0.5, 0.9)


def walks(series: int = 6, rows: int = 250, season: int = 12) -> np.ndarray:
    """Seasonal walks, half of them above zero."""
    rng = np.random.default_rng(0)
    wave = 4 * np.sin(2 * np.pi * np.arange(rows) / season)
    made = wave + rng.normal(0, 1, (series, rows)).cumsum(axis=1) + rng.normal(0, 2, (series, rows))
    made[::2] = 5 + np.exp(0.1 * made[::2])
    return np.asarray(made)


def after(y: np.ndarray, season: int, *cuts: int) -> Carried:
    """The state after all rows, consumed in pieces."""
    state = carried.nothing(len(y), season)
    every = np.arange(len(y))
    for first, last in zip((0, *cuts), (*cuts, y.shape[1]), strict=True):
        renewal = int(carried.last_renewal(np.array([last]), season)[0])
        if renewal > first:
            carried.renew(state, every, y[:, max(0, renewal - 1_000) : renewal], np.full(len(y), renewal))
        begin = max(first, renewal)
        carried.go_on(state, y[:, begin:last], np.full(len(y), begin), np.full(len(y), last - begin))
    return state


def forecast(state: Carried, rows: int) -> np.ndarray:
    return carried.quantiles(state, np.full(len(state.count), rows), 12, LEVELS)


def whole(y: np.ndarray, season: int) -> np.ndarray:
    return exponential_smoothing.quantiles(y.ravel(), np.arange(len(y) + 1) * y.shape[1], 12, season, LEVELS)[0]


def test_it_is_renewed_ever_more_rarely() -> None:
    rows = np.array([0, 63, 64, 127, 128, 255, 512, 1_023, 1_024, 2_047, 2_048, 5_000])
    assert carried.last_renewal(rows, 1).tolist() == [0, 0, 64, 64, 128, 128, 512, 512, 1_024, 1_024, 2_048, 4_096]
    assert carried.last_renewal(rows, 48).tolist() == [0, 0, 0, 0, 0, 0, 512, 512, 1_024, 1_024, 2_048, 4_096]


@pytest.mark.parametrize(("season", "combinations"), [(1, 24), (12, 96)])
def test_with_every_combination_kept_it_forecasts_what_the_whole_history_does(
    monkeypatch: pytest.MonkeyPatch, season: int, combinations: int
) -> None:
    monkeypatch.setattr(carried, "KEPT", combinations)
    y = walks()
    np.testing.assert_allclose(forecast(after(y, season), 250), whole(y, season), rtol=1e-9)


def test_the_best_few_forecast_about_as_well_as_all_of_them() -> None:
    """At 250 of 256 rows: the choice is as old as it gets. The loss is the absolute error."""
    y = walks(40, 267)
    past, future = y[:, :255], y[:, 255:]
    few, every = (np.abs(q[..., 1] - future).mean() for q in (forecast(after(past, 12), 255), whole(past, 12)))
    assert few < 1.03 * every


@pytest.mark.parametrize("cuts", [(1, 2, 3), (60, 64, 65, 200), (127, 129), (128,)])
def test_rows_in_pieces_leave_the_bits_of_all_rows_at_once(cuts: tuple[int, ...]) -> None:
    y = walks()
    y[1, :80] = np.nan
    y[2, 100:140] = np.nan
    y[4, 170] = -1.0
    for name, part in after(y, 12, *cuts).parts().items():
        assert part.tobytes() == after(y, 12).parts()[name].tobytes(), name


def test_nothing_is_begun_without_a_value() -> None:
    y = np.full((2, 100), np.nan)
    y[1] = 3.0
    found = forecast(after(y, 1), 100)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], 3.0)


def test_a_value_that_is_not_positive_ends_the_logarithms_until_the_next_renewal() -> None:
    y = walks()[:1]
    y[0, 130] = 0.0
    state = after(y, 12)
    assert state.positive[0] == 0
    assert np.isfinite(forecast(state, 250)).all()


def test_values_may_grow_by_any_factor() -> None:
    y = np.tile([1e-150, 2e-150], (1, 50))
    y[0, 90:] = 1e150
    found = forecast(after(y, 1), 100)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    small = np.concatenate([y[:, :90], np.full((1, 10), 1e3)], axis=1)
    for power in (2.0**20, 2.0**-20):
        assert (forecast(after(small * power, 1), 100) == power * forecast(after(small, 1), 100)).all()


@pytest.mark.parametrize("number", [-1, -(2**62), 10**6])
def test_a_combination_that_is_not_in_the_grid_is_not_sound(number: int) -> None:
    held = carried.nothing(1, 7).parts()
    assert carried.Carried(**held).is_sound()
    assert not carried.Carried(**(held | {"combination": np.full((1, 2, carried.KEPT), number)})).is_sound()
