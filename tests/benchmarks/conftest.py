"""Whole processes, measured side by side: CPU seconds and peak memory, reported as ratios."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

Command = Sequence[object]


@pytest.fixture(scope="session")
def cpu_seconds(environment: dict[str, str]) -> Callable[[Command], float]:
    """User and system seconds of a command that must succeed."""

    def measured(command: Command) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*map(str, command)], check=True, env=environment, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return measured


@pytest.fixture(scope="session")
def ratio_of(cpu_seconds: Callable[[Command], float]) -> Callable[[Command, Command], float]:
    """Median over pairs, one after the other, of the CPU time of one command over that of another."""

    def measured(command: Command, reference: Command, pairs: int = 7) -> float:
        cpu_seconds(command), cpu_seconds(reference)
        return statistics.median(cpu_seconds(command) / cpu_seconds(reference) for _ in range(pairs))

    return measured


@pytest.fixture(scope="session")
def peak_bytes(environment: dict[str, str]) -> Callable[[Command], int]:
    """Peak resident memory of a command that must succeed."""

    def measured(command: Command) -> int:
        process = subprocess.Popen([*map(str, command)], env=environment, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss * 1024

    return measured


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print a figure, whatever pytest captures."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def printed(text: str) -> None:
        with capture.global_and_fixture_disabled():  # type: ignore[union-attr]
            sys.stdout.write(f"\n{text}\n")

    return printed


@pytest.fixture(scope="session")
def hourly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    """A Parquet table of so many hourly series of so many rows, with a day and a week in them."""

    def made(series: int, rows: int) -> Path:
        path = tmp_path_factory.mktemp("hourly") / f"{series}.parquet"
        if not path.exists():
            parquet.write_table(hourly_table(series, rows), path)
        return path

    return made


def hourly_table(series: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(0)
    hour = np.arange(rows)
    shape = 2 + np.sin(2 * np.pi * hour / 24) + 0.5 * np.sin(2 * np.pi * hour / 168)
    level = np.exp(rng.normal(5, 1, series))
    values = level[:, None] * shape * np.exp(0.1 * rng.normal(size=(series, rows)))
    ids = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(series, dtype=np.int32), rows), [f"s{s}" for s in range(series)]
    )
    times = np.datetime64("2024-01-01", "us") + np.tile(hour, series) * np.timedelta64(1, "h")
    return pa.table({"unique_id": ids.cast(pa.string()), "ds": times, "y": values.ravel()})
