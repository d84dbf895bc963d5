"""The pool: held-out rows decide as far as they can tell, and what it is drawn to decides the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.pool import (
    NETWORK,
    SMOOTHING,
    Pool,
    baseline_quantiles,
    fitted_pool,
    pooled,
    prior_pool,
)
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import anything
from rnncli.tasks.forecast.validation import Validated, hold_out, validated

LEVELS = (0.1, 0.5, 0.9)
HORIZON = 5


@pytest.fixture(scope="module")
def waves(build: Callable[..., Panel]) -> Panel:
    """Forty weekly waves with noise."""
    rng = np.random.default_rng(1)
    t = np.arange(80)
    return build(*(30 + 5 * np.sin(2 * np.pi * (t + p) / 7) + rng.normal(0, 1, 80) for p in range(40)))


@pytest.fixture(scope="module")
def spec(waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(waves, HORIZON, LEVELS)


def judged(panel: Panel, spec: ForecastSpec, network: Callable[[np.ndarray], np.ndarray]) -> Validated:
    """What a network forecast whose quantiles are a function of what came."""
    holdout = hold_out(panel, spec)
    empty = validated(panel, spec, holdout, np.zeros((len(holdout), spec.horizon, 3)))
    return empty.made(network(empty.actual)[..., None] + np.array([-1.2, 0.0, 1.2]))


def share(pool: Pool, name: str) -> float:
    return dict(zip(pool.names, pool.weights, strict=True)).get(name, 0.0)


def test_a_network_that_knows_the_future_is_all_of_the_pool(waves: Panel, spec: ForecastSpec) -> None:
    pool, mixed = fitted_pool(waves, judged(waves, spec, lambda actual: actual), spec)
    assert share(pool, NETWORK) > 0.95
    assert mixed.shape == (len(hold_out(waves, spec)), HORIZON, 3)


def test_a_network_that_knows_nothing_is_none_of_it(waves: Panel, spec: ForecastSpec) -> None:
    pool, _ = fitted_pool(waves, judged(waves, spec, lambda actual: 0 * actual), spec)
    assert share(pool, NETWORK) < 0.05
    assert share(pool, SMOOTHING) > 0.6


def test_the_weights_add_up_to_one_and_the_same_data_give_the_same(waves: Panel, spec: ForecastSpec) -> None:
    found = judged(waves, spec, lambda actual: actual.mean(axis=1, keepdims=True) + 0 * actual)
    pool, _ = fitted_pool(waves, found, spec)
    assert sum(pool.weights) == pytest.approx(1, abs=1e-5)
    assert fitted_pool(waves, found, spec)[0] == pool


def test_forecasts_that_do_not_differ_share_evenly(waves: Panel, spec: ForecastSpec) -> None:
    found = judged(waves, spec, lambda actual: actual)
    same = baseline_quantiles(
        SMOOTHING, spec.seasons[0], waves, found.holdout.series, found.holdout.origins, spec, found.support
    )
    pool, _ = fitted_pool(waves, found.made(same), spec)
    assert share(pool, NETWORK) == pytest.approx(share(pool, SMOOTHING), abs=0.05)


def test_a_pool_is_the_average_of_its_forecasts_level_by_level(waves: Panel, spec: ForecastSpec) -> None:
    series, ends = np.arange(3), waves.lengths[:3]
    network = np.full((3, HORIZON, 3), 31.0)
    naive = baseline_quantiles("naive", 1, waves, series, ends, spec, anything(3))
    made = pooled(Pool((NETWORK, "naive"), (7, 1), (0.25, 0.75)), network, waves, series, ends, spec, anything(3))
    np.testing.assert_allclose(made, 0.25 * network + 0.75 * naive)


def test_a_pool_guards_what_it_averages(waves: Panel, spec: ForecastSpec) -> None:
    series, ends = np.arange(1), waves.lengths[:1]
    made = pooled(Pool(reach=1.0), np.full((1, HORIZON, 3), 1e9), waves, series, ends, spec, anything(1))
    past = waves.target(0)[-spec.context :]
    assert (made == 2 * past.max() - past.min()).all()


def test_where_nothing_can_be_held_out_it_is_what_a_pool_is_drawn_to(spec: ForecastSpec) -> None:
    assert prior_pool(spec).weights == (0.5, 0.5)
    assert str(prior_pool(spec)) == "50% network, 50% exponential smoothing"


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ("naive",)}, {"names": (NETWORK, "oracle"), "seasons": (1, 1), "weights": (0.5, 0.5)},
        {"weights": (0.9,)}, {"weights": (0.5, 0.5)}, {"seasons": (0,)}, {"reach": -1.0},
        {"weights": (float("nan"),)}, {"reach": float("nan")},
    ],
)  # fmt: skip
def test_a_pool_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Pool(**wrong)  # type: ignore[arg-type]


def test_weights_that_were_rounded_are_a_pool() -> None:
    weights = (0.333333, 0.333333, 0.166666, 0.166666)
    assert Pool((NETWORK, SMOOTHING, "seasonal-naive", "naive"), (1,) * 4, weights).weights == weights


def test_kinds_of_series_may_be_weighed_apart(build: Callable[..., Panel]) -> None:
    rng = np.random.default_rng(6)
    ratios = [40 * np.exp(0.1 * np.cumsum(rng.normal(size=80))) for _ in range(20)]
    panel = build(*ratios, *(rng.normal(0, 5, 80) for _ in range(20)))
    spec = plan.forecast_spec(panel, HORIZON, LEVELS)
    found = judged(panel, spec, lambda actual: actual)
    free = ~found.support.logs
    wrong = np.where(free[:, None, None], found.quantiles + 50, found.quantiles)
    pool, mixed = fitted_pool(panel, found.made(wrong), spec)
    shares = pool.shares(found.support)
    assert shares[~free, 0].min() > 0.9
    assert shares[free, 0].max() < 0.1
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert Pool.from_json(pool.to_json()) == pool
    assert np.abs(mixed[free] - wrong[free]).mean() > 40


def test_giants_do_not_say_how_others_are_weighed(build: Callable[..., Panel]) -> None:
    rng = np.random.default_rng(7)
    sizes = np.full(40, 10.0)
    sizes[[3, 21]] = 1e5
    panel = build(*(size * np.exp(0.1 * np.cumsum(rng.normal(size=80))) for size in sizes))
    spec = plan.forecast_spec(panel, HORIZON, LEVELS)
    found = judged(panel, spec, lambda actual: actual)
    huge = np.isin(found.series, [3, 21])
    wrong = np.where(huge[:, None, None], 2 * found.quantiles, found.quantiles)
    pool, mixed = fitted_pool(panel, found.made(wrong), spec)
    shares = pool.shares(found.support)
    assert shares[~huge, 0].min() > 0.9
    assert shares[huge, 0].max() < 0.5
    assert Pool.from_json(pool.to_json()) == pool
    np.testing.assert_allclose(mixed[~huge], wrong[~huge], rtol=0.05)


def test_drift_is_what_lines_are_forecast_by(build: Callable[..., Panel]) -> None:
    panel = build(*(3.0 * k + k * np.arange(60.0) for k in range(1, 12)))
    spec = plan.forecast_spec(panel, HORIZON, LEVELS)
    pool, _ = fitted_pool(panel, judged(panel, spec, lambda actual: 0.9 * actual), spec)
    assert share(pool, "drift") > 0.95


def test_what_forecasts_with_a_season_was_judged_with_it(build: Callable[..., Panel]) -> None:
    """Two cycles of 12 rows are complete when the series end, and were not at any held-out origin."""
    rng = np.random.default_rng(8)
    panel = build(*(20 + 5 * np.sin(np.arange(25) / 6 * np.pi + k) + rng.normal(0, 1, 25) for k in range(30)))
    panel = replace(panel, calendar=replace(panel.calendar, seasons=(12,)))
    spec = plan.forecast_spec(panel, 3, LEVELS)
    found = judged(panel, spec, lambda actual: actual + 100)
    assert found.holdout.origins.max() < 24
    pool, _ = fitted_pool(panel, found, spec)
    assert set(pool.smoothing.values()) <= {1}
