"""What every test may ask for: the checkout, the sample data, the command line, a small trained model."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "test_together.py",
    "test_house.py",
    "test_report.py",
    "test_processes.py",
    "test_io_faults.py",
    "test_hostile.py",
    "test_safety.py",
    "test_generate.py",
    "test_trying.py",
    "test_planted.py",
    "test_targets.py",
    "test_streams.py",
    "test_token_forged.py",
    "test_model.py",
    "test_embedded.py",
    "test_plot.py",
    "test_resume.py",
    "test_model_files.py",
    "test_recipes.py",
    "test_signals.py",
    "test_unfinished.py",
    "test_training.py",
    "test_each_series.py",
    "test_adding.py",
    "test_token_whole.py",
    "test_fuzz.py",
    "test_session.py",
    "test_paths.py",
    "test_postgresql.py",
    "test_inspect_gradients.py",
    "test_stretches.py",
    "test_seasons_held_out.py",
    "test_contract.py",
    "test_base.py",
    "test_laws.py",
    "test_tune.py",
    "test_memory.py",
    "test_arguments.py",
    "test_workflows.py",
    "test_dry_run.py",
    "test_progress.py",
    "test_architecture.py",
    "test_contract_of_models.py",
    "test_budget.py",
    "test_token_adaptive.py",
    "test_sources.py",
    "test_compare.py",
    "test_keep_forecasts.py",
    "test_writers.py",
    "test_side_by_side.py",
    "test_statistics.py",
    "test_clips.py",
    "test_checkpoint.py",
    "test_checks.py",
    "test_adamw.py",
    "test_maps.py",
    "test_time.py",
    "test_paired.py",
    "test_export.py",
    "test_golden.py",
    "test_clock_changes.py",
    "test_packaging.py",
    "test_tracking.py",
    "test_forms.py",
    "test_stream.py",
    "test_gates.py",
    "test_config.py",
    "test_series_columns.py",
    "test_notation.py",
    "test_doubt.py",
    "test_seasons.py",
    "test_activation.py",
)

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")  # what the command line sets at its start
OF_TRAINING = ("torch", "torch.fx.experimental.symbolic_shapes")
OF_COMMANDS = ("pyarrow.csv", "pyarrow.parquet", "typer.main", "rich.console", "pandas")
SEEN_BY_COMMANDS = (
    "RNNCLI_",
    "COLUMNS",
    "LINES",
    "TERM",
    "NO_COLOR",
    "PG",
    "AWS_",
)  # variables that nothing reads before one runs
OF_FORKS = {"cwd", "input", "stdin", "stdout", "stderr", "timeout", "encoding", "errors"}

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as commands set it, which fork servers are too early for

Run = Callable[..., subprocess.CompletedProcess[str]]
Build = Callable[..., Panel]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first: two workers then end together, as short files fill what is left."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


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
        pipe = subprocess.PIPE
        settings: dict[str, object] = {"env": environment, "stdout": pipe, "stderr": pipe, "text": True}
        return subprocess.run([sys.executable, *map(str, arguments)], check=False, **(settings | options))  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture(scope="session")
def start_rnncli(run_python: Run) -> Run:
    """`rnncli ARGUMENTS` in a new interpreter, as a shell would run it."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return run_python("-m", "rnncli", *arguments, **options)

    return run


