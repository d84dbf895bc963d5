"""Pictures of frames: a strip and a loop hold what they are given, and the same frames give the same bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from rnncli.data.writers.pictures import FORECAST, GAP, MISSING, Pictured, loop, picture, strips

image = pytest.importorskip("PIL.Image")


def shown(steps: int = 5, ahead: int = 3, channels: int = 1, *, truth: bool = True) -> Pictured:
    rng = np.random.default_rng(0)
    past, said, came = (rng.random((count, 24, 36, channels), np.float32) for count in (steps, ahead, ahead))
    return Pictured("a", past, said, came if truth else None)


def opened(data: bytes) -> Any:
    return image.open(io.BytesIO(data))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["png", "gif"])
def test_the_same_frames_give_the_same_bytes(kind: str, channels: int) -> None:
    data = picture([shown(channels=channels)], kind)
    assert data == picture([shown(channels=channels)], kind)
    assert opened(data).format == kind.upper()


def test_a_strip_has_a_row_more_where_the_truth_is_known() -> None:
    with_truth, without = opened(strips([shown()])), opened(strips([shown(truth=False)]))
    assert with_truth.width == without.width
    assert with_truth.height > without.height


def test_sequences_stand_below_one_another() -> None:
    one, other = shown(), shown(steps=8, truth=False)
    alone = [np.asarray(opened(strips([clip]))) for clip in (one, other)]
    both = np.asarray(opened(strips([one, other])))
    assert both.shape[:2] == (sum(len(clip) for clip in alone), max(clip.shape[1] for clip in alone))
    assert np.array_equal(both[: len(alone[0]), : alone[0].shape[1]], alone[0])
    assert np.array_equal(both[len(alone[0]) :], alone[1])


def test_many_frames_are_shown_by_some_of_them() -> None:
    assert opened(strips([shown(steps=100)])).width == opened(strips([shown(steps=12)])).width


def test_a_loop_has_each_frame_and_a_border_around_forecasts() -> None:
    found = opened(loop(shown(5, 3)))
    assert found.n_frames == 8
    borders = []
    for step in range(8):
        found.seek(step)
        borders.append(found.convert("RGB").getpixel((GAP // 2, GAP // 2)))
    assert borders[:5] == [(255, 255, 255)] * 5
    assert all(np.abs(np.subtract(border, FORECAST)).max() < 8 for border in borders[5:])


def test_missing_pixels_have_a_colour_of_their_own() -> None:
    some = shown()
    some.past[-1] = np.nan
    colours = np.asarray(opened(strips([some])).convert("RGB")).reshape(-1, 3)
    assert (colours == MISSING).all(axis=1).sum() >= 24 * 36


def test_frames_without_a_known_pixel_are_drawn_all_the_same() -> None:
    none = np.full((2, 4, 4, 1), np.nan, np.float32)
    assert strips([Pictured("a", none, none)])
    assert loop(Pictured("a", np.zeros_like(none), np.zeros_like(none)))
