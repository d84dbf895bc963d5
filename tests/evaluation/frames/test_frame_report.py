"""Scores of frames beside baselines: by lead time, by sequence, and whether the model is better by more than chance."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from rnncli.arrays import Inputs
from rnncli.errors import InputRefused, UsageError
from rnncli.evaluation.frames.report import FrameReport
from rnncli.evaluation.frames.run import Asked, Batch, evaluate_frames
from rnncli.evaluation.gates import outcomes, read_condition, rival_name

SEQUENCES, PAST, AHEAD = 12, 4, 3
IDS = tuple(f"s{s}" for s in range(SEQUENCES))


def clips() -> Inputs:
    """A bright column that moves to the right [12, 7, 12, 16, 1], from other places."""
    found = np.zeros((SEQUENCES, PAST + AHEAD, 12, 16, 1), np.float32)
    for s in range(SEQUENCES):
        for t in range(PAST + AHEAD):
            found[s, t, s % 6 :, 2 + t + s % 3] = 1
    return found


def batches(size: int, noise: float = 0.05) -> Iterator[Batch]:
    frames = clips()
    said = frames[:, PAST:] + np.random.default_rng(0).normal(0, noise, frames[:, PAST:].shape).astype(np.float32)
    for begin in range(0, SEQUENCES, size):
        here = slice(begin, begin + size)
        yield Batch(np.arange(SEQUENCES)[here], frames[here, :PAST], frames[here, PAST:], said[here])


def asked(**more: object) -> Asked:
    return Asked(IDS, AHEAD, 1.0, (0.5,), clips()[:, :PAST].mean(axis=(0, 1)), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report() -> FrameReport:
    return evaluate_frames(batches(5), asked())


def test_scores_do_not_depend_on_how_many_are_looked_at_at_once(report: FrameReport) -> None:
    other = evaluate_frames(batches(1), asked())
    for name, one in report.scores.items():
        assert one.overall == pytest.approx(other.scores[name].overall)


def test_every_baseline_stands_beside_the_model(report: FrameReport) -> None:
    assert list(report.scores) == ["model", "last-frame", "mean-frame", "linear-extrapolation", "advection"]
    assert report.metrics == ("mse", "mae", "ssim", "psnr", "csi_0.5")


def test_the_error_of_the_last_frame_is_that_of_two_columns_that_changed(report: FrameReport) -> None:
    heights = 12 - np.arange(SEQUENCES) % 6
    expected = (2 * heights / (12 * 16)).mean()
    assert [row["mse"] for row in report.scores["last-frame"].per_lead] == pytest.approx([expected] * AHEAD)
    assert report.scores["last-frame"].per_series[1]["mse"] == pytest.approx(2 * heights[1] / (12 * 16))


def test_the_mean_over_lead_times_is_the_value_over_all(report: FrameReport) -> None:
    for one in report.scores.values():
        assert np.mean([row["mse"] for row in one.per_lead]) == pytest.approx(one.overall["mse"])
        assert np.mean([row["ssim"] for row in one.per_lead]) == pytest.approx(one.overall["ssim"])


def test_a_model_that_knows_is_better_by_more_than_chance(report: FrameReport) -> None:
    found = report.against("last-frame")
    assert found.p < 0.01
    assert found.difference < 0
    assert found.method == "bootstrap over sequences and origins"


def test_gates_read_the_report(report: FrameReport) -> None:
    conditions = [read_condition(text, "frames") for text in ("mse>0.5", "csi_0.5<0.9", "ssim<2")]
    found = outcomes(report, conditions, [rival_name("advection", "frames")], 0.05)
    assert [gate.passed for gate in found[:3]] == [True, True, False]


def test_without_the_mean_frame_it_is_no_baseline() -> None:
    report = evaluate_frames(batches(12), Asked(IDS, AHEAD, 1.0))
    assert "mean-frame" not in report.scores
    with pytest.raises(UsageError, match="nothing is compared"):
        report.against("mean-frame")


def test_rows_are_of_each_lead_time_or_sequence(report: FrameReport) -> None:
    assert [row["lead"] for row in report.rows("lead") if row["forecaster"] == "model"] == [1, 2, 3]
    assert [row["series"] for row in report.rows("series") if row["forecaster"] == "model"] == list(IDS)
    assert len(report.tables("lead")) == 3
    document = json.dumps(report.to_json(by="series"), allow_nan=False)
    assert json.loads(document)["by_lead_time"]["model"] == [row["mse"] for row in report.scores["model"].per_lead]


def test_sequences_that_training_saw_are_marked() -> None:
    seen = np.zeros(SEQUENCES, np.bool_)
    assert not evaluate_frames(batches(12), asked(dishonest=seen)).in_sample
    seen[3] = True
    report = evaluate_frames(batches(12), asked(dishonest=seen))
    assert report.in_sample
    assert [row["in_sample"] for row in report.rows("series") if row["forecaster"] == "model"] == seen.tolist()


def test_no_question_has_no_report() -> None:
    with pytest.raises(InputRefused, match="of no frame was asked"):
        evaluate_frames([], asked())
