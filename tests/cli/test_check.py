"""`rnncli check` as a shell sees it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.csv"
    lines = [f"a\x1b,2024-01-{day:02},{day}" for day in range(1, 20)]
    path.write_text(
        "\n".join(["id,ds,y", *lines, *(line.replace("a\x1b", "b") for line in lines), "b,2024-01-19,7", ""])
    )
    return path


def test_sound_data_end_with_0(run_rnncli: Run, weekly: Path) -> None:
    done = run_rnncli("check", weekly)
    assert done.returncode == 0
    assert done.stdout.endswith("\n1 note in 2,284 rows of 1 series\n")
    assert done.stderr == "time 'week' (every week), one series, target 'co2'\n"


def test_errors_end_with_4_and_are_the_result(run_rnncli: Run, bad: Path) -> None:
    done = run_rnncli("check", bad.name, cwd=bad.parent)
    assert done.returncode == 4
    assert done.stdout.startswith("error    id-unusable (19): rows have an id with control characters\n")
    assert "duplicate-conflicting (1)" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 errors")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_json_is_one_document(run_rnncli: Run, bad: Path) -> None:
    done = run_rnncli("check", bad, "--json", "-q")
    assert (done.returncode, done.stderr) == (4, "")
    document = json.loads(done.stdout)
    assert (document["schema"], document["errors"], document["rows"]) == ("rnncli.check/1", 2, 39)
    assert {"id", "severity", "what", "count", "examples", "remedy"} == set(document["findings"][0])
    assert document["fixed"] is None


def test_a_file_that_cannot_be_read_is_one_error(run_rnncli: Run, tmp_path: Path) -> None:
    done = run_rnncli("check", tmp_path / "absent.csv")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: ")


def test_a_copy_is_written_and_told(run_rnncli: Run, bad: Path, tmp_path: Path) -> None:
    copy = tmp_path / "good.csv"
    done = run_rnncli("check", bad, "--fix", copy)
    assert done.returncode == 4  # what is wrong with the data is still wrong with them
    assert f"wrote 38 rows to {copy}, of 39:" in done.stdout
    assert copy.exists()
    kept = copy.read_bytes()
    skipped = run_rnncli("check", bad, "--fix", copy, "--if-exists", "skip")
    assert (skipped.returncode, skipped.stdout) == (0, "")
    refused = run_rnncli("check", bad, "--fix", copy, "--if-exists", "error")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert copy.read_bytes() == kept


def test_data_are_held_against_a_model(run_rnncli: Run, sample_data: Path, weekly: Path, small_model: Path) -> None:
    assert run_rnncli("check", weekly, "-m", small_model).returncode == 0
    done = run_rnncli("check", sample_data / "us_employment.csv", "-m", small_model)
    assert done.returncode == 4
    assert "column-missing" in done.stdout


def test_a_check_imports_neither_torch_nor_pandas(loaded_by: Callable[..., set[str]], weekly: Path) -> None:
    assert not {"torch", "pandas"} & loaded_by("check", weekly)


def test_a_pipe_is_checked(run_rnncli: Run, weekly: Path) -> None:
    done = run_rnncli("check", "-", input=weekly.read_text())
    assert done.returncode == 0
