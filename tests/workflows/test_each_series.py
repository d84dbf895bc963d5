"""Each series is forecast as what it is: whatever the others are, and however few rows it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rnncli

HORIZON = 7
QUICK = {"horizon": HORIZON, "quantiles": (0.1, 0.5, 0.9), "steps": 20, "members": 1, "hidden": 16}


def table(values: np.ndarray, begin: np.ndarray | int = 0) -> pa.Table:
    """Daily rows of `values` [series, rows], which begin so many days after 2024-01-01."""
    series, rows = values.shape
    days = np.datetime64("2024-01-01") + np.broadcast_to(begin, series)[:, None] + np.arange(rows)
    ids = np.repeat([f"s{number:03}" for number in range(series)], rows)
    return pa.table({"unique_id": ids, "ds": days.ravel().astype("datetime64[s]"), "y": values.ravel()})


def forecast(values: np.ndarray, model: Any, begin: np.ndarray | int = 0) -> np.ndarray:
    """Low, median and high: [3, series, horizon]."""
    found = rnncli.predict(table(values, begin), model=model).to_arrow()
    return np.array([found[name].to_numpy().reshape(len(values), -1) for name in ("q0.1", "q0.5", "q0.9")])


T = np.arange(110.0)
LINES = {
    "down to zero": 109.5 - T,
    "up from zero": T,
    "below zero": -5 - 0.3 * T,
    "through zero": 40 - 0.5 * T,
    "small and steep": 1e-6 * (3 + 2 * T),
    "far from zero": 1e9 + 7 * T,
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_goes_on(name: str) -> None:
    line = LINES[name]
    model = rnncli.train(table(line[None, :100]), **QUICK)
    median = forecast(line[None, :100], model)[1, 0]
    step = abs(line[1] - line[0])
    np.testing.assert_allclose(median, line[100:107], atol=0.3 * step)


def test_a_line_goes_on_beside_one_value_below_zero_elsewhere() -> None:
    rng = np.random.default_rng(0)
    values = np.array([*(50 * np.exp(0.1 * rng.normal(size=100)) for _ in range(8)), rng.normal(0, 1, 100)])
    model = rnncli.train(table(values), **QUICK)
    low, median, high = forecast(values, model)
    assert (low[:8] > 30).all()
    assert (high[:8] < 80).all()
    assert (low[8] < 0).all()
    assert np.abs(median[8]).max() < 1


@pytest.fixture(scope="module")
def sales() -> Any:
    """A model of positive values that are no whole numbers."""
    rng = np.random.default_rng(1)
    return rnncli.train(table(100 * np.exp(rng.normal(0, 1, (12, 1)) + 0.1 * rng.normal(size=(12, 90)))), **QUICK)


@pytest.fixture(scope="module")
def counts() -> Any:
    """A model of counts."""
    return rnncli.train(table(np.random.default_rng(1).poisson(6, (12, 90)).astype(float)), **QUICK)


NEW: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], float, float]] = {
    "nothing but zeros": (lambda rng: np.zeros(60), 0.0, 0.0),
    "mostly zeros": (lambda rng: rng.poisson(0.1, 60) * 10.0, 0.0, 1.0),
    "losses": (lambda rng: rng.uniform(-8, -2, 60), -7.5, -2.5),
    "around zero": (lambda rng: rng.normal(0, 1, 60), -1.0, 1.0),
    "shares": (lambda rng: rng.uniform(0.25, 0.35, 60), 0.26, 0.34),
    "counts": (lambda rng: rng.poisson(20, 60).astype(float), 15.0, 25.0),
    "huge": (lambda rng: 1e11 * rng.uniform(1, 1.1, 60), 1e11, 1.1e11),
}


@pytest.mark.parametrize("trained", ["sales", "counts"])
@pytest.mark.parametrize("name", NEW)
def test_a_series_unlike_the_training_is_forecast_as_what_it_is(
    name: str, trained: str, request: pytest.FixtureRequest
) -> None:
    law, least, most = NEW[name]
    values = np.array([law(np.random.default_rng(seed)) for seed in range(4)])
    low, median, high = forecast(values, request.getfixturevalue(trained))
    assert (least <= median).all()
    assert (median <= most).all()
    if (values >= 0).all():
        assert (low >= 0).all()
    whole = (values == np.round(values)).all()
    assert whole == (high == np.round(high)).all()


def level(rng: np.random.Generator, rows: int) -> np.ndarray:
    return np.exp(rng.normal(4, 0.8) + 0.1 * rng.normal(size=rows))


def walk(rng: np.random.Generator, rows: int) -> np.ndarray:
    return np.exp(rng.normal(4, 0.8) + 0.03 * np.cumsum(rng.normal(size=rows)))


def signed(rng: np.random.Generator, rows: int) -> np.ndarray:
    return rng.normal(0, 10) + 3 * rng.normal(size=rows)


def counted(rng: np.random.Generator, rows: int) -> np.ndarray:
    return rng.poisson(np.exp(rng.normal(3, 0.5)), rows).astype(float)


def weekly(rng: np.random.Generator, rows: int) -> np.ndarray:
    return level(rng, rows) * np.resize([1.0, 1.1, 1.0, 0.9, 1.2, 0.6, 0.5], rows)


@pytest.mark.parametrize("law", [level, walk, signed, counted, weekly])
def test_intervals_of_series_that_have_just_begun_hold_what_they_promise(
    law: Callable[[np.random.Generator, int], np.ndarray],
) -> None:
    rng = np.random.default_rng(3)
    model = rnncli.train(table(np.array([law(rng, 90) for _ in range(40)])), **QUICK)
    new, day = np.array([law(rng, 90 + HORIZON) for _ in range(105)]), 84 + np.arange(105) % 7  # of each origin
    actual = np.take_along_axis(new, day[:, None] + np.arange(HORIZON), axis=1)
    for rows in (1, 2, 4, 10):
        seen = np.take_along_axis(new, day[:, None] + np.arange(-rows, 0), axis=1)
        low, _, high = forecast(seen, model, day - rows)
        covered = ((low <= actual) & (actual <= high)).mean()
        assert 0.68 <= covered <= 0.96, rows


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_interval_of_one_value_does_not_depend_on_how_near_zero_it_is(unit: float) -> None:
    rng = np.random.default_rng(6)
    model = rnncli.train(table(unit * (rng.normal(0, 10, (25, 1)) + rng.normal(size=(25, 80)))), **QUICK)
    low, _, high = forecast(unit * np.array([[0.0], [0.001], [1.0], [-20.0], [20.0]]), model)
    width = ((high - low) / unit).mean(axis=1)  # about 2 x 1.28 x sqrt 2 is right
    assert (width > 2).all()
    assert (width < 7).all()


def test_a_few_equal_rows_are_no_constant() -> None:
    rng = np.random.default_rng(7)
    model = rnncli.train(table(rng.poisson(2, (25, 80)).astype(float)), **QUICK)
    low, _, high = forecast(np.full((1, 3), 2.0), model)
    assert (high - low >= 2).all()
    low, _, high = forecast(np.full((1, 30), 2.0), model)
    assert (low == 2.0).all()
    assert (high == 2.0).all()


def test_an_outlier_beyond_all_measure_fails_no_training() -> None:
    values = np.random.default_rng(8).normal(size=(4, 80))
    values[2, 40] = -1e100
    low, median, high = forecast(values, rnncli.train(table(values), **QUICK))
    assert np.isfinite([low, median, high]).all()
    assert np.abs(median[[0, 1, 3]]).max() < 3


def test_values_too_small_to_compute_with_are_refused_by_their_place() -> None:
    tiny = table(np.array([np.linspace(1e-200, 9e-200, 60), np.linspace(1, 9, 60)]))
    with pytest.raises(rnncli.errors.SeriesRefused, match="too small to compute with") as refused:
        rnncli.train(tiny, **QUICK)
    assert refused.value.series == "s000"


KINDS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "positive": level,
    "zero": lambda rng, rows: rng.poisson(0.6, rows).astype(float),
    "negative": lambda rng, rows: -level(rng, rows),
    "signed": signed,
    "shares": lambda rng, rows: 1 / (1 + np.exp(0.3 * rng.normal(size=rows) - rng.normal())),
}


def test_series_of_a_mixed_training_are_forecast_as_well_as_alone() -> None:
    rng = np.random.default_rng(4)
    values = {kind: np.array([law(rng, 80 + HORIZON) for _ in range(20)]) for kind, law in KINDS.items()}
    past = {kind: every[:, :80] for kind, every in values.items()}
    mixed = rnncli.train(table(np.concatenate(list(past.values()))), **QUICK)
    ratios = []
    for kind, every in past.items():
        alone = rnncli.train(table(every), **QUICK)
        errors = [np.abs(forecast(every, model)[1] - values[kind][:, 80:]).mean() for model in (mixed, alone)]
        ratios.append(errors[0] / errors[1])
    assert np.exp(np.mean(np.log(ratios))) < 1.05, dict(zip(KINDS, ratios, strict=True))
    assert max(ratios) < 1.1
