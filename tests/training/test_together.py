"""Several processes that train one network, started by torchrun on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.timeout(600)

PROGRAM = Path(__file__).parent / "together.py"
DATA = Path(__file__).parents[2] / "sample_data" / "us_employment.csv"
TASKS, OTHERS = ("forecast", "steps"), ("stretches", "frames", "labels", "tokens", "sets")
SHORT = ("--horizon", "12", "--steps", "20", "--batch", "6", "--hidden", "8", "--members", "1", "--threads", "1")
MARK = "TOGETHER_TESTED"  # in the environment of the processes of one run, by which they are found
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"RANK", "WORLD_SIZE"}}

Told = dict[str, dict[str, Any]]
Run = Callable[..., subprocess.CompletedProcess[str]]


def torchrun(processes: int, *command: object, restarts: int = 0) -> list[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [*launcher, "--max-restarts", str(restarts), *map(str, command)]


def told(path: Path) -> Told:
    return {record["task"]: record for record in map(json.loads, path.read_text().splitlines())}


def trained(folder: Path, *command: str) -> Path:
    subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("alone")
    return told(trained(folder, sys.executable, str(PROGRAM), str(folder), *TASKS) / "told.jsonl")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    return trained(folder, *torchrun(2, PROGRAM, folder, *TASKS))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    return trained(folder, *torchrun(3, PROGRAM, folder, "forecast", "steps"))


def assert_same_course(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert len(found["losses"]) == len(expected["losses"]) > 0
    assert np.allclose(found["losses"], expected["losses"], atol=1e-4, rtol=0)
    assert np.allclose(found["scores"], expected["scores"], atol=1e-4, rtol=0)
    for name, weight in expected["weights"].items():
        assert np.allclose(found["weights"][name], weight, atol=1e-4, rtol=0), name


@pytest.mark.parametrize("task", TASKS)
def test_two_processes_learn_what_one_does(two: Path, alone: Told, task: str) -> None:
    assert_same_course(told(two / "told.jsonl")[task], alone[task])


@pytest.mark.slow
def test_two_processes_learn_what_one_does_in_the_other_tasks(tmp_path: Path) -> None:
    for name in ("alone", "two"):
        (tmp_path / name).mkdir()
    one = trained(tmp_path / "alone", sys.executable, str(PROGRAM), str(tmp_path / "alone"), *OTHERS)
    two = trained(tmp_path / "two", *torchrun(2, PROGRAM, tmp_path / "two", *OTHERS))
    for task in OTHERS:
        assert_same_course(told(two / "told.jsonl")[task], told(one / "told.jsonl")[task])


@pytest.mark.slow
@pytest.mark.parametrize("task", ["forecast", "steps"])
def test_three_processes_with_shares_of_unlike_size_learn_what_one_does(three: Path, alone: Told, task: str) -> None:
    assert_same_course(told(three / "told.jsonl")[task], alone[task])


@pytest.mark.parametrize("task", TASKS)
def test_every_process_returns_the_model_that_the_first_one_wrote(two: Path, task: str) -> None:
    first, other = told(two / "told.jsonl")[task], told(two / "told.1.jsonl")[task]
    assert other["weights"] == first["weights"]
    assert (other["losses"], other["output"]) == (first["losses"], None)


@contextmanager
def begun(model: Path, restarts: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A training by two processes that has taken its first steps, and the mark of its processes."""
    mark, partial = uuid.uuid4().hex, Path(f"{model}.partial")
    before = partial.stat().st_mtime_ns if partial.exists() else 0
    command = torchrun(2, "-m", "rnncli", *train_to(model), "--checkpoint-every", "0s", restarts=restarts)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**ENVIRONMENT, MARK: mark}, **pipes) as run:
        while not partial.exists() or partial.stat().st_mtime_ns == before:
            assert run.poll() is None, run.communicate()
            time.sleep(0.01)
        yield run, mark


def train_to(model: Path) -> tuple[str, ...]:
    return ("train", str(DATA), *SHORT, "--json", "-o", str(model))


def process_of(mark: str, rank: int) -> int:
    for folder in Path("/proc").iterdir():
        try:
            entries = (folder / "environ").read_bytes().split(b"\0") if folder.name.isdecimal() else []
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in entries and f"RANK={rank}".encode() in entries:
            return int(folder.name)
    raise AssertionError("there is no such process")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A model that two processes trained, and what they said on stdout."""
    model = tmp_path_factory.mktemp("unbroken") / "sales.safetensors"
    done = subprocess.run(
        torchrun(2, "-m", "rnncli", *train_to(model)), check=True, env=ENVIRONMENT, capture_output=True, text=True
    )
    return model, done.stdout


def test_the_first_process_alone_writes_and_speaks(unbroken: tuple[Path, str]) -> None:
    model, said = unbroken
    assert json.loads(said)["output"] == str(model)
    assert {path.name for path in model.parent.iterdir()} == {model.name, f".{model.name}.lock"}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
def test_a_training_that_was_stopped_and_then_lost_a_process_ends_in_the_bytes_of_an_unbroken_one(
    unbroken: tuple[Path, str], tmp_path: Path
) -> None:
    model = tmp_path / "sales.safetensors"
    with begun(model) as (run, _):
        run.send_signal(signal.SIGTERM)
        _, stopped = run.communicate(timeout=60)
    assert run.returncode != 0
    assert stopped.count("stopped: the training so far is in") == 1
    with begun(model, restarts=1) as (run, mark):
        os.kill(process_of(mark, 1), signal.SIGKILL)
        _, said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    assert said.count("error: ") == said.count("error: another process of this training ended") == 1
    assert said.count("going on from") == 2
    assert model.read_bytes() == unbroken[0].read_bytes()


def test_an_error_of_all_processes_is_told_once(tmp_path: Path) -> None:
    command = torchrun(2, "-m", "rnncli", "train", tmp_path / "none.csv", "-o", tmp_path / "m.safetensors")
    done = subprocess.run(command, check=False, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("error: ") == 1
    assert "exitcode  : 4" in done.stderr


def test_predict_is_refused_where_torchrun_would_run_it_more_than_once(unbroken: tuple[Path, str]) -> None:
    place = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    command = [sys.executable, "-m", "rnncli", "predict", str(DATA), "-m", str(unbroken[0])]
    started = {**ENVIRONMENT, **place, "TORCHELASTIC_RUN_ID": "x"}
    done = subprocess.run(command, check=False, env=started, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "torchrun is for train" in done.stderr


def test_one_process_of_torchrun_makes_the_bytes_of_a_plain_run(run_rnncli: Run, tmp_path: Path) -> None:
    plain, ranked = tmp_path / "plain.safetensors", tmp_path / "ranked.safetensors"
    assert run_rnncli(*train_to(plain)).returncode == 0
    place = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    command = [sys.executable, "-m", "rnncli", *train_to(ranked)]
    subprocess.run(command, check=True, env={**ENVIRONMENT, **place}, capture_output=True)
    assert plain.read_bytes() == ranked.read_bytes()
