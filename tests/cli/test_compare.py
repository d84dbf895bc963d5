"""Models and saved forecasts side by side, and what moved between two saved forecasts."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import rnncli

Run = Callable[..., subprocess.CompletedProcess[str]]
TINY = ("--horizon", 6, "--hidden", 4, "--layers", 1, "--steps", 4, "--members", 1, "--batch", 16)


class Made(NamedTuple):
    """Employment up to 2015, two models of the years up to 2013, and what they forecast then."""

    data: Path
    lstm: Path
    gru: Path
    said_lstm: Path
    said_gru: Path
    earlier: Path


@pytest.fixture(scope="module")
def made(sample_data: Path, run_rnncli: Run, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("compared")
    data, early = sample_data / "us_employment.csv", folder / "early.csv"
    names = ("lstm.safetensors", "gru.safetensors", "said_lstm.csv", "said_gru.parquet", "earlier.parquet")
    found = Made(data, *(folder / name for name in names))
    lines = data.read_text().splitlines(keepends=True)
    early.write_text("".join(line for line in lines if not line.split(",")[1].startswith(("2014", "2015"))))
    for cell, model, said in (("lstm", found.lstm, found.said_lstm), ("gru", found.gru, found.said_gru)):
        assert run_rnncli("train", early, "--cell", cell, "-o", model, *TINY).returncode == 0
        assert run_rnncli("predict", early, "-m", model, "-o", said).returncode == 0
    done = run_rnncli("predict", early, "-m", found.gru, "--as-of", "2013-11-01", "--tidy", "-o", found.earlier)
    assert done.returncode == 0, done.stderr
    return found


def test_two_models_are_scored_as_each_is_alone_and_tested_from_both_sides(run_rnncli: Run, made: Made) -> None:
    done = run_rnncli("compare", made.lstm, made.gru, made.data, "--windows", 2, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["compared"], found["in_sample"]) == (0, ["lstm", "gru"], [])
    for model in (made.lstm, made.gru):
        alone = json.loads(run_rnncli("evaluate", made.data, "-m", model, "--windows", 2, "--json").stdout)
        assert found["scores"][model.stem] == alone["scores"]["model"]
        assert found["scores"]["naive"] == alone["scores"]["naive"]
    (pair,) = found["pairs"]
    lower = found["scores"][pair["better"]]["mase"] <= found["scores"][pair["worse"]]["mase"]
    assert lower
    assert pair["mase_difference"] >= 0
    assert sum(found["ranks"]["mean"].values()) == 3
    assert found["ranks"]["series"] == 22


def test_saved_forecasts_beside_the_model_that_made_them_are_as_good(run_rnncli: Run, made: Made) -> None:
    done = run_rnncli("compare", made.said_gru, made.said_lstm, made.gru, made.data, "--json")
    found = json.loads(done.stdout)
    assert "said_gru.parquet" in done.stderr
    assert found["scores"]["said_gru"] == pytest.approx(found["scores"]["gru"], nan_ok=True)
    assert found["ranks"]["mean"]["gru"] == found["ranks"]["mean"]["said_gru"]
    same = next(pair for pair in found["pairs"] if {pair["better"], pair["worse"]} == {"gru", "said_gru"})
    assert (same["mase_difference"], same["p"]) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    assert len(found["ranks"]["alike"][0]) >= 2


def test_the_model_that_comes_with_the_program_is_fitted_before_the_origins(run_rnncli: Run, made: Made) -> None:
    found = json.loads(run_rnncli("compare", "base", made.gru, made.data, "--json").stdout)
    alone = json.loads(run_rnncli("evaluate", made.data, "-m", "base", "--horizon", 6, "--json").stdout)
    assert (found["compared"], found["in_sample"], found["horizon"]) == (["base", "gru"], [], 6)
    assert found["scores"]["base"] == pytest.approx(alone["scores"]["model"], nan_ok=True)


def test_a_model_on_rows_that_it_has_seen_is_marked(run_rnncli: Run, made: Made) -> None:
    early = made.gru.parent / "early.csv"
    text = run_rnncli("compare", made.lstm, made.gru, early, "--no-refit").stdout
    assert "lstm (in-sample)" in text
    assert "gru is in-sample: training has seen rows that are scored here" in text


def test_data_from_a_pipe_and_a_file_of_scores(run_rnncli: Run, made: Made, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    words = ("compare", "-", "-m", made.lstm, "-m", made.gru, "--by", "series", "-q", "-o", out)
    done = run_rnncli(*words, input=made.data.read_text())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 22 * 6
    assert rows[0]["in_sample"] in ("0", "false")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("{lstm}", "{data}"), 2, "one model, or one saved forecast, alone"),
        (("{data}",), 2, "neither models nor saved forecasts"),
        (("{lstm}", "{gru}"), 2, "no data"),
        (("{lstm}", "{lstm}", "{data}"), 2, "given twice"),
        (("{said_gru}", "{earlier}", "{data}"), 4, "begin at different times"),
        (("{said_gru}", "{gru}", "{data}", "--windows", "2"), 2, "origins of their own"),
    ],
)
def test_what_cannot_be_compared_is_refused(run_rnncli: Run, made: Made, words: tuple, code: int, says: str) -> None:
    done = run_rnncli("compare", *(word.format(**{k: str(v) for k, v in made._asdict().items()}) for word in words))
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_the_same_forecast_did_not_move(run_rnncli: Run, made: Made) -> None:
    done = run_rnncli("diff", made.said_gru, made.said_gru, "--fail-if", "change>0", "--fail-if", "largest>0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "did not move" in done.stdout
    assert "as wide" in done.stdout


def test_quietly_the_result_is_printed_unless_a_file_takes_it(run_rnncli: Run, made: Made, tmp_path: Path) -> None:
    for words in (("diff", made.earlier, made.said_gru), ("compare", made.lstm, made.gru, made.data)):
        loud, quiet = run_rnncli(*words), run_rnncli(*words, "-q")
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, loud.stdout, "")
        kept = run_rnncli(*words, "-q", "-o", tmp_path / f"{words[0]}.csv")
        assert (kept.returncode, kept.stdout, kept.stderr) == (0, "", "")


def test_what_moved_is_hand_worked(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    head = "shop,day,forecast,q0.1,q0.5,q0.9\n"
    before = "a,2024-05-01,10,8,10,12", "a,2024-05-02,10,8,10,12", "b,2024-05-01,20,18,20,22", "c,2024-05-01,1,1,1,1"
    after = "a,2024-05-02,13,10,13,16", "a,2024-05-03,9,8,9,10", "b,2024-05-01,19,18,19,20", "d,2024-05-01,1,1,1,1"
    old.write_text(head + "\n".join(before))
    new.write_text(head + "\n".join(after))
    found = rnncli.diff([old, new])
    document = found.to_json()
    assert (document["series"], document["new_series"], document["gone_series"]) == (2, ["d"], ["c"])
    assert (document["new_times"], document["gone_times"]) == (1, 1)
    assert document["overall"] == pytest.approx({"times": 2, "change": 4 / 30, "shift": 2 / 30, "width": 0})
    first, second = document["by_series"]
    assert first == {"id": "a", "times": 1, "change": 0.3, "shift": 0.3, "width": 0.5, "largest_at": "2024-05-02"}
    assert second == {"id": "b", "times": 1, "change": 0.05, "shift": -0.05, "width": -0.5, "largest_at": "2024-05-01"}


def test_what_is_missing_is_counted_and_all_else_compared(run_rnncli: Run, tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    head = "shop,day,forecast,q0.1,q0.5,q0.9\n"
    before = "a,2024-05-01,10,8,10,12", "a,2024-05-02,,,,", "b,2024-05-01,20,18,20,22", "c,2024-05-01,1,1,1,1"
    after = "a,2024-05-01,13,10,13,16", "a,2024-05-02,9,8,9,10", "b,2024-05-01,19,,19,20", "c,2024-05-01,,,,"
    old.write_text(head + "\n".join(before))
    new.write_text(head + "\n".join(after))
    document = rnncli.diff([old, new]).to_json()
    assert document["missing"] == 2
    assert document["overall"] == pytest.approx({"times": 2, "change": 4 / 30, "shift": 2 / 30, "width": 0.5})
    unknown = {"change": None, "shift": None, "width": None}
    assert document["by_series"] == [
        {"id": "a", "times": 1, "change": 0.3, "shift": 0.3, "width": 0.5, "largest_at": "2024-05-01"},
        {"id": "b", "times": 1, "change": 0.05, "shift": -0.05, "width": None, "largest_at": "2024-05-01"},
        {"id": "c", "times": 0, **unknown, "largest_at": None},
    ]
    done = run_rnncli("diff", old, new, "--fail-if", "change>0.5", "--fail-if", "missing>1")
    assert (done.returncode, "2 forecasts in both, at 2 times, 2 with a missing value" in done.stdout) == (7, True)
    assert "a gate failed: missing>1: missing is 2" in done.stderr


def test_a_tidy_table_and_its_wide_form_are_compared(run_rnncli: Run, made: Made) -> None:
    done = run_rnncli("diff", made.earlier, made.said_gru, "--series", 2)
    assert done.returncode == 0, done.stderr
    assert "110 forecasts in both, at 5 times, 22 gone, 22 new" in done.stdout
    assert "and 20 series more, which moved less" in done.stdout
    assert max(map(len, done.stdout.splitlines()[1:])) <= 80


def test_a_condition_over_what_moved_ends_with_7_and_prints_it_all_the_same(run_rnncli: Run, made: Made) -> None:
    done = run_rnncli("diff", made.earlier, made.said_gru, "--fail-if", "change>0", "--json")
    assert done.returncode == 7
    assert json.loads(done.stdout)["gates"][0]["passed"] is False
    wrong = run_rnncli("diff", made.earlier, made.said_gru, "--fail-if", "chnge>0")
    assert (wrong.returncode, "did you mean change?" in wrong.stderr) == (2, True)


def test_what_is_no_table_of_forecasts_is_refused(run_rnncli: Run, made: Made) -> None:
    done = run_rnncli("diff", made.said_gru, made.data)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no table of forecasts" in done.stderr
    assert run_rnncli("diff", made.said_gru).returncode == 2
