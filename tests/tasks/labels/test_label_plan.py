"""What labelled sequences say about how they are learnt from: scales, frames, weights, likeness of neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.labels import plan
from rnncli.tasks.labels.spec import LabelSpec

Make = Callable[..., Panel]


def spec_for(panel: Panel, **options: Any) -> LabelSpec:
    return plan.label_spec(panel, options)


def autoregressive(phi: float, steps: int) -> np.ndarray[Any, Any]:
    """x_t = phi x_(t-1) + e_t, whose neighbours have the correlation phi."""
    noise = np.random.default_rng(0).normal(size=steps)
    x = np.zeros(steps)
    for t in range(1, steps):
        x[t] = phi * x[t - 1] + noise[t]
    return x


@pytest.mark.parametrize("phi", [-0.6, 0.0, 0.5, 0.95])
def test_the_likeness_of_neighbours_is_the_autocorrelation_of_a_process(phi: float, labelled: Make) -> None:
    parts = np.split(autoregressive(phi, 6_000), 20)
    assert plan.alike(labelled(parts, [0, 1] * 10)) == pytest.approx(phi, abs=0.05)


def test_likeness_is_the_mean_over_channels_and_knows_no_neighbours_across_sequences(labelled: Make) -> None:
    alternating, still = np.resize([1.0, -1.0], 40), np.repeat([1.0, -1.0], 20)
    assert plan.alike(labelled([alternating, -alternating], [0, 1])) == pytest.approx(-1)
    assert plan.alike(labelled([still[:20], still[20:]], [0, 1])) == pytest.approx(1)
    both = [np.column_stack([sign * alternating, np.repeat(sign, 40)]) for sign in (1.0, -1.0)]
    assert plan.alike(labelled(both, [0, 1])) == pytest.approx(0)


@pytest.mark.parametrize("values", [[[1.0], [2.0]], [[5.0, 5.0], [5.0]], [[np.nan, np.nan], [np.nan]]])
def test_nothing_is_alike_where_there_are_no_neighbours_or_no_changes(values: Any, labelled: Make) -> None:
    assert plan.alike(labelled(values, [0, 1])) == 0


def test_balanced_weights_let_every_class_count_the_same_and_are_one_on_average(labelled: Make) -> None:
    labels = [0] * 6 + [1] * 3 + [2] + [np.nan]
    spec = spec_for(labelled([[1.0, 2.0]] * 11, labels, classes=4), class_weights="balanced")
    counts = np.array([6, 3, 1])
    weights = np.array(spec.weights)
    assert (weights[:3] * counts).tolist() == pytest.approx([10 / 3] * 3)
    assert (weights[:3] * counts).sum() / counts.sum() == pytest.approx(1)
    assert np.isfinite(weights).all()
    assert spec_for(labelled([[1.0]] * 11, labels, classes=4)).weights == ()


def test_numbers_are_scaled_by_what_is_known_of_them(labelled: Make) -> None:
    panel = labelled([[1.0, np.nan], [3.0, 5.0], [7.0, 7.0]], [10.0, 30.0, np.nan], classes=0)
    spec = spec_for(panel)
    seen = np.array([1.0, 3, 5, 7, 7])
    (channel,) = spec.inputs
    assert (channel.center, channel.scale, channel.gaps) == pytest.approx((seen.mean(), seen.std(), True))
    assert (spec.center, spec.scale) == pytest.approx((20, 10))
    assert (spec.classes, spec.smoothing, spec.weights) == (0, 0.0, ())


@pytest.mark.parametrize("values", [[4.0, 4.0], [np.nan, np.nan]])
def test_a_channel_that_never_changes_has_the_scale_one(values: list[float], labelled: Make) -> None:
    (channel,) = spec_for(labelled([values] * 2, [0, 1])).inputs
    assert channel.scale == 1


@pytest.mark.parametrize("length", [1, 10, 48, 49, 100, 784, 2_700])
def test_a_long_sequence_is_seen_in_frames_that_overlap_by_half(length: int, labelled: Make) -> None:
    stride, window = plan.frame(labelled([np.zeros(length)] * 10, [0, 1] * 5))
    assert (stride == 1) == (length <= plan.LONGEST_UNFOLDED)
    assert window == max(plan.SMALLEST_WINDOW, 2 * stride)
    assert -(-length // stride) <= plan.FRAMES + (stride == 1)


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (4, 12), (9, 5)])
def test_an_image_that_was_read_off_row_by_row_is_read_in_its_rows(rows: int, columns: int, labelled: Make) -> None:
    rng = np.random.default_rng(0)
    images = np.tile(rng.normal(size=(60, columns)), rows) + 0.3 * rng.normal(size=(60, rows * columns))
    panel = labelled(images, [0, 1] * 30)
    spec = spec_for(panel)
    assert (plan.raster(panel), len(spec.inputs), spec.steps) == (columns, columns, rows)
    each = labelled(images, [np.arange(rows * columns) % 2] * 60)
    assert spec_for(each, per_step=True).raster == 1


def test_noise_a_smooth_series_and_several_channels_are_no_image(labelled: Make) -> None:
    noise, labels = np.random.default_rng(0).normal(size=(60, 64)), [0, 1] * 30
    assert plan.raster(labelled(noise, labels)) == 1
    assert plan.raster(labelled(np.cumsum(noise, axis=1), labels)) == 1
    tiled = np.tile(noise[:, :8], 8)
    assert plan.raster(labelled(np.stack([tiled, tiled], axis=2), labels)) == 1
    assert plan.raster(labelled([row[: 64 - 8 * (place % 2)] for place, row in enumerate(tiled)], labels)) == 1


def test_channels_are_on_a_line_where_neighbours_are_more_alike_than_others(labelled: Make) -> None:
    noise = np.random.default_rng(0).normal(size=(10, 50, 16))
    line = sum(np.roll(noise, place, axis=2) for place in range(3))
    assert plan.on_a_line(labelled(line, [0, 1] * 5))
    assert not plan.on_a_line(labelled(noise, [0, 1] * 5))
    assert not plan.on_a_line(labelled(noise + 5 * noise[:, :, :1], [0, 1] * 5))
    assert not plan.on_a_line(labelled(line[..., :4], [0, 1] * 5))


def test_labels_of_steps_are_read_step_by_step_in_pieces(labelled: Make) -> None:
    panel = labelled([np.zeros(3_000), np.zeros(9)], [np.arange(3_000) % 2, np.arange(9) % 2])
    spec = spec_for(panel, per_step=True)
    assert (spec.stride, spec.window, spec.poolings, spec.warped, spec.steps) == (1, 1, ("last",), 0.0, plan.PIECE)
    assert spec_for(panel, per_step=True, context=100).steps == 100


@pytest.mark.parametrize(
    ("cell", "online", "both"),
    [(None, False, True), (None, True, False), ("lstm", False, False), ("gru,bidirectional:lstm", False, True)],
)
def test_half_of_the_outputs_come_from_the_end_where_the_last_layer_reads_both_ways(
    cell: str | None, online: bool, both: bool, labelled: Make
) -> None:
    panel = labelled([[1.0, 2.0]] * 4, [[0, 1]] * 4)
    assert spec_for(panel, cell=cell, online=online, per_step=True).both_ways is both


def test_only_sequences_whose_steps_are_alike_are_warped(labelled: Make) -> None:
    smooth, noise = autoregressive(0.9, 400), autoregressive(0.0, 400)
    assert spec_for(labelled(np.split(smooth, 10), [0, 1] * 5)).warped > 0
    assert spec_for(labelled(np.split(noise, 10), [0, 1] * 5)).warped == 0


def test_a_batch_of_long_pieces_is_small(labelled: Make) -> None:
    panel = labelled([np.zeros(40_000)] * 3, [np.arange(40_000) % 2] * 3)
    spec = spec_for(panel, per_step=True, context=40_000)
    network = plan.network_spec(panel, spec, plan.Sizes())
    training = plan.training_spec(panel, spec, network, plan.Sizes())
    assert training.batch * spec.steps <= plan.ROWS_A_STEP
