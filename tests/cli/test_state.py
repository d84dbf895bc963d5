"""`predict --state`: runs that go on from each other, as a shell sees them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pieces(sample_data: Path, tmp_path: Path) -> list[Path]:
    """The weekly record whole, its first part, and what came after it."""
    header, *lines = (sample_data / "co2_weekly.csv").read_text().splitlines()
    parts = {"whole": lines, "first": lines[:2200], "rest": lines[2200:], "gap": lines[2203:]}
    for name, rows in parts.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    return [tmp_path / f"{name}.csv" for name in parts]


def test_two_runs_that_go_on_from_each_other_give_the_bytes_of_one(
    run_rnncli: Run, small_model: Path, pieces: list[Path], tmp_path: Path
) -> None:
    whole, first, rest, gap = pieces
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    at_once = run_rnncli("predict", whole, "-m", small_model, "--state", one)
    assert at_once.returncode == 0, at_once.stderr
    run_rnncli("predict", first, "-m", small_model, "--state", two)
    refused = run_rnncli("predict", gap, "-m", small_model, "--state", two, "--json")
    assert refused.returncode == 4
    assert (
        "3 rows are missing between the state and the data"
        in json.loads(refused.stderr.splitlines()[-1])["error"]["message"]
    )
    then = run_rnncli("predict", rest, "-m", small_model, "--state", two)
    assert then.stdout == at_once.stdout
    assert "84 new rows were consumed; 1 of 1 series went on from their state" in then.stderr
    assert two.read_bytes() == one.read_bytes()
    again = run_rnncli("predict", whole, "-m", small_model, "--state", two, "-q")
    assert (again.stdout, again.stderr) == (at_once.stdout, "")
    assert two.read_bytes() == one.read_bytes()


def test_a_state_of_another_model_and_a_file_that_is_none_are_refused(
    run_rnncli: Run, small_model: Path, pieces: list[Path], sample_data: Path
) -> None:
    data = pieces[1]
    done = run_rnncli("predict", data, "-m", small_model, "--state", small_model)
    assert done.returncode in (2, 4)
    before = data.read_bytes()
    done = run_rnncli("predict", sample_data / "co2_weekly.csv", "-m", small_model, "--state", data)
    assert done.returncode == 5
    assert data.read_bytes() == before


def test_a_longer_horizon_goes_on_from_its_own_forecasts_and_leaves_the_state_as_it_is(
    run_rnncli: Run, small_model: Path, pieces: list[Path], tmp_path: Path
) -> None:
    whole, first, rest, _ = pieces
    state, far, near = tmp_path / "state.safetensors", tmp_path / "far.csv", tmp_path / "near.csv"
    run_rnncli("predict", first, "-m", small_model, "--state", state, "--horizon", 40)
    done = run_rnncli("predict", rest, "-m", small_model, "--state", state, "--horizon", 40, "-o", far)
    assert done.returncode == 0, done.stderr
    assert "from step 14 on forecasts are made from forecasts" in done.stderr
    other = tmp_path / "other.safetensors"
    run_rnncli("predict", whole, "-m", small_model, "--state", other, "-o", near)
    assert other.read_bytes() == state.read_bytes()
    lines = far.read_text().splitlines()
    assert lines[:14] == near.read_text().splitlines()
    assert len(lines) == 41


@pytest.fixture
def marks(tmp_path: Path) -> list[Path]:
    """Steps with labels of three machines: all of them, the first part of each, what came after it, and a change."""
    rng, parts = np.random.default_rng(0), dict[str, list[str]](whole=[], first=[], rest=[], changed=[])
    for name in ("m1", "m2", "m3"):
        x = np.cumsum(rng.normal(size=70))
        times = [f"2024-05-01T10:{i // 60:02}:{i % 60:02}" for i in range(70)]
        states = ["up" if value > 0 else "down" for value in x]
        rows = [f"{name},{time},{value:.3f},{state}" for time, value, state in zip(times, x, states, strict=True)]
        parts["whole"] += rows
        parts["first"] += rows[:40]
        parts["rest"] += rows[40:]
        parts["changed"] += [*rows[:35], rows[35].replace(",up", "1,up").replace(",down", "1,down"), *rows[36:]]
    for name, rows in parts.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(["machine,time,x,state", *rows]) + "\n")
    return [tmp_path / f"{name}.csv" for name in parts]


def test_steps_are_labelled_as_they_come_with_the_bytes_of_one_run(
    run_rnncli: Run, marks: list[Path], tmp_path: Path
) -> None:
    whole, first, rest, changed = marks
    model, one, two = (tmp_path / f"{name}.safetensors" for name in ("model", "one", "two"))
    small = ("--per-step", "--steps", 4, "--hidden", 4)
    trained = run_rnncli("train", whole, "--label", "state", "--id", "machine", "--online", *small, "-o", model)
    assert trained.returncode == 0, trained.stderr
    at_once = run_rnncli("predict", whole, "-m", model, "--state", one)
    assert at_once.stdout == run_rnncli("predict", whole, "-m", model).stdout
    begun = run_rnncli("predict", first, "-m", model, "--state", two)
    assert "120 new rows were consumed; 0 of 3 series went on from their state" in begun.stderr
    refused = run_rnncli("predict", changed, "-m", model, "--state", two)
    assert refused.returncode == 4
    assert "series 'm1': a row has changed since it was consumed (2024-05-01T10:00:35)" in refused.stderr
    then = run_rnncli("predict", rest, "-m", model, "--state", two)
    lines = [done.stdout.splitlines() for done in (begun, then, at_once)]
    assert lines[0][0] == lines[1][0] == lines[2][0] == "machine,time,label,p_down,p_up"
    assert sorted(lines[0][1:] + lines[1][1:]) == sorted(lines[2][1:])
    assert two.read_bytes() == one.read_bytes()
    again = run_rnncli("predict", whole, "-m", model, "--state", two, "-q")
    assert (again.returncode, again.stdout, again.stderr) == (0, lines[0][0] + "\n", "")
    data = bytearray(two.read_bytes())
    data[-5] ^= 16
    two.write_bytes(bytes(data))
    assert run_rnncli("predict", whole, "-m", model, "--state", two).returncode == 5


def test_a_model_whose_labels_wait_for_what_comes_keeps_no_state(
    run_rnncli: Run, marks: list[Path], tmp_path: Path
) -> None:
    model, state = tmp_path / "model.safetensors", tmp_path / "state.safetensors"
    small = ("--per-step", "--steps", 4, "--hidden", 4)
    run_rnncli("train", marks[0], "--label", "state", "--id", "machine", *small, "-o", model)
    done = run_rnncli("predict", marks[0], "-m", model, "--state", state)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "what comes later changes" in done.stderr
    assert "hint: train with --online" in done.stderr
    assert not state.exists()
