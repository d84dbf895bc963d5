"""What every test may ask for: the checkout, the sample data, the command line, a small trained model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout that is tested."""
    return ROOT


@pytest.fixture(scope="session")
def sample_data() -> Path:
    return ROOT / "sample_data"


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """This process's environment, in which a subprocess imports the checkout, prints plainly and reads no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RNNCLI_")}
    return kept | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120"}


@pytest.fixture(scope="session")
def run_python(environment: dict[str, str]) -> Run:
    """`python ARGUMENTS` in a process of its own; keywords go to `subprocess.run`."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        settings: dict[str, object] = {"env": environment, "capture_output": True, "text": True}
        return subprocess.run([sys.executable, *map(str, arguments)], check=False, **(settings | options))  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture(scope="session")
def run_rnncli(run_python: Run) -> Run:
    """`rnncli ARGUMENTS` in a process of its own, as a shell would run it."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return run_python("-m", "rnncli", *arguments, **options)

    return run


@pytest.fixture(scope="session")
def small_model(run_rnncli: Run, sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the weekly CO2 record that took a few steps: 13 weeks ahead, hardly trained."""
    path = tmp_path_factory.mktemp("model") / "co2.safetensors"
    command = ("train", sample_data / "co2_weekly.csv", "--horizon", 13, "--hidden", 8, "--layers", 1, "--steps", 4)
    done = run_rnncli(*command, "-o", path)
    assert done.returncode == 0, done.stderr
    return path
