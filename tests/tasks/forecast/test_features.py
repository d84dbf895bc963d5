"""What the network sees at a step is a function of the rows up to that step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnncli.baselines.naive import drift, naive, seasonal_naive
from rnncli.data.panel import Panel
from rnncli.tasks.forecast import features, plan
from rnncli.tasks.forecast.spec import Covariate, ForecastSpec

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def spec(weekly_waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(weekly_waves, 5, LEVELS)


def seen(panel: Panel, spec: ForecastSpec, ends: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, ...]:
    """Everything a forecast from row ends[s] - 1 is made from."""
    crops, last = features.latest(panel, ends, series, spec)
    norm = features.normalise(crops, spec)
    rows = np.arange(len(series))
    return (
        features.inputs(crops, norm, spec, panel.calendar),
        *features.components(norm, rows, last, spec),
        features.known(crops, rows, last, spec, panel.calendar),
        norm.level[rows, last],
        norm.spread[rows, last],
    )


def test_rows_after_the_origin_are_not_seen(weekly_waves: Panel, spec: ForecastSpec) -> None:
    series, ends = np.arange(6), weekly_waves.lengths - 9
    values = weekly_waves.values.copy()
    for s in series:
        values[weekly_waves.offsets[s] + ends[s] : weekly_waves.offsets[s + 1]] = 1e6
    changed = replace(weekly_waves, values=values)
    for one, other in zip(seen(weekly_waves, spec, ends, series), seen(changed, spec, ends, series), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_step_in_the_middle_sees_what_a_forecast_from_there_would(weekly_waves: Panel, spec: ForecastSpec) -> None:
    series = np.array([5])
    crops = features.cut(weekly_waves, weekly_waves.lengths[series], series, np.array([40]), spec)
    norm = features.normalise(crops, spec)
    step = 20
    level, spread = norm.level[0, step], norm.spread[0, step]
    *_, same_level, same_spread = seen(weekly_waves, spec, np.array([0, 0, 0, 0, 0, 61]), series)
    np.testing.assert_allclose([level, spread], [same_level[0], same_spread[0]], rtol=1e-12)


def test_the_level_is_the_mean_of_the_last_season_on_the_links_scale(weekly_waves: Panel, spec: ForecastSpec) -> None:
    *_, level, _ = seen(weekly_waves, replace(spec, each=False, link="log"), weekly_waves.lengths, np.arange(6))
    means = [np.log(weekly_waves.target(s)[-7:]).mean() for s in range(6)]
    np.testing.assert_allclose(level, means, rtol=1e-12)


def test_components_are_the_plain_forecasts(weekly_waves: Panel, spec: ForecastSpec) -> None:
    linear = replace(spec, each=False, link="identity")
    _, plain, _, _, level, spread = seen(weekly_waves, linear, weekly_waves.lengths, np.arange(6))
    names = linear.plain
    for s in range(6):
        units = level[s] + spread[s] * plain[s].astype(np.float64)
        y = weekly_waves.target(s)[-linear.lookback :]
        np.testing.assert_allclose(units[:, names.index("last")], naive(y, 5, 7), rtol=1e-5)
        np.testing.assert_allclose(units[:, names.index("season 7")], seasonal_naive(y, 5, 7), rtol=1e-5)
        np.testing.assert_allclose(units[:, names.index("drift")], drift(y, 5, 7), rtol=1e-5)


def test_a_missing_row_is_zero_and_flagged(weekly_waves: Panel, spec: ForecastSpec) -> None:
    values = weekly_waves.values.copy()
    values[weekly_waves.offsets[1] - 1] = np.nan
    inputs = seen(replace(weekly_waves, values=values), spec, weekly_waves.lengths, np.array([0]))[0]
    step, observed = inputs[0, min(spec.steps, 60) - 1], spec.window
    assert step[spec.window - 1] == 0
    assert step[observed] == 0
    assert np.isfinite(inputs).all()


def with_missing(panel: Panel, series: int, rows: list[int]) -> Panel:
    values = panel.values.copy()
    values[panel.offsets[series] + np.array(rows)] = np.nan
    return replace(panel, values=values)


def test_gaps_are_told_as_gru_d_counts_them(weekly_waves: Panel, spec: ForecastSpec) -> None:
    """Rows 50, 51 and 52 are missing: a gap is that to the last row before this one that was observed."""
    asked, panel = replace(spec, gaps=True), with_missing(weekly_waves, 5, [50, 51, 52])
    crops = features.cut(panel, panel.lengths[[5]], np.array([5]), np.array([45]), asked)
    norm = features.normalise(crops, asked)
    inputs = features.inputs(crops, norm, asked, panel.calendar)
    np.testing.assert_array_equal(inputs[..., :-3], features.inputs(crops, norm, spec, panel.calendar))
    last, observed, gap = inputs[0, :10, -3:].T
    assert observed.tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 1, 1]  # rows 45 ... 54
    assert gap.tolist() == [1, 1, 1, 1, 1, 1, 2, 3, 4, 1]
    relative = (norm.z[0, spec.lookback - 1 + 4] - norm.level[0, 4:8]) / norm.spread[0, 4:8]
    np.testing.assert_allclose(last[4:8], features.squash(relative), rtol=1e-5)
    np.testing.assert_allclose(last[8:], inputs[0, 8:10, spec.window - 1], rtol=1e-5)


def test_where_no_row_is_missing_a_gap_is_one_step(weekly_waves: Panel, spec: ForecastSpec) -> None:
    asked, series = replace(spec, gaps=True), np.array([5])
    crops = features.cut(weekly_waves, weekly_waves.lengths[series], series, np.array([10]), asked)
    inputs = features.inputs(crops, features.normalise(crops, asked), asked, weekly_waves.calendar)
    assert (inputs[..., -2:] == 1).all()


def test_a_gap_longer_than_the_lookback_is_as_long_as_that_from_wherever_it_is_seen(
    weekly_waves: Panel, spec: ForecastSpec
) -> None:
    series, until, found = np.array([5]), 90, []
    panel = with_missing(weekly_waves, 5, list(range(30, until)))
    for first in (20, 60):
        asked = replace(spec, gaps=True, lookback=14, judged=1, steps=until - first)
        crops = features.cut(panel, panel.lengths[series], series, np.array([first]), asked)
        found.append(features.inputs(crops, features.normalise(crops, asked), asked, panel.calendar)[0, -20:, -3:])
    np.testing.assert_array_equal(found[0][:, 1:], found[1][:, 1:])
    assert (found[0][:, 1:] == [0, 14]).all()


def test_targets_are_the_rows_that_follow(weekly_waves: Panel, spec: ForecastSpec) -> None:
    crops = features.cut(weekly_waves, weekly_waves.lengths[[5]], np.array([5]), np.array([10]), spec)
    norm = features.normalise(crops, spec)
    rows, origins = np.array([0]), np.array([12])
    relative = features.targets(norm, rows, origins, spec).astype(np.float64)
    units = np.exp(norm.level[0, 12] + norm.spread[0, 12] * relative[0])
    np.testing.assert_allclose(units, weekly_waves.target(5)[10 + 13 : 10 + 18], rtol=1e-5)


def test_a_future_covariate_is_known_over_the_horizon_and_a_past_one_is_not(build: object) -> None:
    n = 40
    beside = np.arange(n, dtype=float)
    panel = build(np.stack([np.ones(n) * 9, beside, beside], axis=1), channels=("y", "p", "f"))  # type: ignore[operator]
    covariates = (Covariate("p", "past"), Covariate("f", "future"))
    spec = plan.forecast_spec(panel, 3, LEVELS, 10, covariates)
    crops = features.cut(panel, np.array([30]), np.array([0]), np.array([20]), spec)
    assert crops.covariates[0, :, 0].tolist()[9:] == [29.0] + [pytest.approx(np.nan, nan_ok=True)] * 3
    assert crops.covariates[0, :, 1].tolist() == list(np.arange(20.0, 33.0))


def test_a_category_is_one_among_zeros(build: object) -> None:
    covariate = Covariate("sky", "past", ("rain", "sun"))
    got = features.encoded(np.array([[0.0], [1.0], [np.nan]]), (covariate,), (covariate,))
    assert got.tolist() == [[1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize("gaps", [False, True])
def test_the_size_of_the_pieces_has_no_say(weekly_waves: Panel, monkeypatch: pytest.MonkeyPatch, *, gaps: bool) -> None:
    spec = replace(plan.forecast_spec(weekly_waves, 60, (0.1, 0.5, 0.9)), gaps=gaps)
    series = np.arange(len(weekly_waves))
    crops, last = features.latest(weekly_waves, weekly_waves.lengths, series, spec)

    def made() -> list[np.ndarray]:
        norm = features.normalise(crops, spec)
        calendar = weekly_waves.calendar
        inputs = features.inputs(crops, norm, spec, calendar)
        known = features.known(crops, series, last, spec, calendar)
        return [inputs, inputs[:, 3:9], *features.components(norm, series, last, spec), known]

    whole = made()
    monkeypatch.setattr(features, "AT_ONCE", 100)
    pieces = made()
    norm = features.normalise(crops, spec)
    pieces[1] = features.inputs(crops, norm, spec, weekly_waves.calendar, slice(3, 9))
    assert all(np.array_equal(one, other) for one, other in zip(whole, pieces, strict=True))
