"""What every hostile file gets: the exact error, at once, with nothing printed, nothing written and nothing run."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
HOSTILE = Path(__file__).parent / "hostile"
sys.path.insert(0, str(HOSTILE))

import binaries  # noqa: E402  # beside this file

CASES = binaries.all_cases()
SETTINGS = ("--horizon", "2", "--steps", "2", "--hidden", "4")


def expected() -> dict[str, str]:
    """Exit code, error and hint of each case, as expected.txt has them."""
    parts = re.split(r"^# (.+)\n", (HOSTILE / "expected.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (text.rstrip("\n") for text in parts[2::2]), strict=True))


EXPECTED = expected()


Ended = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = {name: folder / str(number) / file for number, (name, (file, _, _)) in enumerate(CASES.items())}
    for name, path in paths.items():
        path.parent.mkdir()
        path.write_bytes(CASES[name][1])
    return paths


@pytest.fixture(scope="module")
def ends(corpus: dict[str, Path], environment: dict[str, str]) -> Callable[..., Ended]:
    """How a command ends for every case: what follows the data is given, and OUT is where it may write."""

    def run(command: str, *after: str, options: bool = True) -> Ended:
        folder = next(iter(corpus.values())).parents[1]
        output = folder / f"{command}.safetensors"
        lines = []
        for name, path in corpus.items():
            more = CASES[name][2] if options else ()
            words = (str(output) if word == "OUT" else word for word in (*after, *more))
            lines.append(json.dumps({"name": name, "arguments": [command, str(path), *words], "output": str(output)}))
        done = subprocess.run(
            [sys.executable, HOSTILE / "run.py", folder],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            check=True,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert not output.exists()
        for case in found:
            case["stderr"] = case["stderr"].replace(f"{corpus[case['name']].parent}{os.sep}", "")
        return {case["name"]: case for case in found}

    return run


@pytest.fixture(scope="module")
def ended(ends: Callable[..., Ended]) -> Ended:
    """How training ends for every case."""
    return ends("train", *SETTINGS, "-o", "OUT")


def test_there_are_many_cases_and_each_is_expected() -> None:
    assert len(CASES) >= 150
    assert list(EXPECTED) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_gets_its_error(ended: Ended, name: str) -> None:
    case = ended[name]
    told = case["stderr"].rstrip("\n")
    assert f"{case['exit_code']}\n{told}" == EXPECTED[name]
    assert case["stdout"] == ""
    assert case["seconds"] < 10
    assert case["megabytes"] < 400


@pytest.mark.parametrize("name", CASES)
def test_an_expected_error_is_an_error_and_a_hint(name: str) -> None:
    code, error, hint = EXPECTED[name].split("\n")[:1] + EXPECTED[name].split("\n")[-2:]
    assert code in ("2", "4")
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")


def sound(case: dict[str, Any], codes: set[int]) -> bool:
    """Whether a case ended as it should: one of these codes, no traceback, not too much time and memory."""
    told = case["stdout"] + case["stderr"]
    quick = case["seconds"] < 10 and case["megabytes"] < 400
    return case["exit_code"] in codes and "FORBIDDEN" not in told and "Traceback" not in told and quick


def test_a_check_finds_something_wrong_with_each_of_them(ends: Callable[..., Ended]) -> None:
    found = ends("check", "--json")
    assert {name: case for name, case in found.items() if not sound(case, {2, 4})} == {}
    seen = [json.loads(case["stdout"]) for case in found.values() if case["stdout"]]
    assert len(seen) > 40
    assert all(any(finding["severity"] == "error" for finding in document["findings"]) for document in seen)


def test_none_of_them_is_forecast_and_none_is_scored(ends: Callable[..., Ended], small_model: Path) -> None:
    for command in ("predict", "evaluate"):
        found = ends(command, "-m", str(small_model), options=False)
        assert {name: case for name, case in found.items() if not sound(case, {2, 4}) or case["stdout"]} == {}


# What is no file


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Paths that are no regular file."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "nowhere.csv")
    (tmp_path / "folder").mkdir()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.fspath(tmp_path / "s.csv"))
    listening.close()
    return {name: tmp_path / name for name in ("pipe.csv", "loop.csv", "dangling.csv", "folder", "s.csv")}


@pytest.mark.parametrize("name", ["pipe.csv", "loop.csv", "dangling.csv", "folder", "s.csv"])
def test_what_is_no_file_is_refused_at_once(run_rnncli: Run, places: dict[str, Path], name: str) -> None:
    done = run_rnncli("train", places[name], "-o", places[name].parent / "m")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"error: {places[name]}: ")


@pytest.mark.parametrize(
    "path", ["/dev/zero", "gopher://localhost/a.csv", "file:///etc/passwd", "a\0b.csv", "x" * 300 + ".csv"]
)
def test_a_path_that_leads_elsewhere_is_refused(run_python: Run, tmp_path: Path, path: str) -> None:
    code = "import sys, rnncli; rnncli.train(eval(sys.argv[1]), output=sys.argv[2], format='csv')"
    done = run_python("-c", code, repr(path), tmp_path / "m")
    assert "rnncli.errors.InputRefused" in done.stderr or "rnncli.errors.UsageError" in done.stderr
    assert not (tmp_path / "m").exists()
