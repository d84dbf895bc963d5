"""`evaluate` of a model that labels: scores beside what is simpler, by class and group, with gates, never in-sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run


def scored(run: Run, *arguments: object) -> dict[str, object]:
    done = run("evaluate", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_report_fits_a_terminal_and_shows_what_was_taken_for_what(
    run_rnncli: Run, others: Path, label_model: Path, labelled_table: Path
) -> None:
    done = run_rnncli("evaluate", others, "-m", label_model, "--trained-on", labelled_table)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "18 sequences, 3 classes"
    assert next(line for line in lines if line.startswith("metric")).split()[1:3] == ["model", "majority"]
    matrix = lines[lines.index("how often the model took a class (down) for each (across)") + 2 :][:3]
    assert [sum(map(int, row.split()[1:])) for row in matrix] == [6, 6, 6]
    assert sum(line.startswith("against ") for line in lines) == 3
    assert max(map(len, lines)) <= 80


def test_baselines_learn_from_what_the_model_was_trained_on_alone(
    run_rnncli: Run, others: Path, label_model: Path, labelled_table: Path
) -> None:
    alone = scored(run_rnncli, others, "-m", label_model)
    assert list(alone["scores"]) == ["model"]
    assert any("--trained-on" in note for note in alone["notes"])
    beside = scored(run_rnncli, others, "-m", label_model, "--trained-on", labelled_table)
    assert beside["scores"]["model"] == alone["scores"]["model"]
    assert beside["scores"]["majority"]["accuracy"] == pytest.approx(1 / 3)


def test_labels_are_scored_by_class_and_by_a_group_that_is_named(
    run_rnncli: Run, others: Path, label_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "scores.csv"
    done = run_rnncli("evaluate", others, "-m", label_model, "--group", "who", "--by", "group", "-o", path)
    assert done.returncode == 0
    rows = [line.split(",") for line in path.read_text().splitlines()]
    assert [row[:3] for row in rows[1:]] == [["ann", "9", "model"], ["bob", "9", "model"]]
    by_class = run_rnncli("evaluate", others, "-m", label_model, "--by", "class").stdout
    assert "class  count  forecaster  precision" in by_class
    wrong = run_rnncli("evaluate", others, "-m", label_model, "--by", "series")
    assert (wrong.returncode, "say --by class" in wrong.stderr) == (2, True)
    nobody = run_rnncli("evaluate", others, "-m", label_model, "--group", "nobody")
    assert (nobody.returncode, "no column 'nobody'" in nobody.stderr) == (4, True)


def test_gates_are_over_the_metrics_of_labels(
    run_rnncli: Run, others: Path, label_model: Path, labelled_table: Path
) -> None:
    def gate(*arguments: object) -> tuple[int, str]:
        done = run_rnncli("evaluate", *arguments)
        return done.returncode, done.stderr

    beside = (others, "-m", label_model, "--trained-on", labelled_table)
    assert gate(*beside, "--fail-if", "accuracy<0.05")[0] == 0
    assert gate(*beside, "--fail-if", "accuracy>0.05")[0] == 7
    code, said = gate(others, "-m", label_model, "--must-beat", "majority")
    assert (code, "--trained-on" in said) == (2, True)
    code, said = gate(labelled_table, "-m", label_model, "--fail-if", "accuracy<0.05")
    assert (code, "in-sample" in said) == (7, True)
    assert gate(*beside, "--fail-if", "mase>1")[0] == 2


def test_what_is_about_forecasts_is_refused(run_rnncli: Run, others: Path, label_model: Path) -> None:
    for flag in (["--windows", "3"], ["--stride", "2"], ["--horizon", "2"], ["--no-refit"], ["--fail-on-drift"]):
        done = run_rnncli("evaluate", others, "-m", label_model, *flag)
        assert (done.returncode, f"{flag[0]} is for forecasts" in done.stderr) == (2, True)
