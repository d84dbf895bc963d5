"""What the tests of faults share: the harness, a program of its own, and a training that is quick."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def cases(run_python: Callable[..., Any], root: Path) -> Callable[..., list[dict[str, Any]]]:
    """What the harness says of each case."""

    def made(*arguments: object) -> list[dict[str, Any]]:
        done = run_python(root / "tests" / "faults" / "harness.py", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return made


@pytest.fixture(scope="session")
def weekly(sample_data: Path) -> Path:
    return sample_data / "co2_weekly.csv"


@pytest.fixture(scope="session")
def quick_training(weekly: Path) -> tuple[object, ...]:
    """The arguments of a training that takes two steps."""
    return ("train", weekly, "--horizon", 4, "--hidden", 4, "--layers", 1, "--batch", 16, "--steps", 2, "--threads", 1)
