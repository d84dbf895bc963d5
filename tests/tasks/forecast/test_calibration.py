"""Intervals are stretched to what held-out rows ask for, by as much as these can tell."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.calibration import (
    LARGEST,
    calibrated,
    calibrated_unproven,
    calibrated_young,
    fitted_calibration,
    fitted_young,
)
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import anything
from rnncli.tasks.forecast.validation import Holdout, Validated

LEVELS = (0.1, 0.5, 0.9)
NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS])


@pytest.fixture(scope="module")
def spec(weekly_waves: Panel) -> ForecastSpec:
    return plan.forecast_spec(weekly_waves, 6, LEVELS)


def forecasts(width: float, windows: int = 24, series: int = 60, seed: int = 0) -> Validated:
    """Standard normal values, and normal quantiles `width` times as wide as they should be."""
    actual = np.random.default_rng(seed).normal(size=(windows * series, 6))
    window = np.tile(np.arange(windows), series)
    holdout = Holdout(np.repeat(np.arange(series), windows), window + 50, window)
    return Validated(
        holdout, np.zeros((len(actual), 6, 1)) + width * NORMAL, actual, np.ones(len(actual)), anything(len(actual))
    )


@pytest.mark.parametrize("width", [0.5, 1.0, 1.6])
def test_wrong_widths_are_made_right(width: float, spec: ForecastSpec) -> None:
    factors = fitted_calibration(forecasts(width), spec)
    fresh = forecasts(width, seed=1)
    made = calibrated(fresh.quantiles, factors, spec)
    inside = ((made[..., 0] < fresh.actual) & (fresh.actual < made[..., 2])).mean()
    assert inside == pytest.approx(0.8, abs=0.04)


def test_the_median_stays_and_levels_never_cross(spec: ForecastSpec) -> None:
    found = forecasts(0.7)
    factors = fitted_calibration(found, spec)
    assert (factors[:, spec.median] == 1).all()
    assert (np.diff(calibrated(found.quantiles, factors, spec), axis=2) >= 0).all()


def test_few_windows_are_hardly_believed(spec: ForecastSpec) -> None:
    many, few = (fitted_calibration(forecasts(0.5, windows, 60), spec)[:, 2].mean() for windows in (24, 1))
    assert many > 1.7
    assert 1 < few < 1.3


def test_no_stretch_is_beyond_all_measure(spec: ForecastSpec) -> None:
    assert fitted_calibration(forecasts(1e-6), spec).max() <= LARGEST
    assert fitted_calibration(forecasts(1e6), spec).min() >= 1 / LARGEST


def test_where_nothing_was_observed_nothing_is_stretched(spec: ForecastSpec) -> None:
    found = forecasts(0.5)
    assert (fitted_calibration(replace(found, actual=np.full_like(found.actual, np.nan)), spec) == 1).all()
    assert (fitted_calibration(forecasts(0.0), spec) == 1).all()


def test_young_series_are_stretched_by_how_many_rows_they_have(spec: ForecastSpec) -> None:
    found = [forecasts(width, series=20) for width in np.linspace(0.4, 1.5, len(spec.young))]
    factors = fitted_young(found, spec)
    assert (np.diff(factors[:, :, 2], axis=0) < 0).all()
    assert (factors[:, :, spec.median] == 1).all()
    rows = np.array([spec.young[0], spec.young[-1]])
    made = calibrated_young(np.zeros((2, 6, 1)) + NORMAL, factors, rows, spec)
    np.testing.assert_allclose(made[..., 2] / NORMAL[2], factors[[0, -1], :, 2])


@pytest.mark.parametrize(("rows", "t"), [(3, 1.886), (5, 1.533), (11, 1.372), (31, 1.310), (1_000_001, 1.282)])
def test_intervals_without_proof_are_those_of_students_t(rows: int, t: float, spec: ForecastSpec) -> None:
    made = calibrated_unproven(np.zeros((1, 6, 1)) + NORMAL, np.array([rows]), spec)
    np.testing.assert_allclose(made[0, 0, 2] / np.sqrt(1 + 1 / rows), t, rtol=0.03)
