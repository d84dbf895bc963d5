"""`check` of labelled tables, alone and for a model: one task's checks, never the other's."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Run


def found(run: Run, *arguments: object) -> tuple[int, dict[str, str]]:
    done = run("check", *arguments, "--json")
    return done.returncode, {one["id"]: one["severity"] for one in json.loads(done.stdout)["findings"]}


def test_good_sequences_have_no_findings(run_rnncli: Run, labelled_table: Path) -> None:
    done = run_rnncli("check", labelled_table, "--label", "label", "--group", "who")
    assert (done.returncode, done.stdout.split(" in ")[0]) == (0, "nothing is wrong")
    assert done.stdout.rstrip().endswith("36 sequences")


def test_what_training_refuses_is_an_error(run_rnncli: Run, labelled_table: Path) -> None:
    assert found(run_rnncli, labelled_table, "--label", "x", "--id", "id") == (4, {"label-changes": "error"})
    assert found(run_rnncli, labelled_table, "--label", "x", "--per-step")[0] == 0


def test_data_are_held_against_a_model_that_labels(
    run_rnncli: Run, labelled_table: Path, others: Path, label_model: Path, tmp_path: Path
) -> None:
    assert found(run_rnncli, others, "-m", label_model) == (0, {})
    assert found(run_rnncli, labelled_table, "-m", label_model) == (0, {"sequence-learnt": "warning"})
    other = tmp_path / "other.csv"
    other.write_text(others.read_text().replace(",c\n", ",d\n"))
    assert found(run_rnncli, other, "-m", label_model) == (0, {"class-unseen": "warning"})
    other.write_text(others.read_text().replace(",x,", ",z,"))
    assert found(run_rnncli, other, "-m", label_model) == (4, {"refused": "error"})


def test_options_of_another_task_and_of_the_model_are_refused(
    run_rnncli: Run, labelled_table: Path, label_model: Path, tmp_path: Path
) -> None:
    def refusal(*arguments: object) -> str:
        done = run_rnncli("check", labelled_table, *arguments)
        assert done.returncode == 2
        return str(done.stderr)

    assert "--fix is for forecasts" in refusal("--label", "label", "--fix", tmp_path / "x.csv")
    assert "--label describes a model" in refusal("--label", "label", "-m", label_model)
    assert "--per-step is for labels" in refusal("--per-step")
    assert "--horizon is for forecasts" in refusal("-m", label_model, "--horizon", "3")
