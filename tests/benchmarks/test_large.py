"""Tables larger than one would hold in memory: peaks of memory, bytes a row while reading, and two processors."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

RNNCLI = (sys.executable, "-m", "rnncli")
AT_ONCE = 1 << 20  # rows that are written at once
READ = "import sys; from rnncli.data.load import load_panel; load_panel(sys.argv[1])"


def hours(path: Path, series: int, rows: int, step: int = 1) -> Path:
    """So many series of a day's rhythm and noise, `step` hours from row to row."""
    rng = np.random.default_rng(0)
    schema = pa.schema([("unique_id", pa.string()), ("ds", pa.timestamp("us")), ("y", pa.float64())])
    times = np.datetime64("2020-01-01", "us") + np.arange(rows) * np.timedelta64(step, "h")
    with parquet.ParquetWriter(path, schema) as writer:
        for begin in range(0, series, AT_ONCE // rows):
            some = range(begin, min(series, begin + AT_ONCE // rows))
            level, depth = rng.lognormal(3, 1, (len(some), 1)), rng.uniform(0, 0.5, (len(some), 1))
            rhythm = np.sin(2 * np.pi * np.arange(rows) / 24 + rng.uniform(0, 6.28, (len(some), 1)))
            y = level * (1 + depth * rhythm + 0.1 * rng.standard_normal((len(some), rows)))
            ids = np.repeat([f"S{number:07}" for number in some], rows)
            writer.write_table(pa.table([ids, np.tile(times, len(some)), y.round(3).ravel()], schema=schema))
    return path


def peak(environment: dict[str, str], *command: object) -> tuple[float, float]:
    """Gigabytes at most, and CPU seconds."""
    with subprocess.Popen([*map(str, command)], env=environment, stdout=subprocess.DEVNULL) as run:
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0
    return used.ru_maxrss / 1e6, used.ru_utime + used.ru_stime


def test_35_million_rows(environment: dict[str, str], tmp_path: Path, say: Callable[[str], None]) -> None:
    data, model = hours(tmp_path / "h.parquet", 41_400, 854), tmp_path / "m.safetensors"
    made = {}
    made["train"] = peak(environment, *RNNCLI, "train", data, "-o", model, "--horizon", 48, "--steps", 50, "-q")
    made["predict"] = peak(environment, *RNNCLI, "predict", data, "-m", model, "-o", tmp_path / "f.parquet", "-q")
    shown = [f"{name} {gigabytes:.2f} GB, {cpu:.0f} CPU s" for name, (gigabytes, cpu) in made.items()]
    say(f"41,400 x 854: {'; '.join(shown)}")
    assert made["train"][0] <= 1.2
    assert made["predict"][0] <= 0.6


def test_17_million_rows_checked_and_scored(
    environment: dict[str, str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    data, model = hours(tmp_path / "h.parquet", 20_000, 854), tmp_path / "m.safetensors"
    learnt = hours(tmp_path / "t.parquet", 300, 700)
    peak(environment, *RNNCLI, "train", learnt, "-o", model, "--horizon", 48, "--steps", 50, "-q")
    made = {"check": peak(environment, *RNNCLI, "check", data, "-q")}
    made["check -m"] = peak(environment, *RNNCLI, "check", data, "-m", model, "-q")
    asked = (*RNNCLI, "evaluate", data, "-m", model, "--keep-forecasts", tmp_path / "f.parquet", "-q")
    made["evaluate"] = peak(environment, *asked)
    shown = [f"{name} {gigabytes:.2f} GB, {cpu:.0f} CPU s" for name, (gigabytes, cpu) in made.items()]
    say(f"20,000 x 854: {'; '.join(shown)}")
    assert all(gigabytes <= 0.6 for gigabytes, _ in made.values())


def test_a_million_series(environment: dict[str, str], tmp_path: Path, say: Callable[[str], None]) -> None:
    data = hours(tmp_path / "m.parquet", 1_000_000, 24, 24)
    read = peak(environment, sys.executable, "-c", READ, data)
    nothing = peak(environment, sys.executable, "-c", "import rnncli.data.load, pyarrow.parquet")
    said = peak(environment, *RNNCLI, "predict", data, "-o", tmp_path / "f.parquet", "-q")
    each = (read[0] - nothing[0]) * 1e9 / 24e6
    say(f"1,000,000 x 24: read {each:.0f} bytes a row; predict by base {said[0]:.2f} GB, {said[1]:.0f} CPU s")
    assert each <= 40
    assert said[0] <= 1.0


def test_a_state_of_many_series(environment: dict[str, str], tmp_path: Path, say: Callable[[str], None]) -> None:
    data, model = hours(tmp_path / "s.parquet", 300_000, 20, 24), tmp_path / "m.safetensors"
    peak(environment, *RNNCLI, "train", data, "-o", model, "--horizon", 5, "--steps", 5, "-q")
    asked = (*RNNCLI, "predict", data, "-m", model, "--state", tmp_path / "state", "-o", tmp_path / "f.parquet", "-q")
    said = peak(environment, *asked)
    say(f"--state, 300,000 x 20: {said[0]:.2f} GB, {said[1]:.0f} CPU s")
    assert said[0] <= 1.0


def test_two_processors_forecast_side_by_side(
    environment: dict[str, str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    data = hours(tmp_path / "k.parquet", 10_000, 300)

    def seconds(threads: int) -> float:
        began = time.monotonic()
        peak(environment, *RNNCLI, "predict", data, "-o", tmp_path / "f.parquet", "-q", "--threads", threads)
        return time.monotonic() - began

    faster = statistics.median(seconds(1) / seconds(2) for _ in range(3))
    say(f"10,000 x 300, two processors over one, whole commands: {faster:.2f} times as fast")
    assert faster >= 1.7


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_dry_run_foresees_the_time(
    environment: dict[str, str], tmp_path: Path, say: Callable[[str], None], command: str
) -> None:
    data, model = hours(tmp_path / "s.parquet", 100_000, 20, 24), tmp_path / "m.safetensors"
    peak(environment, *RNNCLI, "train", data, "-o", model, "--horizon", 5, "--steps", 5, "-q")
    more = ("-o", tmp_path / "f.parquet") if command == "predict" else ("--no-refit", "-o", tmp_path / "s.json")
    asked = [str(word) for word in (*RNNCLI, command, data, "-m", model, *more)]
    tried = subprocess.run([*asked, "--dry-run", "--json"], env=environment, capture_output=True, check=True)
    foreseen = json.loads(tried.stdout)["seconds"]
    began = time.monotonic()
    subprocess.run([*asked, "-q"], env=environment, check=True)
    took = time.monotonic() - began
    say(f"{command} of 100,000 series: {foreseen:.1f} s foreseen, {took:.1f} s taken")
    assert foreseen == pytest.approx(took, rel=0.3)
