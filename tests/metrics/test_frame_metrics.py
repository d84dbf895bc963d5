"""Metrics of frames against their formulas, pixel by pixel and window by window, and against figures worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rnncli.metrics.frames import Forecast, decibels, ssim_map, ssim_terms
from rnncli.registry import METRICS, find

Frames = NDArray[np.float64]


def value(name: str, frames: Forecast) -> dict[str, float]:
    """Every column of a metric over all frames."""
    metric = find(METRICS["frames"], name, "metric")
    return {
        column: float(metric.of(numerator.sum() / denominator.sum()))
        for column, (numerator, denominator) in metric.terms(frames).items()
    }


@pytest.fixture
def frames() -> Forecast:
    rng = np.random.default_rng(0)
    actual = rng.uniform(0, 255, (3, 2, 14, 17, 2))
    return Forecast(actual, actual + rng.normal(0, 20, actual.shape), 255.0, (100.0,))


def ssim_of_a_window(x: Frames, y: Frames, span: float) -> float:
    """Equation 13 of Wang et al. (2004), the moments of equations 14 to 16 as sums over 11 x 11 pixels."""
    weights = [
        [math.exp(-((row - 5) ** 2 + (column - 5) ** 2) / (2 * 1.5**2)) for column in range(11)] for row in range(11)
    ]
    total = sum(map(sum, weights))
    places = [(row, column, weights[row][column] / total) for row in range(11) for column in range(11)]
    mu_x = sum(w * x[row, column] for row, column, w in places)
    mu_y = sum(w * y[row, column] for row, column, w in places)
    var_x = sum(w * (x[row, column] - mu_x) ** 2 for row, column, w in places)
    var_y = sum(w * (y[row, column] - mu_y) ** 2 for row, column, w in places)
    cov = sum(w * (x[row, column] - mu_x) * (y[row, column] - mu_y) for row, column, w in places)
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    return float((2 * mu_x * mu_y + c1) * (2 * cov + c2) / ((mu_x**2 + mu_y**2 + c1) * (var_x + var_y + c2)))


def test_ssim_is_its_formula_in_every_window(frames: Forecast) -> None:
    x, y = frames.forecast[0, 0], frames.actual[0, 0]
    found = ssim_map(x, y, 255.0)
    assert found.shape == (4, 7, 2)
    for row, column, channel in [(0, 0, 0), (3, 6, 1), (2, 5, 0)]:
        here = slice(row, row + 11), slice(column, column + 11), channel
        assert found[row, column, channel] == pytest.approx(ssim_of_a_window(x[here], y[here], 255.0), abs=1e-12)


def test_ssim_of_constant_frames_compares_their_means_alone() -> None:
    one, two = np.full((11, 11, 1), 100.0), np.full((11, 11, 1), 150.0)
    c1 = 2.55**2
    assert ssim_map(one, two, 255.0).item() == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1))


def test_ssim_is_one_for_what_is_the_same_and_does_not_depend_on_the_order(frames: Forecast) -> None:
    x, y = frames.forecast, frames.actual
    np.testing.assert_allclose(ssim_map(x, x, 255.0), 1)
    np.testing.assert_allclose(ssim_map(x, y, 255.0), ssim_map(y, x, 255.0))


def test_ssim_of_small_frames_takes_the_largest_window_that_fits() -> None:
    frame = np.random.default_rng(0).normal(size=(8, 5, 1))
    assert ssim_map(frame, frame, 1.0).shape == (2, 1, 1)


def test_windows_with_a_missing_pixel_do_not_count(frames: Forecast) -> None:
    actual = frames.actual.copy()
    actual[0, 0, 0, 0, 0] = np.nan
    terms = ssim_terms(Forecast(actual, frames.forecast, 255.0))["ssim"]
    whole = ssim_map(frames.forecast[0, 0], frames.actual[0, 0], 255.0)
    whole[0, 0, 0] = np.nan
    assert terms[0][0, 0] == pytest.approx(np.nanmean(whole))
    nowhere = ssim_terms(Forecast(np.full_like(actual, np.nan), frames.forecast, 255.0))["ssim"]
    assert not any(term.any() for term in nowhere)


def test_errors_are_means_over_known_pixels() -> None:
    actual = np.array([0.0, 1.0, 2.0, np.nan]).reshape(1, 1, 2, 2, 1)
    forecast = np.array([0.0, 3.0, 1.0, 9.0]).reshape(1, 1, 2, 2, 1)
    frames = Forecast(actual, forecast, 2.0)
    assert value("mse", frames)["mse"] == pytest.approx((0 + 4 + 1) / 3)
    assert value("mae", frames)["mae"] == pytest.approx((0 + 2 + 1) / 3)


def test_psnr_of_an_error_of_a_tenth_of_the_span_is_20_decibels() -> None:
    actual = np.zeros((2, 3, 4, 4, 1))
    assert value("psnr", Forecast(actual, actual + 25.5, 255.0))["psnr"] == pytest.approx(20.0)
    assert decibels(np.array(0.0)) == math.inf


def test_csi_is_hits_over_hits_misses_and_false_alarms() -> None:
    actual = np.array([1.0, 1.0, 0.0, 0.0, 1.0, np.nan]).reshape(1, 1, 2, 3, 1)
    forecast = np.array([1.0, 0.0, 1.0, 0.0, 2.0, 1.0]).reshape(1, 1, 2, 3, 1)
    frames = Forecast(actual, forecast, 1.0, (0.5, 5.0))
    found = find(METRICS["frames"], "csi", "metric").terms(frames)
    assert [term.item() for term in found["csi_0.5"]] == [2.0, 4.0]  # 2 hits, a miss, a false alarm
    assert [term.item() for term in found["csi_5"]] == [0.0, 0.0]


def test_terms_add_up_over_batches(frames: Forecast) -> None:
    first = Forecast(frames.actual[:1], frames.forecast[:1], 255.0, (100.0,))
    for name in METRICS["frames"]:
        metric = find(METRICS["frames"], name, "metric")
        whole, part = metric.terms(frames), metric.terms(first)
        for column in whole:
            for one, other in zip(whole[column], part[column], strict=True):
                assert one.shape == (3, 2)
                np.testing.assert_array_equal(one[:1], other)
