"""Scores of tokens: all of them, with the state carried through, beside n-grams."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa
import pytest

import rnncli
from tests.conftest import Run
from tests.tasks.tokens.conftest import VERSE, Trained


def test_the_perplexity_is_that_of_the_scores_of_all_tokens(text_model: Trained, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text(VERSE * 3 + "my cat ran off\n")
    log_p = pa.table(rnncli.predict(str(path), str(text_model.path), score="token"))["log_p"].to_pylist()
    found = rnncli.evaluate(str(path), str(text_model.path)).report.model_scores
    assert len(log_p) == len(path.read_text())
    assert found["perplexity"] == pytest.approx(math.exp(-sum(log_p) / len(log_p)))
    assert found["bits_per_byte"] == pytest.approx(-sum(log_p) / math.log(2) / len(path.read_bytes()))


def test_a_network_is_scored_beside_n_grams(
    run_rnncli: Run, case_model: Trained, cases_table: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    lines = ["case,event"]
    for case in range(30):
        kind = "AB"[case % 2]
        lines += [f"n{case},{event}" for event in ["open", kind, *["wait"] * (1 + case % 3), f"close {kind}"]]
    other.write_text("\n".join(lines) + "\n")
    done = run_rnncli("evaluate", other, "-m", case_model.path, "--trained-on", cases_table, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    accuracy = {name: one["accuracy"] for name, one in report["scores"].items()}
    assert accuracy["model"] > accuracy["bigram"]  # which way a case ends was said before the waiting
    seen = run_rnncli("evaluate", cases_table, "-m", case_model.path)
    assert (seen.returncode, "in-sample" in seen.stdout + seen.stderr) == (0, True)


def test_what_training_held_out_is_on_record(case_model: Trained) -> None:
    record = case_model.model.record
    assert set(record["validation"]) == {"network", "pool", "unigram", "bigram", "trigram"}
    network, pool = (record["validation"][name] for name in ("network", "pool"))
    assert pool["cross_entropy"] < network["cross_entropy"]
    assert pool["perplexity"] == pytest.approx(math.exp(pool["cross_entropy"]))
    verdict = case_model.model.task.verdict(case_model.model)
    assert f"averaged with n-grams, as it predicts, its perplexity is {pool['perplexity']:.4g}" in verdict
    assert record["comparisons"]["network"]["rival"] in record["validation"]


def test_a_text_that_stands_in_what_was_trained_on_is_marked(
    run_rnncli: Run, text_model: Trained, verse: Path, tmp_path: Path
) -> None:
    copy, other = tmp_path / "copy.txt", tmp_path / "other.txt"
    copy.write_text(verse.read_text())
    other.write_text(verse.read_text()[:-1])
    for path, seen in ((copy, True), (other, False)):
        done = run_rnncli("evaluate", path, "-m", text_model.path, "--trained-on", verse)
        assert (done.returncode, "in-sample" in done.stdout + done.stderr) == (0, seen)
