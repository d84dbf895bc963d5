"""What the tests of the command line share: a series that is quick to read, a command that watches its own imports."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

# Runs the command line as its entry point does, then writes the modules it left loaded to the file named first.
WATCHED = """
import atexit, json, sys
path, *arguments = sys.argv[1:]
names = lambda: sorted({name.partition(".")[0] for name in sys.modules})
atexit.register(lambda: open(path, "w").write(json.dumps(names())))
sys.argv = ["rnncli", *arguments]
from rnncli.cli.app import main
main()
"""


@pytest.fixture
def loaded_by(run_python: Run, environment: dict[str, str], tmp_path: Path) -> Callable[..., set[str]]:
    """The packages that a command has loaded when it ends, well or not."""

    def loaded(*arguments: object, **variables: str) -> set[str]:
        written = tmp_path / "loaded.json"
        run_python("-c", WATCHED, written, *arguments, env=environment | variables)
        return set(json.loads(written.read_text()))

    return loaded


@pytest.fixture(scope="session")
def weekly(sample_data: Path) -> Path:
    return sample_data / "co2_weekly.csv"


@pytest.fixture(scope="session")
def quick_training(weekly: Path) -> tuple[object, ...]:
    """The arguments of a training that takes two steps."""
    return ("train", weekly, "--horizon", 4, "--hidden", 4, "--layers", 1, "--batch", 16, "--steps", 2, "--threads", 1)
