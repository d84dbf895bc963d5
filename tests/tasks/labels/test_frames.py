"""What the network sees of a sequence is what plain loops over its rows say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.tasks.labels.frames import FARTHEST, Rows, framed, numbers_and_codes, rastered, rows_of
from rnncli.tasks.labels.spec import Input, LabelSpec

Make, Specs = Callable[..., Panel], Callable[..., LabelSpec]
NONE = float("nan")


@pytest.mark.parametrize(("stride", "window"), [(1, 1), (1, 3), (2, 2), (2, 4), (3, 6), (5, 7)])
def test_frames_are_the_steps_around_each_stride_as_a_loop_collects_them(
    stride: int, window: int, spec_of: Specs
) -> None:
    inputs = (Input("a"), Input("word", categories=99), Input("other", categories=70))
    spec = spec_of(inputs=inputs, stride=stride, window=window, steps=13)
    rng, lengths = np.random.default_rng(0), np.array([13, 1, 4, 12])
    real = np.arange(13) < lengths[:, None]
    numbers = rng.normal(size=(4, 13, 1)) * real[..., None]
    codes = np.where(real[..., None], rng.integers(-1, 70, (4, 13, 2)), -2)
    seen, words, frames = framed(numbers, codes, lengths, spec)
    assert frames.tolist() == [-(-length // stride) for length in lengths.tolist()]
    for n, length in enumerate(lengths.tolist()):
        for f in range(seen.shape[1]):
            steps = [stride * f - (window - stride) // 2 + place for place in range(window)]
            wanted = [float(numbers[n, t, 0]) if 0 <= t < length else 0.0 for t in steps]
            told = [codes[n, t].tolist() if 0 <= t < length else [-2, -2] for t in steps]
            np.testing.assert_array_equal(seen[n, f], np.array(wanted, np.float32))
            assert words[n, f].reshape(window, 2).tolist() == told


@pytest.mark.parametrize(("stride", "window"), [(2, 4), (3, 6), (4, 8)])
def test_every_step_of_a_sequence_is_in_a_frame_that_is_real(stride: int, window: int, spec_of: Specs) -> None:
    for length in range(1, 20):
        numbers = np.arange(1.0, length + 1)[None, :, None]
        spec = spec_of(stride=stride, window=window, steps=length)
        seen, _, frames = framed(numbers, np.zeros((1, length, 0), np.int64), np.array([length]), spec)
        assert {*range(1, length + 1)} <= set(seen[0, : frames[0]].ravel().tolist())


def test_numbers_are_scaled_and_a_gap_is_the_centre_with_a_flag(spec_of: Specs) -> None:
    inputs = (Input("plain", center=10.0, scale=2.0), Input("gaps", center=1.0, scale=0.5, gaps=True))
    values = np.array([[[12.0, 2.0], [NONE, NONE], [7.0, 1.0]]])
    numbers, codes = numbers_and_codes(Rows(values, np.array([3])), spec_of(inputs=inputs))
    assert numbers[0].tolist() == [[1.0, 2.0, 0.0], [0.0, 0.0, 1.0], [-1.5, 0.0, 0.0]]
    assert codes.shape == (1, 3, 0)


def test_a_number_far_out_is_cut_and_no_padding_is_a_gap(spec_of: Specs) -> None:
    values = np.array([[[1e300], [-1e300], [NONE]]])
    numbers, _ = numbers_and_codes(Rows(values, np.array([2])), spec_of(inputs=(Input("x", gaps=True),)))
    assert numbers[0].tolist() == [[FARTHEST, 0.0], [-FARTHEST, 0.0], [0.0, 0.0]]


def test_a_category_is_a_one_among_zeros_and_one_that_is_unknown_or_missing_is_zeros(spec_of: Specs) -> None:
    values = np.array([[[0.0], [2.0], [-1.0], [NONE]]])
    numbers, _ = numbers_and_codes(Rows(values, np.array([4])), spec_of(inputs=(Input("c", categories=3),)))
    assert numbers[0].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_of_many_categories_codes_are_kept_and_unknown_is_told_from_missing(spec_of: Specs) -> None:
    values = np.array([[[64.0], [-1.0], [NONE], [3.0]]])
    numbers, codes = numbers_and_codes(Rows(values, np.array([4])), spec_of(inputs=(Input("c", categories=65),)))
    assert numbers.shape == (1, 4, 0)
    assert codes[0, :, 0].tolist() == [64, -1, -2, 3]


def test_rows_are_taken_from_where_they_were_asked_for(labelled: Make) -> None:
    panel = labelled([[0.0, 1, 2, 3, 4], [10.0, 11, 12]], [0, 1])
    rows = rows_of(panel, np.array([1, 0, 0]), np.array([1, 0, 3]), np.array([2, 4, 2]))
    found = [row[:length, 0].tolist() for row, length in zip(rows.values, rows.lengths.tolist(), strict=True)]
    assert found == [[11, 12], [0, 1, 2, 3], [3, 4]]
    assert np.isnan(rows.values[0, 2:]).all()


def test_a_raster_has_so_many_values_in_a_row_and_a_short_last_row_is_filled_up_with_gaps(labelled: Make) -> None:
    panel = labelled([np.arange(6.0), np.arange(10.0, 17.0)], [0, 1])
    found = rastered(panel, 3)
    assert found.lengths.tolist() == [2, 3]
    assert found.targets.tolist() == [0, 0, 1, 1, 1]
    wanted = [[0, 1, 2], [3, 4, 5], [10, 11, 12], [13, 14, 15], [16, NONE, NONE]]
    np.testing.assert_array_equal(found.values[:, 1:], wanted)
    assert len(found.channels) == 4
    assert rastered(panel, 1) is panel


@pytest.mark.parametrize(
    "wrong", [{"raster": 0}, {"raster": 2**40}, {"steps": 2**40}, {"warped": 1.5}, {"shifted": 2}, {"noise": -1}]
)
def test_a_spec_that_no_training_makes_is_refused(wrong: dict[str, float], spec_of: Specs) -> None:
    with pytest.raises(UsageError):
        spec_of(**wrong)
