"""Beyond the trained horizon: forecasts from forecasts, whose doubt only grows, within all that is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.beyond import extended, in_blocks, widened
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.support import anything, common

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def model(weekly_waves: Panel, untrained: Callable[..., tuple[Forecaster, object]]) -> Forecaster:
    return untrained(weekly_waves)[0]


def test_the_first_block_is_the_trained_forecast(weekly_waves: Panel, model: Forecaster) -> None:
    trained = model.quantiles(weekly_waves)
    assert model.quantiles(weekly_waves, steps=13)[:, :5].tobytes() == trained.tobytes()
    assert model.quantiles(weekly_waves, steps=3).tobytes() == trained[:, :3].tobytes()


def test_the_second_block_is_the_forecast_of_data_that_end_in_the_medians(
    weekly_waves: Panel, model: Forecaster
) -> None:
    first = model.quantiles(weekly_waves)
    longer = extended(weekly_waves, weekly_waves.lengths, 5)
    rows = longer.offsets[1:, None] - 5 + np.arange(5)
    longer.values[rows, 0] = first[..., 1]
    beyond = model.quantiles(weekly_waves, steps=10)[:, 5:]
    np.testing.assert_array_equal(beyond[..., 1], model.quantiles(longer)[..., 1])


def test_no_interval_is_narrower_than_where_its_block_began(weekly_waves: Panel, model: Forecaster) -> None:
    on_logs = replace(model, spec=replace(model.spec, each=False, link="log"))
    found = np.log(on_logs.quantiles(weekly_waves, steps=40))
    away = np.abs(found - found[..., 1:2])
    for block in range(5, 40, 5):
        assert (away[:, block : block + 5] >= away[:, block - 1 : block] - 1e-9).all()


def test_doubt_adds_up_as_that_of_a_random_walk(weekly_waves: Panel) -> None:
    spec = replace(plan.forecast_spec(weekly_waves, 4, LEVELS), link="identity", floor=None, each=False)

    def walk(panel: Panel, ends: np.ndarray) -> np.ndarray:
        root = np.sqrt(np.arange(1, 5))[:, None] * [-1.0, 0.0, 1.0]
        return np.broadcast_to(7 + root, (len(panel), 4, 3)).copy()

    found = in_blocks(walk, weekly_waves, weekly_waves.lengths, 11, spec, lambda: anything(6))
    np.testing.assert_allclose(found[..., 2] - 7, np.broadcast_to(np.sqrt(np.arange(1, 12)), (6, 11)))


def test_a_long_forecast_is_finite_ascending_and_within_its_bounds(weekly_waves: Panel, model: Forecaster) -> None:
    bounded = replace(model, spec=replace(model.spec, floor=19.0, ceiling=21.0, minimum=19.0, maximum=21.0))
    for which in (model, bounded):
        found = which.quantiles(weekly_waves, steps=60)
        assert np.isfinite(found).all()
        assert (np.diff(found, axis=2) >= 0).all()
        assert (found >= (which.spec.floor or 0)).all()
    assert (found <= 21).all()


def test_a_long_forecast_is_the_same_bits_alone_and_among_others(weekly_waves: Panel, model: Forecaster) -> None:
    every = model.quantiles(weekly_waves, steps=12)
    for s in range(len(weekly_waves)):
        assert model.quantiles(weekly_waves.select(np.array([s])), steps=12).tobytes() == every[s : s + 1].tobytes()


@pytest.mark.parametrize("value", [7.0, 1e-200, 16_777_217.0])
def test_a_constant_series_stays_constant_however_far(build: object, model: Forecaster, value: float) -> None:
    assert (model.quantiles(build([value] * 30), steps=23) == value).all()  # type: ignore[operator]


def test_rows_after_the_origin_never_move_a_long_forecast(weekly_waves: Panel, model: Forecaster) -> None:
    ends = weekly_waves.lengths - 10
    cut = model.quantiles(weekly_waves.cut(ends), steps=14)
    assert model.quantiles(weekly_waves, ends, 14).tobytes() == cut.tobytes()


def test_a_series_with_nothing_to_see_stays_without_a_forecast(build: object, model: Forecaster) -> None:
    found = model.quantiles_if_any(build([np.nan] * 9, 20 + np.arange(20.0) % 7), steps=11)  # type: ignore[operator]
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


@pytest.mark.parametrize("link", ["log", "identity"])
def test_zero_and_huge_quantiles_stay_ordered_and_finite(weekly_waves: Panel, link: str) -> None:
    spec = replace(plan.forecast_spec(weekly_waves, 2, LEVELS), link=link, floor=0.0, each=False)
    block = np.array([[[0.0, 1e-300, 1e300], [0.0, 0.0, 0.0]]])
    found = widened(block, block[:, 0], spec, common(1, spec))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    np.testing.assert_array_equal(found[..., 1], block[..., 1])
