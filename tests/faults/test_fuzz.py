"""Bytes that nobody would write end in our own refusals and nothing else: coverage-guided, FUZZ_SECONDS each."""

from __future__ import annotations

import os
import subprocess
from ast import literal_eval
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

pytest.importorskip("atheris", reason="fuzzing needs atheris: pip install 'rnncli[fuzz]'")

HARNESSES = Path(__file__).parent / "fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
SLOWEST, LARGEST = 250, 2500  # seconds, ten times those of a quiet machine, and megabytes that one input may take
LIMITS = ("-print_final_stats=1", "-len_control=0", f"-timeout={SLOWEST}", f"-rss_limit_mb={LARGEST}")
TABLES = (
    b"unique_id,ds,y\na,2024-01-01,1\na,2024-01-02,2\na,2024-01-04,3\nb,2024-01-01,1.5\n\0",
    b"time;value\n01.02.2024 10:00;1,5\n01.02.2024 11:00;2,5\n\1",
    b"ds,a,b\n2024-01-01T00:00:00+01:00,1,\n2024-01-01T01:00:00+01:00,1,3\n\2",
    b'ds,"y ""1"""\n1,1\n2,3\n3,NaN\n\0',
    b"when\ty\n2024-03-31 01:30:00\t1\n2024-03-31 03:30:00\t2\n\3",
    b"month|y\nJan 2024|1\nFeb 2024|2\nMar 2024|4\n\4",
    b"time,y\n01.02.2024 10:00,1\n02.02.2024 10:00,2\n03.02.2024 10:00,3\n\5",
)
FILES = (
    b'data = ["a.csv"]\nhorizon = 3\n[train]\nlearning-rate = 1e-3\npast = ["a", "b"]\n',
    b"HORIZON=3\nTRAIN_STEPS=5\nFRESH=yes\n---\n[predict]\nas-of = 2024-05-01T06:00:00Z\ntidy = true\n",
    b"quantiles = [0.1, 0.5, 0.9]\n[evaluate]\nfail-if = ['mase>1']\nwindows = 0x10\n",
)
TEXTS = (b"1", b"0.5", b"1,2,3", b"0.1,0.5,0.9", b"90s", b"2m", b"1.5h", b"a, b", b"lstm", b"1e400", b"-1", b"\xff")


@dataclass(frozen=True)
class Campaign:
    """A harness, what it begins with, and for how long: also with inputs that earlier campaigns found new paths by."""

    harness: str
    seeds: tuple[bytes, ...]
    longest: int
    words: str = ""
    seconds: int = SECONDS

    def run(self, run_python: Run, folder: Path) -> str:
        """What libFuzzer told; it fails where anything but RnncliError escaped."""
        corpus = folder / self.harness.removesuffix(".py")
        corpus.mkdir()
        found = HARNESSES / self.harness.replace(".py", ".seeds")
        kept = map(literal_eval, found.read_text().splitlines()) if found.exists() else ()
        for number, seed in enumerate((*self.seeds, *kept)):
            (corpus / f"seed{number}").write_bytes(seed)
        flags = [f"-max_total_time={self.seconds}", f"-max_len={self.longest}", *LIMITS]
        flags += [f"-dict={HARNESSES / self.words}"] if self.words else []
        done = run_python(HARNESSES / self.harness, corpus, *flags, cwd=folder, errors="replace")
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
        return done.stderr


@pytest.fixture(scope="module")
def told(
    run_python: Run, small_model: Path, sample_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """What each campaign told. All run side by side, and are waited for once."""
    lines = (sample_data / "us_employment.csv").read_bytes().splitlines(keepends=True)
    campaigns = (
        Campaign("model_file.py", (small_model.read_bytes(),), 40_000, seconds=2 * SECONDS),
        Campaign("csv_text.py", (*TABLES, b"".join(lines[:40]) + b"\0"), 4_000, "csv.dict"),
        Campaign("config.py", FILES, 2_000, "config.dict"),
        Campaign("option_values.py", TEXTS, 200, seconds=-(-SECONDS // 12)),
    )
    folder, pool = tmp_path_factory.mktemp("fuzz"), ThreadPoolExecutor(len(campaigns))
    running = {campaign.harness: pool.submit(campaign.run, run_python, folder) for campaign in campaigns}
    return lambda harness: running[harness].result()


def runs(told: str) -> int:
    """How many inputs were tried."""
    line = next(line for line in told.splitlines() if "number_of_executed_units" in line)
    return int(line.split(":")[-1])


@pytest.mark.parametrize("harness", ["model_file.py", "csv_text.py", "config.py", "option_values.py"])
def test_fuzzed_bytes_are_taken_or_refused(told: Callable[[str], str], harness: str) -> None:
    assert runs(told(harness)) > SECONDS


def test_the_harnesses_are_those_that_are_run() -> None:
    assert {path.name for path in HARNESSES.glob("*.py")} == {
        "config.py",
        "csv_text.py",
        "model_file.py",
        "option_values.py",
        "signing.py",
    }
