"""Made-up series: the same for a seed, and as varied as they promise to be."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.pretraining import seasonal
from rnncli.pretraining.lessons import panel_of
from rnncli.pretraining.prior import KINDS, Kind, series
from rnncli.pretraining.processes import autoregressive, gaussian, smoothing_process, walk
from rnncli.pretraining.trends import TRENDS


def drawn(kind: Kind, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [series(rng, kind.most, kind.seasons) for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.seasons}-{kind.most}")
def test_a_seed_gives_the_same_series_and_another_seed_others(kind: Kind) -> None:
    one, again, other = (panel_of(kind, np.random.default_rng(seed), 6) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.values, again.values)
    assert not np.array_equal(one.values[:6], other.values[:6], equal_nan=True)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.seasons}-{kind.most}")
def test_every_series_is_finite_and_as_long_as_was_asked(kind: Kind) -> None:
    for y in drawn(kind, 40):
        assert len(y) == kind.most
        assert np.isfinite(y[~np.isnan(y)]).all()
        assert (~np.isnan(y)).mean() > 0.5


def test_some_are_counts_some_have_gaps_some_fall_below_zero_and_most_do_neither() -> None:
    made = drawn(next(kind for kind in KINDS if kind.seasons == (12,)), 400)
    seen = [y[~np.isnan(y)] for y in made]
    whole = np.mean([(y == np.round(y)).all() and y.max() < 1e5 for y in seen])
    gaps = np.mean([np.isnan(y).any() for y in made])
    below = np.mean([(y < 0).any() for y in seen])
    zeros = np.mean([(y == 0).mean() > 0.3 for y in seen])
    assert 0.1 < whole < 0.45
    assert 0.02 < gaps < 0.12
    assert 0.02 < below < 0.35
    assert 0.01 < zeros < 0.15


def test_a_season_comes_back_after_its_length_and_not_between() -> None:
    rng, length = np.random.default_rng(0), 24
    same, between = [], []
    for _ in range(80):
        y = seasonal.season(rng, 20 * length, length)
        same.append(np.corrcoef(y[length:], y[:-length])[0, 1])
        between.append(np.corrcoef(y[11:], y[:-11])[0, 1])
    assert np.median(same) > 0.95
    assert np.median(between) < 0.3


def test_an_autoregressive_process_has_unit_variance_and_its_correlation() -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([autoregressive(rng, 4_000, 0.8) for _ in range(5)])
    assert y.var() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(y[1:], y[:-1])[0, 1] == pytest.approx(0.8, abs=0.03)


def test_a_walk_has_as_much_variance_as_steps() -> None:
    rng = np.random.default_rng(0)
    ends = np.array([walk(rng, 100)[-1] for _ in range(2_000)])
    assert ends.var() == pytest.approx(100, rel=0.1)


def test_a_gaussian_process_has_unit_variance_about() -> None:
    rng = np.random.default_rng(0)
    sizes = [float((gaussian(rng, 200, (12,)) ** 2).mean()) for _ in range(150)]
    assert 0.3 < np.mean(sizes) < 3


def test_trends_are_of_the_size_of_one() -> None:
    rng = np.random.default_rng(0)
    for trend in TRENDS:
        sizes = [float(np.ptp(trend(rng, 120))) for _ in range(50)]
        assert np.median(sizes) < 5


def test_the_state_space_model_has_no_season_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert np.isfinite(smoothing_process(rng, 60, 1)).all()
