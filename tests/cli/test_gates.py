"""Scores, comparisons and drift that must hold: exit code 7, and the result is there all the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rnncli.errors import UsageError
from rnncli.evaluation.gates import read_condition, rival_name

Run = Callable[..., subprocess.CompletedProcess[str]]
TINY = ("--hidden", 4, "--layers", 1, "--steps", 4, "--members", 1, "--batch", 16)


@pytest.fixture(scope="module")
def late(sample_data: Path, run_rnncli: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Employment up to 2015, and a model that was trained on the years up to 2013."""
    folder = tmp_path_factory.mktemp("late")
    data, early, model = sample_data / "us_employment.csv", folder / "early.csv", folder / "m.safetensors"
    lines = data.read_text().splitlines(keepends=True)
    early.write_text("".join(line for line in lines if not line.split(",")[1].startswith(("2014", "2015"))))
    assert run_rnncli("train", early, "--horizon", 6, "-o", model, *TINY).returncode == 0
    return data, model


# Conditions


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("mase>1", 1.01, True), ("mase>1", 1.0, False), ("mase>=1", 1.0, True), ("coverage_80<0.5", 0.4, True),
        ("coverage_80 <= .5", 0.5, True), ("WQL > 1e-3", 0.002, True), ("mase>1", float("nan"), True),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_it_is_written(text: str, value: float, holds: bool) -> None:
    assert read_condition(text, "forecast").holds(value) is holds


