"""A process whose memory is limited says so and ends with 4: it is not killed, and what was there stays."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

resource = pytest.importorskip("resource", reason="limits of memory are Unix's")

Run = Callable[..., subprocess.CompletedProcess[str]]
MEGABYTE = 1 << 20
TINY = ("--hidden", 4, "--layers", 1, "--steps", 2, "--members", 1, "--batch", 16)


@pytest.fixture
def limited(run_rnncli: Run) -> Run:
    """`rnncli ARGUMENTS` with so many megabytes of address space."""

    def run(megabytes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
        most = megabytes * MEGABYTE
        return run_rnncli(*arguments, preexec_fn=partial(resource.setrlimit, resource.RLIMIT_AS, (most, most)))

    return run


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Five million rows, in a file of a few kilobytes."""
    path = tmp_path / "large.parquet"
    rows = 5_000_000
    days = np.arange(rows).astype("datetime64[h]").astype("datetime64[us]")
    parquet.write_table(pa.table({"week": days, "co2": np.zeros(rows)}), path, compression="zstd")
    return path


def refused(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a command ended as it should: one error, one hint, and nothing on stdout."""
    lines = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    memory = len(lines) == 2 and "memory" in lines[0] and "Traceback" not in done.stderr
    return (done.returncode, done.stdout, memory) == (4, "", True)


@pytest.mark.parametrize("megabytes", [170, 260, 300, 340, 350, 360, 370, 400, 500])
def test_a_forecast_is_made_or_refused(limited: Run, weekly: Path, small_model: Path, megabytes: int) -> None:
    done = limited(megabytes, "predict", weekly, "-m", small_model)
    assert (done.returncode == 0 and done.stdout) or refused(done), done


def test_a_forecast_needs_no_more_than_400_megabytes(limited: Run, weekly: Path, small_model: Path) -> None:
    assert limited(400, "predict", weekly, "-m", small_model).returncode == 0


def test_data_that_do_not_fit_leave_the_output_as_it_was(
    limited: Run, large: Path, small_model: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    output.write_text("the last one")
    for command in (("predict", "-o", output), ("evaluate",)):
        done = limited(400, command[0], large, "-m", small_model, *command[1:])
        assert refused(done), done
    assert output.read_text() == "the last one"


@pytest.mark.parametrize("megabytes", [300, 700, 1000, 1100, 1250, 1400])
def test_a_training_is_made_or_refused(limited: Run, weekly: Path, tmp_path: Path, megabytes: int) -> None:
    model = tmp_path / "m.safetensors"
    done = limited(megabytes, "train", weekly, "--horizon", 3, "-o", model, *TINY)
    assert (done.returncode == 0 and model.exists()) or refused(done), done


def test_a_batch_that_does_not_fit_is_refused(limited: Run, weekly: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    sizes = ("--hidden", 512, "--batch", 20_000, "--members", 1)
    assert refused(limited(1500, "train", weekly, "--horizon", 3, "-o", model, *sizes))
    assert not model.exists()


def test_a_pipe_is_read_no_further_than_is_allowed(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    done = run_rnncli("predict", "-", "-m", small_model, "--max-bytes", "1K", input=weekly.read_text())
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: -: it has more than 1.0 KiB uncompressed\nhint: ")
