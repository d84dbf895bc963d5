"""Remedies are tried on the model that was given, not on another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.workflows.inspect_gradients import Inspection

STEPS = 3


@pytest.fixture(scope="module")
def weekly(sample_data: Path) -> Path:
    return sample_data / "co2_weekly.csv"


def model(weekly: Path, path: Path, factor: float) -> Path:
    """A ReLU network, trained for a step, whose weights from step to step are then so many times as large."""
    made = rnncli.train(weekly, cell="rnn", activation="relu", members=1, steps=1, horizon=4, context=40).model
    weights = {name: w * np.float32(factor if name.endswith("weight_hh") else 1) for name, w in made.weights.items()}
    replace(made, weights=weights).save(path)
    return path


def tried(weekly: Path, path: Path) -> Inspection:
    return rnncli.inspect_gradients(weekly, model=path, quick=True, attempt=True, attempt_steps=STEPS)


def test_a_trained_model_that_explodes_is_tried_as_it_is(weekly: Path, tmp_path: Path) -> None:
    report = tried(weekly, model(weekly, tmp_path / "m.safetensors", 2.5)).report
    assert report.before is not None
    assert not report.before.healthy
    anew = [trial for trial in report.trials if trial.afresh]
    assert anew
    assert anew[0].proposal is None
    assert all(trial.against is anew[0] for trial in anew[1:])
    assert all(trial.against is report.before for trial in report.trials if not trial.afresh)


def test_the_table_says_what_began_anew(run_rnncli: object, weekly: Path, tmp_path: Path) -> None:
    path = model(weekly, tmp_path / "m.safetensors", 2.5)
    done = run_rnncli("inspect-gradients", weekly, "-m", path, "--quick", "--try", "--try-steps", STEPS)
    assert "as it is, begun anew" in " ".join(done.stdout.split())
    assert "exploding" in done.stdout