@pytest.mark.parametrize("text", ["", "mase", "mase>", ">1", "mase=1", "mase>>1", "mase>1.2.3", "mase>x", "1>mase"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--fail-if cannot be"):
        read_condition(text, "forecast")


def test_names_that_there_are_not_are_answered_with_near_ones() -> None:
    with pytest.raises(UsageError) as caught:
        read_condition("mse>1", "forecast")
    assert "did you mean" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        rival_name("seasonal-nave", "forecast")
    assert caught.value.hint == "did you mean seasonal-naive?"


def test_gates_that_are_passed_are_told(run_rnncli: Run, late: tuple[Path, Path]) -> None:
    data, model = late
    done = run_rnncli("evaluate", data, "-m", model, "--windows", 3, "--fail-if", "mase>90", "--fail-if", "wql>9")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("gate passed: ") == 2


def test_a_gate_that_fails_ends_with_7_and_the_result(run_rnncli: Run, late: tuple[Path, Path]) -> None:
    data, model = late
    done = run_rnncli("evaluate", data, "-m", model, "--windows", 3, "--fail-if", "mase>90", "--fail-if", "wql>1e-9")
    assert done.returncode == 7
    assert done.stdout.startswith("22 series, 3 windows of 6 steps")
    error, hint = done.stderr.splitlines()[-2:]
    assert error.startswith("error: a gate failed: wql>1e-9: wql is 0.")
    assert hint.startswith("hint: ")


def test_json_has_every_gate(run_rnncli: Run, late: tuple[Path, Path]) -> None:
    data, model = late
    gates = ("--fail-if", "wql>1e-9", "--must-beat", "seasonal-naive", "--alpha", "0.01")
    done = run_rnncli("evaluate", data, "-m", model, "--windows", 4, "--stride", 6, "--json", *gates)
    assert done.returncode == 7
    found = json.loads(done.stdout)["gates"]
    assert found[0]["passed"] is False
    assert found[1]["alpha"] == 0.01
    assert 0 < found[1]["p"] <= 1
    assert found[1]["method"] == "bootstrap over series and origins"
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == "gate"


def test_a_model_that_hardly_learnt_does_not_beat_smoothing(run_rnncli: Run, late: tuple[Path, Path]) -> None:
    data, model = late
    done = run_rnncli("evaluate", data, "-m", model, "--windows", 4, "--must-beat", "exponential-smoothing")
    assert done.returncode == 7
    assert "better than exponential smoothing" in done.stderr


def test_scores_in_sample_pass_no_gate(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    done = run_rnncli("evaluate", weekly, "-m", small_model, "--no-refit", "--fail-if", "mase>1e9")
    assert done.returncode == 7
    assert "in-sample" in done.stderr


def test_scores_are_written_although_a_gate_fails(run_rnncli: Run, late: tuple[Path, Path], tmp_path: Path) -> None:
    data, model = late
    output = tmp_path / "scores.json"
    done = run_rnncli("evaluate", data, "-m", model, "--fail-if", "wql>1e-9", "-o", output)
    assert done.returncode == 7
    assert json.loads(output.read_text())["gates"][0]["passed"] is False


def test_a_score_that_is_undefined_passes_no_gate(run_rnncli: Run, tmp_path: Path) -> None:
    """A series that never changed has no seasonal scale."""
    flat = tmp_path / "flat.csv"
    flat.write_text("step,y\n" + "".join(f"{step},5\n" for step in range(60)))
    assert run_rnncli("train", flat, "--horizon", 4, "-o", tmp_path / "m.safetensors", *TINY).returncode == 0
    gates = ("--fail-if", "mase>1e9", "--fail-if", "mase<0", "--must-beat", "naive")
    done = run_rnncli("evaluate", flat, "-m", tmp_path / "m.safetensors", "--threads", 1, "--json", *gates)
    assert done.returncode == 7
    found = json.loads(done.stdout)["gates"]
    assert [gate["passed"] for gate in found] == [False, False, False]
    assert found[0]["reason"] == "mase is undefined"
    assert found[2]["forecasts"] == 0


@pytest.mark.parametrize(
    ("gate", "error", "hint"),
    [
        (("--fail-if", "mase=1"), "--fail-if cannot be 'mase=1'", "for example --fail-if 'mase>1'"),
        (("--fail-if", "masse>1"), "there is no metric 'masse'", "did you mean mase?"),
        (("--fail-if", "coverage_81>1"), "there is no metric 'coverage_81'", "choose from: "),
        (("--must-beat", "nave"), "--must-beat cannot be 'nave'", "did you mean naive?"),
        (("--must-beat", "naive", "--alpha", "1.5"), "--alpha", "between 0 and 1"),
    ],
)
def test_a_gate_that_cannot_be_is_an_error_of_usage(
    run_rnncli: Run, late: tuple[Path, Path], gate: tuple[str, ...], error: str, hint: str
) -> None:
    data, model = late
    done = run_rnncli("evaluate", data, "-m", model, *gate)
    assert (done.returncode, done.stdout) == (2, "")
    assert error in done.stderr
    assert hint in done.stderr


def test_what_is_wrong_with_a_gate_that_failed_has_a_hint(
    run_rnncli: Run, late: tuple[Path, Path], weekly: Path, small_model: Path
) -> None:
    in_sample = run_rnncli("evaluate", weekly, "-m", small_model, "--no-refit", "--fail-if", "mase>1")
    assert in_sample.stderr.splitlines()[-1].startswith("hint: leave --no-refit out")
    few = run_rnncli("evaluate", weekly, "-m", small_model, "--must-beat", "naive", "--windows", 2, "--threads", 1)
    assert "too few forecasts to tell" in few.stderr
    assert few.stderr.splitlines()[-1] == "hint: more --windows make a comparison sharper"
    worse = run_rnncli("evaluate", late[0], "-m", late[1], "--fail-if", "wql>1e-9")
    assert "--by series" in worse.stderr.splitlines()[-1]


# Drift


def test_the_years_that_followed_are_no_drift(run_rnncli: Run, late: tuple[Path, Path]) -> None:
    data, model = late
    assert run_rnncli("predict", data, "-m", model, "--fail-on-drift").returncode == 0
    assert run_rnncli("evaluate", data, "-m", model, "--fail-on-drift").returncode == 0


@pytest.mark.parametrize("years", [("2014", "2015"), ("20",)])
def test_another_unit_is_drift_in_new_rows_and_in_a_past_that_was_rewritten(
    run_rnncli: Run, late: tuple[Path, Path], tmp_path: Path, years: tuple[str, ...]
) -> None:
    data, model = tmp_path / "data.csv", late[1]
    lines = [line.split(",") for line in late[0].read_text().splitlines()]
    changed = [
        [sector, month, value + "000" if sector == "government" and month.startswith(years) else value]
        for sector, month, value in lines
    ]
    data.write_text("".join(f"{','.join(line)}\n" for line in changed))
    for command in ("predict", "evaluate"):
        done = run_rnncli(command, data, "-m", model, "--fail-on-drift")
        assert done.returncode == 7, done
        assert "'government'" in done.stderr
        assert run_rnncli(command, data, "-m", model).returncode == 0
    output = tmp_path / "out.csv"
    assert run_rnncli("predict", data, "-m", model, "--fail-on-drift", "-o", output).returncode == 7
    assert not output.exists()


def test_values_that_are_mostly_missing_now_are_drift(run_rnncli: Run, late: tuple[Path, Path], tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    lines = late[0].read_text().splitlines()
    data.write_text(
        "".join(
            f"{line.rpartition(',')[0]},\n" if ",2014-" in line or ",2015-0" in line else f"{line}\n" for line in lines
        )
    )
    done = run_rnncli("predict", data, "-m", late[1], "--fail-on-drift")
    assert done.returncode == 7
    assert "are missing" in done.stderr
