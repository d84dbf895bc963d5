"""`predict --state`: runs that go on from each other, as a shell sees them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

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
