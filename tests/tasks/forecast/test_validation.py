"""Held-out rows: several origins of every series that can spare them, none of which is trained on."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import anything
from rnncli.tasks.forecast.validation import (
    MOST_WINDOWS,
    Holdout,
    Validated,
    hold_out,
    quantile_loss,
    scaled_quantile_loss,
    seasonal_scale,
    validated,
)

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def spec(weekly_waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(weekly_waves, 5, LEVELS)


def test_the_last_horizon_of_every_long_series_is_held_out(weekly_waves: Panel, spec: ForecastSpec) -> None:
    holdout = hold_out(weekly_waves, spec)
    last = holdout.at(np.flatnonzero(holdout.window == 0))
    assert last.series.tolist() == list(range(6))
    assert last.origins.tolist() == (weekly_waves.lengths - spec.horizon).tolist()


def test_training_sees_no_row_after_the_first_origin(weekly_waves: Panel, spec: ForecastSpec) -> None:
    holdout = hold_out(weekly_waves, spec)
    ends = holdout.ends(weekly_waves.lengths)
    assert all(ends[s] == holdout.origins[holdout.series == s].min() for s in range(6))
    assert (ends >= weekly_waves.lengths // 2).all()


@pytest.mark.parametrize(
    ("rows", "horizon", "origins"),
    [(400, 5, 24), (60, 6, 24), (30, 6, 10), (20, 6, 2), (12, 6, 1), (8, 6, 0)],
)
def test_one_series_has_as_many_origins_as_its_rows_allow(build: object, rows: int, horizon: int, origins: int) -> None:
    panel = build(np.arange(rows) + 5.0)  # type: ignore[operator]
    holdout = hold_out(panel, plan.forecast_spec(panel, horizon, LEVELS))
    assert len(holdout) == origins <= MOST_WINDOWS
    assert (np.diff(holdout.origins) >= 1).all()
    assert not len(holdout) or holdout.origins[-1] == max(rows - horizon, 8)


def test_a_series_too_short_to_spare_rows_trains_whole(build: object, spec: ForecastSpec) -> None:
    panel = build(np.arange(1.0, 61), np.arange(1.0, 9))  # type: ignore[operator]
    assert hold_out(panel, spec).ends(panel.lengths)[1] == 8


def test_where_no_series_can_spare_rows_all_are_trained_on(build: object, spec: ForecastSpec) -> None:
    panel = build(np.arange(1.0, 9), np.arange(1.0, 5))  # type: ignore[operator]
    assert hold_out(panel, spec).ends(panel.lengths).tolist() == [8, 4]


def test_a_short_series_is_judged_on_the_steps_that_it_has(build: object) -> None:
    panel = build(np.arange(15) % 7 + 3.0)  # type: ignore[operator]
    spec = plan.forecast_spec(panel, 12, LEVELS)
    holdout = hold_out(panel, spec)
    assert holdout.origins.tolist() == [10]
    judged = validated(panel, spec, holdout, np.zeros((1, 12, 3)))
    assert (~np.isnan(judged.actual)).sum() == 5


def test_some_forecasts_are_those_of_whole_series(weekly_waves: Panel, spec: ForecastSpec) -> None:
    holdout = hold_out(weekly_waves, spec)
    some = holdout.some(len(holdout) // 2)
    assert 0 < len(some) < len(holdout)
    assert all((holdout.series == s).sum() == (some.series == s).sum() for s in np.unique(some.series))


def found(actual: list[list[float]], scale: float = 2.0) -> Validated:
    seen = np.array(actual)
    nowhere = np.zeros(len(seen), np.int64)
    holdout = Holdout(nowhere, nowhere + 5, nowhere)
    return Validated(
        holdout,
        np.repeat(np.nan_to_num(seen)[..., None], 3, axis=2),
        seen,
        np.full(len(seen), scale),
        anything(len(seen)),
    )


def test_the_scaled_loss_of_a_perfect_forecast_is_zero() -> None:
    assert scaled_quantile_loss(found([[1.0, np.nan]]), LEVELS).tolist() == [0.0]


def test_the_quantile_loss_of_a_forecast_without_spread_is_its_absolute_error() -> None:
    perfect = found([[1.0, 3.0, np.nan]])
    off = perfect.made(perfect.quantiles + 2)
    assert quantile_loss(off, LEVELS) == pytest.approx([2.0])
    assert scaled_quantile_loss(off, LEVELS) == pytest.approx([1.0])


def test_where_nothing_was_observed_there_is_no_loss() -> None:
    assert np.isnan(quantile_loss(found([[np.nan, np.nan]]), LEVELS)).all()


def test_a_series_that_never_changes_still_has_a_scale(build: object) -> None:
    panel = build(np.full(30, 4.0), np.zeros(30))  # type: ignore[operator]
    assert seasonal_scale(panel, np.array([0, 1]), panel.lengths, 7).tolist() == [4.0, 1.0]
