"""`rnncli explain` as a shell sees it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from rnncli.cli.markdown import plain

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_an_id_is_explained_on_stdout(run_rnncli: Run) -> None:
    done = run_rnncli("explain", "leakage")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("leakage (check)\n===============\n\nError: a covariate that is the target itself")


def test_the_document_has_name_kind_and_text(run_rnncli: Run) -> None:
    document = json.loads(run_rnncli("explain", "75", "--json").stdout)
    assert (document["schema"], document["name"]) == ("rnncli.explain/1", "75")
    assert [(entry["name"], entry["kind"]) for entry in document["entries"]] == [("75", "exit code")]
    assert document["entries"][0]["text"] == "Another run is writing the same file (`locked`)."


def test_an_unknown_name_ends_with_2(run_rnncli: Run) -> None:
    done = run_rnncli("explain", "leakge")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nothing is known of 'leakge'\nhint: did you mean leakage?\n"


def test_everything_is_listed_in_lines_that_fit(run_rnncli: Run) -> None:
    lines = run_rnncli("explain").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("checks: time-missing, ") for line in lines)


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ("# A page\n\nOne two\nthree.\n", ["A page", "======", "", "One two three."]),
        ("## Part\n", ["Part", "----"]),
        ("| a | b |\n|---|--:|\n| x | 1 |\n| yy | 2 |\n", ["x   1", "yy  2"]),
        ("| a | b | c |\n|---|---|---|\n| x | 1 | |\n", ["x  b: 1"]),
        ("| a | b | c |\n|---|---|---|\n| x | 1 | 2 |\n", ["x", "    b: 1", "    c: 2"]),
        (
            "Do:\n\n<!-- by hand -->\n```sh\n# no heading\n\nls  -l\n```\n",
            ["Do:", "", "    # no heading", "", "    ls  -l"],
        ),
        ("one two three four\n", ["one two three four"]),
    ],
)
def test_markdown_becomes_plain_text(markdown: str, lines: list[str]) -> None:
    assert plain(markdown, 40) == lines


def test_paragraphs_are_as_wide_as_the_terminal() -> None:
    assert plain("one two three four five", 12) == ["one two", "three four", "five"]
