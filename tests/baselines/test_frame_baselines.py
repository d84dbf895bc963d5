"""Baselines of frames on motion that is known: what stands still, what moves by whole pixels and by parts of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rnncli.arrays import Inputs
from rnncli.baselines.frames.advection import mean_shift, shifted
from rnncli.registry import BASELINES, find

NAMES = list(BASELINES["frames"])


def said(name: str, past: Inputs, horizon: int, mean: Inputs | None = None) -> Inputs | None:
    found: Inputs | None = find(BASELINES["frames"], name, "baseline").of(past, horizon, mean)
    return found


def blob(row: float, column: float, size: int = 32) -> NDArray[np.float64]:
    """A smooth hill around a place [size, size, 1]."""
    rows, columns = np.mgrid[:size, :size]
    return np.asarray(np.exp(-((rows - row) ** 2 + 0.5 * (columns - column) ** 2) / 12)[..., None])


def moving(down: float, right: float, steps: int = 5) -> Inputs:
    """A hill that moves [1, steps, 32, 32, 1]."""
    return np.stack([blob(12 + down * t, 14 + right * t) for t in range(steps)])[None].astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_has_the_shape_of_its_horizon_and_leaves_the_past_alone(name: str) -> None:
    past = np.random.default_rng(0).normal(size=(3, 4, 6, 5, 2)).astype(np.float32)
    past[0, 2, 1] = np.nan
    before = past.copy()
    found = said(name, past, 7, past[0, 0])
    assert found is not None
    assert found.shape == (3, 7, 6, 5, 2)
    assert found.dtype == np.float32
    assert not np.isnan(found[1:]).any()
    np.testing.assert_array_equal(past, before)


@pytest.mark.parametrize("name", NAMES)
def test_one_frame_is_enough_of_a_past(name: str) -> None:
    past = np.ones((2, 1, 8, 8, 1), np.float32)
    found = said(name, past, 3, past[0, 0])
    assert found is not None
    np.testing.assert_array_equal(found, 1)


@pytest.mark.parametrize("name", ["last-frame", "linear-extrapolation", "advection"])
def test_what_stands_still_goes_on_to(name: str) -> None:
    past = np.repeat(np.random.default_rng(0).normal(size=(1, 1, 16, 16, 1)), 4, axis=1).astype(np.float32)
    found = said(name, past, 2)
    assert found is not None
    np.testing.assert_allclose(found, past[:, :2])


def test_the_mean_frame_is_said_if_it_is_known() -> None:
    past = np.zeros((2, 3, 4, 4, 1), np.float32)
    mean = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    found = said("mean-frame", past, 5, mean)
    assert found is not None
    np.testing.assert_array_equal(found, np.broadcast_to(mean, found.shape))
    assert said("mean-frame", past, 5) is None


def test_a_missing_pixel_is_as_it_was_last_seen() -> None:
    past = np.array([1, 2, np.nan], np.float32).reshape(1, 3, 1, 1, 1)
    found = said("last-frame", past, 1)
    assert found is not None
    assert found.item() == 2
    never = said("last-frame", np.full((1, 3, 1, 1, 1), np.nan, np.float32), 1)
    assert never is not None
    assert np.isnan(never.item())


def test_a_line_goes_on_within_what_was_seen() -> None:
    past = np.array([[0, 10], [1, 5], [2, 4]], np.float32).reshape(1, 3, 1, 2, 1)
    found = said("linear-extrapolation", past, 5)
    assert found is not None
    np.testing.assert_array_equal(found[0, :, 0, :, 0], [[3, 3], [4, 2], [5, 1], [6, 0], [7, 0]])


@pytest.mark.parametrize("shift", [(1, 0), (0, -2), (2, 1), (-1, -1)])
def test_a_shift_by_whole_pixels_is_found(shift: tuple[int, int]) -> None:
    np.testing.assert_allclose(mean_shift(moving(*shift)[0].astype(np.float64)), shift, atol=0.13)


def test_a_shift_by_parts_of_a_pixel_is_found() -> None:
    np.testing.assert_allclose(mean_shift(moving(0.5, -1.5)[0].astype(np.float64)), (0.5, -1.5), atol=0.13)


def test_advection_follows_a_hill_better_than_what_does_not_move() -> None:
    frames = moving(1, 1.5, 8)
    errors = {}
    for name in ("last-frame", "linear-extrapolation", "advection"):
        found = said(name, frames[:, :5], 3)
        assert found is not None
        errors[name] = float(((found - frames[:, 5:]) ** 2).mean())
    assert errors["advection"] < 0.05 * min(errors["last-frame"], errors["linear-extrapolation"])


def test_a_frame_is_moved_down_and_to_the_right_and_its_border_goes_on() -> None:
    frame = np.arange(9.0).reshape(3, 3, 1)
    np.testing.assert_array_equal(shifted(frame, 1, 0)[..., 0], [[0, 1, 2], [0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(shifted(frame, 0, -0.5)[..., 0], [[0.5, 1.5, 2], [3.5, 4.5, 5], [6.5, 7.5, 8]])