class ForkServer:
    """Runs commands as `subprocess.run` does, forked from a process that has imported everything."""

    def __init__(self, environment: dict[str, str], *libraries: str) -> None:
        self.channel, theirs = socket.socketpair()
        self.name = f"rnncli-tests-{os.getpid()}-{theirs.fileno()}-{time.monotonic_ns()}"
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "tests" / "fork_server.py", str(theirs.fileno()), self.name, *libraries],
                env=environment | dict.fromkeys(ONE_THREAD, "1"),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )

    def run(
        self,
        arguments: list[str],
        environment: dict[str, str],
        cwd: Path | None = None,
        input: str | None = None,  # noqa: A002 as `subprocess.run` calls it
        stdin: IO[str] | None = None,
        stdout: IO[str] | None = None,
        stderr: IO[str] | None = None,
        timeout: float | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> subprocess.CompletedProcess[str]:
        given, ours = os.pipe() if input is not None else (os.dup(stdin.fileno() if stdin else 0), None)
        (out, their_out), (error, their_error) = _written_to(stdout), _written_to(stderr)
        child = self.fork(arguments, environment, cwd or Path.cwd(), [given, their_out, their_error])
        with ThreadPoolExecutor(2) as readers:
            told = [None if stream is None else readers.submit(_read, stream) for stream in (out, error)]
            if ours is not None:
                with suppress(BrokenPipeError), os.fdopen(ours, "wb") as pipe:
                    pipe.write((input or "").encode(encoding))
            status = self.wait(child, timeout)
        texts = [data and data.result().decode(encoding, errors).replace("\r\n", "\n") for data in told]
        return subprocess.CompletedProcess(["rnncli", *arguments], status, *texts)

    def fork(self, arguments: list[str], environment: dict[str, str], folder: Path, streams: list[int]) -> int:
        """The number of a process that runs the command; it has taken the streams."""
        request = json.dumps({"arguments": arguments, "environment": environment, "folder": str(folder)}).encode()
        socket.send_fds(self.channel, [len(request).to_bytes(4)], streams)
        self.channel.sendall(request)
        for stream in streams:
            os.close(stream)
        return int.from_bytes(self.channel.recv(4))

    def wait(self, child: int, timeout: float | None) -> int:
        """The exit code of the process, or its signal, negative. TimeoutError where it takes longer: it is killed."""
        self.channel.settimeout(timeout)
        try:
            status = self.channel.recv(4)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            self.channel.settimeout(None)
            self.channel.recv(4)
            raise
        return os.waitstatus_to_exitcode(int.from_bytes(status))

    @cached_property
    def command(self) -> list[str]:
        """The words before the arguments of a command that somebody else starts: a shell, a schedule."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"
        return [sys.executable, "-IS", str(ROOT / "tests" / "forked_command.py"), self.name]

    def stop(self) -> None:
        self.channel.close()
        self.process.communicate()


def _written_to(given: IO[str] | None) -> tuple[int | None, int]:
    """A pipe, or the stream that was given, of which nothing is read."""
    return os.pipe() if given is None else (None, os.dup(given.fileno()))


def _read(stream: int) -> bytes:
    with os.fdopen(stream, "rb") as pipe:
        return pipe.read()


@pytest.fixture(scope="session")
def fork_server(environment: dict[str, str]) -> Iterator[Callable[..., ForkServer]]:
    """The fork server that has imported these libraries, and finds the package in a folder."""
    started: list[ForkServer] = []

    @cache
    def server(*libraries: str, folder: Path = ROOT) -> ForkServer:
        started.append(ForkServer(environment | {"PYTHONPATH": str(folder)}, *libraries))
        return started[-1]

    yield server
    for each in started:
        each.stop()


@pytest.fixture(scope="session")
def run_rnncli(start_rnncli: Run, environment: dict[str, str], fork_server: Callable[..., ForkServer]) -> Run:
    """`rnncli ARGUMENTS` in a process of its own, forked with all imported where nothing depends on its start."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        variables: dict[str, str] = options.pop("env", environment)  # type: ignore[assignment]
        changed = {name for name in environment | variables if environment.get(name) != variables.get(name)}
        seen_at_start = [name for name in changed if not name.startswith(SEEN_BY_COMMANDS)]
        if sys.platform != "linux" or seen_at_start or not set(options) <= OF_FORKS:
            return start_rnncli(*arguments, env=variables, **options)
        words = [*map(str, arguments)]
        libraries = OF_TRAINING if words and words[0] in ("train", "evaluate", "inspect-gradients") else ()
        return fork_server(*libraries, "rnncli").run(words, variables, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def rnncli_script(environment: dict[str, str], fork_server: Callable[..., ForkServer]) -> Callable[..., str]:
    """The text of a command `rnncli` for shells that tests start, of the package in a folder.

    It is forked with all imported, as `run_rnncli` is; a package in another folder is imported by each command.
    """

    def script(folder: Path = ROOT) -> str:
        if sys.platform != "linux":
            return f'#!/bin/sh\nPYTHONPATH={folder} exec "{sys.executable}" -P -m rnncli "$@"\n'
        package = ("rnncli",) if folder == ROOT else OF_COMMANDS
        server = fork_server(*OF_TRAINING, *package, **({} if folder == ROOT else {"folder": folder}))
        return f'#!/bin/sh\nexec {shlex.join(server.command)} "$@"\n'

    return script


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
