"""What every test may ask for: the checkout, the sample data, the command line, a small trained model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "test_fuzz.py",
    "test_io_faults.py",
    "test_processes.py",
    "test_time.py",
    "test_safety.py",
    "test_house.py",
    "test_recipes.py",
    "test_resume.py",
    "test_streams.py",
)

Run = Callable[..., subprocess.CompletedProcess[str]]
Build = Callable[..., Panel]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first: two workers then end together, as short files fill what is left."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


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


@pytest.fixture
def somebody() -> Callable[[], AbstractContextManager[None]]:
    """A context in which this process is not root; paths that it may see are relative ones."""

    @contextmanager
    def unprivileged() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.setresuid(65534, 65534, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)

    return unprivileged


@pytest.fixture(scope="session")
def small_model(run_rnncli: Run, sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the weekly CO2 record that took a few steps: 13 weeks ahead, hardly trained."""
    path = tmp_path_factory.mktemp("model") / "co2.safetensors"
    sizes = ("--hidden", 8, "--layers", 1, "--steps", 4, "--batch", 16)
    done = run_rnncli("train", sample_data / "co2_weekly.csv", "--horizon", 13, *sizes, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="session")
def build() -> Build:
    """A daily panel of the given series; more channels as columns."""

    def made(*series: object, seasons: tuple[int, ...] = (7,), channels: tuple[str, ...] = ("y",)) -> Panel:
        arrays = [np.asarray(values, np.float64).reshape(-1, len(channels)) for values in series]
        offsets = np.concatenate([[0], np.cumsum([len(values) for values in arrays])]).astype(np.int64)
        count = len(arrays)
        return Panel(
            ids=tuple(f"s{i}" for i in range(count)),
            offsets=offsets,
            values=np.concatenate(arrays),
            starts=np.full(count, 19_000, np.int64),
            phases=np.zeros(count, np.int64),
            calendar=Calendar(Frequency("day"), seasons),
            channels=tuple(
                Channel(name, "number", "past" if place else "target") for place, name in enumerate(channels)
            ),
        )

    return made


@pytest.fixture(scope="session")
def weekly_waves(build: Build) -> Panel:
    """Six positive series of a weekly wave with noise, of different lengths."""
    rng = np.random.default_rng(3)
    lengths = (60, 75, 90, 105, 120, 135)
    waves = [20 + 5 * np.sin(2 * np.pi * np.arange(n) / 7) + rng.normal(0, 1, n) for n in lengths]
    return build(*waves)
