"""Link, floor and whole numbers follow each series, and what it has not shown yet is taken from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import evidence, fullness, shown, support

LEVELS = (0.1, 0.5, 0.9)
ROWS = 80
T = np.arange(ROWS)
RNG = np.random.default_rng(2)
NOISE = RNG.normal(0, 1, ROWS)
SERIES = {
    "sales": (50 * np.exp(0.02 * np.cumsum(NOISE)), True, 0.0, False),
    "growth": (1.05**T, True, 0.0, False),
    "a line": (100.5 - T, False, 0.0, False),
    "a noisy level": (30 + 9 * NOISE.clip(-3, 3), True, 0.0, False),
    "counts": (RNG.poisson(0.7, ROWS).astype(float), False, 0.0, True),
    "zeros": (np.zeros(ROWS), False, 0.0, True),
    "losses": (-5 + NOISE, False, -np.inf, False),
    "whole and signed": (np.round(3 * NOISE), False, -np.inf, True),
    "shares": (0.5 + 0.1 * NOISE.clip(-3, 3), True, 0.0, False),
    "out of proportion": (np.where(T == 7, 1e-9, 50.5), False, 0.0, False),
}


@pytest.fixture(scope="module")
def mixed(build: Callable[..., Panel]) -> Panel:
    return build(*(values for values, *_ in SERIES.values()))


@pytest.fixture(scope="module")
def spec(mixed: Panel) -> ForecastSpec:
    return plan.forecast_spec(mixed, 5, LEVELS)


def test_each_series_of_a_mixed_panel_is_what_it_is(mixed: Panel, spec: ForecastSpec) -> None:
    found = support(mixed, np.arange(len(mixed)), mixed.lengths, spec)
    told = zip(found.logs.tolist(), found.floor.tolist(), found.whole.tolist(), strict=True)
    assert dict(zip(SERIES, told, strict=True)) == {name: tuple(known) for name, (_, *known) in SERIES.items()}


def test_a_short_series_is_believed_to_be_what_all_others_are(build: Callable[..., Panel]) -> None:
    counts = build(*(RNG.poisson(3, ROWS).astype(float) for _ in range(4)))
    ratios = build(*(50 * np.exp(0.1 * np.cumsum(RNG.normal(0, 1, ROWS))) for _ in range(4)))
    anything = build(NOISE, *(RNG.poisson(3, ROWS).astype(float) for _ in range(4)))
    short = build([4.0, 2.0])
    for panel, whole, logs in ((counts, True, False), (ratios, False, True), (anything, False, False)):
        found = support(short, np.array([0]), np.array([2]), plan.forecast_spec(panel, 5, LEVELS))
        assert (found.whole[0], found.logs[0]) == (whole, logs)
        assert found.floor[0] == (0.0 if panel is not anything else -np.inf)


def test_rows_after_the_origin_say_nothing(mixed: Panel, spec: ForecastSpec) -> None:
    values = mixed.values.copy()
    values[mixed.offsets[1:] - 1] = -99.25
    changed = replace(mixed, values=values)
    series, ends = np.arange(len(mixed)), mixed.lengths - 1
    for name in ("logs", "floor", "whole", "count"):
        one, other = (getattr(support(panel, series, ends, spec), name) for panel in (mixed, changed))
        np.testing.assert_array_equal(one, other)


def test_origins_of_one_series_are_told_what_lies_before_each(build: Callable[..., Panel]) -> None:
    panel = build([5.0, np.nan, 2.0, 3.5, -1.0], [np.nan, 7.0])
    found = shown(panel, np.array([0, 0, 0, 1]), np.array([1, 3, 5, 1]))
    assert found.least.tolist() == [5.0, 2.0, -1.0, np.inf]
    assert found.whole.tolist() == [True, True, False, True]
    assert found.count.tolist() == [1, 2, 4, 0]


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_the_evidence_does_not_depend_on_the_unit(size: float, build: Callable[..., Panel], spec: ForecastSpec) -> None:
    panel = build(*(size * values for values, *_ in SERIES.values()))
    found = support(panel, np.arange(len(panel)), panel.lengths, spec)
    assert found.logs.tolist() == [logs for _, logs, *_ in SERIES.values()]


def test_the_evidence_is_the_difference_of_two_likelihoods() -> None:
    y = np.exp(0.2 * np.cumsum(NOISE)) / 10
    change, ratio = np.diff(y), np.diff(np.log(y))
    expected = -np.log(change.std()) + np.log(ratio.std()) + np.log(y[1:]).mean()
    np.testing.assert_allclose(evidence(y[None], 1), [expected])


def test_what_the_user_says_of_the_values_rules(mixed: Panel, spec: ForecastSpec) -> None:
    signed = plan.bounded(mixed, spec, -7.0, None)
    found = support(mixed, np.arange(len(mixed)), mixed.lengths, signed)
    assert not found.logs.any()
    assert (found.floor == -7.0).all()


def wind(most: float) -> np.ndarray:
    """A share of what a wind farm can make, which is often all of it."""
    level = np.convolve(np.random.default_rng(5).normal(0.6, 1.2, 400), np.ones(6) / 6, "valid")
    return most * np.clip(level, 0, 1)


@pytest.mark.parametrize("most", [1.0, 100.0])
def test_shares_and_percentages_have_a_ceiling(most: float, build: Callable[..., Panel]) -> None:
    panel = build(wind(most), wind(most)[::-1])
    assert fullness(panel) == most
    spec = plan.forecast_spec(panel, 5, LEVELS)
    found = support(panel, np.arange(2), panel.lengths, spec)
    assert (found.floor.tolist(), found.ceiling.tolist()) == ([0, 0], [most, most])


def test_a_series_that_was_above_the_ceiling_has_none(build: Callable[..., Panel]) -> None:
    spec = plan.forecast_spec(build(wind(1.0)), 5, LEVELS)
    higher = wind(1.0)
    higher[-3] = 1.2
    panel = build(wind(1.0), higher)
    assert support(panel, np.arange(2), panel.lengths, spec).ceiling.tolist() == [1, np.inf]
    said = replace(spec, maximum=1.0)
    assert support(panel, np.arange(2), panel.lengths, said).ceiling.tolist() == [1, 1]


@pytest.mark.parametrize(
    "values",
    [
        wind(1.0) * 0.99,  # never full
        wind(1.0) * 2,  # of something else than all
        np.round(wind(1.0) * 2) / 2 - 0.5,  # below 0
        np.round(wind(100.0)),  # counts, for all that is known
        np.concatenate([np.linspace(0.2, 1, 300), np.ones(50)]),  # a price that stays for a while
    ],
)
def test_others_have_no_ceiling(values: np.ndarray, build: Callable[..., Panel]) -> None:
    assert fullness(build(values)) is None
