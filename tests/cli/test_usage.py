"""Mistakes on the command line: exit code 2, two lines on stderr, nothing on stdout."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.cli.app import SHORTS
from rnncli.errors import UsageError
from rnncli.registry import CELLS, SCHEMES

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "says", "advises"),
    [
        (("trian",), "there is no command 'trian'", "did you mean train?"),
        (
            (),
            "a command is missing",
            f"{', '.join(SHORTS)}; see rnncli --help",
        ),
        (
            ("--horizon", "3"),
            "there is no option --horizon",
            "options follow the command: rnncli COMMAND --help lists them",
        ),
        (("train", "--hiden", "8"), "there is no option --hiden", "did you mean --hidden?"),
        (("train", "-z"), "there is no option -z", "rnncli train --help lists the options"),
        (("train", "-o", "m"), "DATA is missing", "see rnncli train --help"),
        (("train", "x.csv"), "-o MODEL is missing", "see rnncli train --help"),
        (("info", "a", "b"), "nothing is expected here: b", "see rnncli info --help"),
        (("train", "x", "-o"), "option '-o' requires an argument", "see rnncli train --help"),
        (("train", "x", "-o", "m", "--cell", "lst"), "--cell cannot be 'lst'", "did you mean lstm?"),
        (("train", "x", "-o", "m", "--cell", "Q"), "--cell cannot be 'Q'", f"choose from: {', '.join(CELLS)}"),
        (("train", "x", "-o", "m", "--cell", "gru,dilated:rn"), "--cell cannot be 'dilated:rn'", "did you mean rnn?"),
        (
            ("train", "x", "-o", "m", "--cell", "bidirectional:rn"),
            "--cell cannot be 'bidirectional:rn'",
            "did you mean rnn?",
        ),
        (
            ("train", "x", "-o", "m", "--past", "a,,b"),
            "--past has an empty item: 'a,,b'",
            "separate items by single commas",
        ),
        (
            ("predict", "x", "-m", "m", "-o", "a.xls"),
            "the suffix of 'a.xls' does not say what to write",
            "end it in .csv, .parquet, .jsonl, .arrow, .arrows, .feather, .xlsx, .npy",
        ),
        (
            ("evaluate", "x", "-m", "m", "-o", "a.txt"),
            "the suffix of 'a.txt' does not say what to write",
            "end it in .json, .csv, .parquet, .jsonl, .arrow, .arrows, .feather, .xlsx",
        ),
        (
            ("evaluate", "x", "-m", "m", "--digits", "3"),
            "--digits says how a file is written, and none is",
            "name one: -o FILE",
        ),
        (
            ("predict", "x", "-m", "m", "-o", "a.csv", "--out-separator", ",", "--out-decimal", ","),
            "',' cannot stand between fields and in numbers too",
            "say --out-separator ';'",
        ),
        (
            ("predict", "x", "-m", "m", "--tidy", "--out-wide"),
            "a table is --tidy or --out-wide, not both",
            "leave one of them out",
        ),
        (("check", "gopher://x"), "there is no kind of source called 'gopher'", f"choose from: {', '.join(SCHEMES)}"),
        (
            ("evaluate", "x", "-m", "m", "--forecasts", "f"),
            "both a model and saved forecasts were given",
            "give -m MODEL, or --forecasts FILE",
        ),
        (
            ("inspect-gradients", "x", "-m", "m", "--cell", "gru"),
            "--cell describes a network, but -m gives one",
            "leave -m or --cell out",
        ),
    ],
)
def test_a_mistake_is_told_in_two_lines(run_rnncli: Run, arguments: tuple[str, ...], says: str, advises: str) -> None:
    done = run_rnncli(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {says}\nhint: {advises}\n")


def test_what_scores_cannot_be_split_by_is_refused_before_the_data_are_read(run_rnncli: Run, small_model: Path) -> None:
    done = run_rnncli("evaluate", "absent.csv", "-m", small_model, "--by", "class")
    says, advises = "these scores cannot be shown by class", "leave --by out, or say --by series or --by lead"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {says}\nhint: {advises}\n")
    done = run_rnncli("compare", "absent.csv", "-m", small_model, "-m", "absent.safetensors", "--by", "lead")
    says, advises = "these scores cannot be shown by lead", "leave --by out, or say --by series"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {says}\nhint: {advises}\n")


@pytest.mark.parametrize("said", [{"windows": 2}, {"stride": 3}, {"horizon": 3}, {"refit": False}])
def test_how_a_model_is_scored_says_nothing_of_saved_forecasts(said: dict[str, Any]) -> None:
    key = "no-refit" if "refit" in said else next(iter(said))
    with pytest.raises(UsageError, match=f"--{key} is for a model; saved forecasts are scored as they are"):
        rnncli.evaluate("absent.csv", forecasts="absent.csv", **said)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--hidden", "0"),
        ("--layers", "-1"),
        ("--steps", "1.5"),
        ("--horizon", "ten"),
        ("--season", "24,0"),
        ("--seed", "-1"),
        ("--dropout", "1"),
        ("--learning-rate", "nan"),
        ("--clip", "0"),
        ("--quantiles", "0.5,1"),
        ("--time-budget", "0s"),
        ("--time-budget", "2x"),
        ("--decimal", ";"),
        ("--init", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_the_flags_name(run_rnncli: Run, flag: str, value: str) -> None:
    done = run_rnncli("train", "x.csv", "-o", "m", flag, value)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {flag} ")


def test_with_json_a_usage_error_is_json_on_the_last_line(run_rnncli: Run) -> None:
    done = run_rnncli("train", "--json", "--hiden", "8")
    assert done.stdout == ""
    assert json.loads(done.stderr.splitlines()[-1]) == {
        "error": {
            "code": "usage",
            "message": "there is no option --hiden",
            "hint": "did you mean --hidden?",
            "where": None,
        }
    }


def test_the_version_is_on_stdout(run_rnncli: Run) -> None:
    from rnncli import __version__

    done = run_rnncli("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"rnncli {__version__}\n", "")


def test_help_is_on_stdout_and_no_line_is_wider_than_the_terminal(run_rnncli: Run, environment: dict[str, str]) -> None:
    done = run_rnncli("train", "--help", env=environment | {"COLUMNS": "80"})
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: rnncli train [OPTIONS] DATA...")
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "count", "found"),
    [("rnncli tr", 1, "train"), ("rnncli train --ce", 2, "--cell"), ("rnncli train --cell min", 3, "mingru")],
)
def test_the_shell_completes(run_rnncli: Run, environment: dict[str, str], words: str, count: int, found: str) -> None:
    typed = {"_RNNCLI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    assert run_rnncli(env=environment | typed).stdout.split() == [found]


def test_options_may_come_before_the_data(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    before, after = ("predict", "-m", small_model, weekly), ("predict", weekly, "-m", small_model)
    assert run_rnncli(*before).stdout == run_rnncli(*after).stdout
