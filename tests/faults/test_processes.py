"""Runs that overlap, are signalled, run out of time, or whose output goes nowhere: each ends as promised."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnncli import files
from rnncli import model as models
from rnncli.errors import OutputLocked

Cases = Callable[..., list[dict[str, Any]]]
Run = Callable[..., subprocess.CompletedProcess[str]]
HOLD = """
import sys, time
from rnncli.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_signal_stops_a_training_that_goes_on_to_the_same_bytes(cases: Cases, tmp_path: Path) -> None:
    found = cases("signal", tmp_path, "--counts", 2, "--steps", 40)
    assert len(found) == 12
    for case in found:
        number = getattr(signal, case["mode"].split()[0])
        assert case["exit_code"] in (-number, 0), case  # 0 if it had ended before
        assert case["seconds"] < 60, case  # of CPU time, in all
        assert (case["again"], case["same"]) == (0, True), case
        assert case["left"] == [] or "twice" in case["mode"], case
    assert sum(case["exit_code"] < 0 for case in found) >= 4


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_many_signals_stop_trainings_that_go_on_to_the_same_bytes(cases: Cases, tmp_path: Path) -> None:
    found = cases("signal", tmp_path, "--counts", 20, "--steps", 60)
    assert all((case["again"], case["same"]) == (0, True) for case in found)


def test_of_two_runs_that_overlap_one_writes_and_the_other_says_who_does(cases: Cases, tmp_path: Path) -> None:
    found = cases("pair", tmp_path, "--counts", 7)
    assert len(found) == 21
    for case in found:
        assert case["place"] == "0", case
        assert case["exit_code"] in (0, 75), case
        assert (case["same"], case["left"]) == (True, []), case
    refused = [case["error"] for case in found if case["exit_code"] == 75]
    assert len(refused) >= 5
    assert all("another run is writing this file" in error for error in refused)
    named = [error for error in refused if re.search(r": process \d+ \(.*\), since \d{4}-", error)]
    assert len(named) >= len(refused) // 3  # others had ended before they could be named


@pytest.fixture
def holder(tmp_path: Path, environment: dict[str, str]) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A process that holds the lock of a file."""
    path = tmp_path / "out.csv"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield path, process
        process.kill()


def test_the_death_of_a_holder_frees_its_lock_at_once(holder: tuple[Path, subprocess.Popen[str]]) -> None:
    path, process = holder
    with pytest.raises(OutputLocked, match=f"process {process.pid} "), files.locked(path):
        pass
    process.kill()
    process.wait()
    with files.locked(path):  # without `wait` it is had at once or not at all
        pass


def test_a_run_that_may_wait_waits_for_the_lock(holder: tuple[Path, subprocess.Popen[str]]) -> None:
    path, process = holder
    begun = time.monotonic()
    with pytest.raises(OutputLocked), files.locked(path, wait=0.3):
        pass
    assert time.monotonic() - begun >= 0.3
    process.kill()
    with files.locked(path, wait=30):
        pass


def test_the_lock_file_is_empty_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with files.locked(path):
        assert (tmp_path / ".a.lock").read_bytes() == b""
    assert (tmp_path / ".a.lock").read_bytes() == b""


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine")
    (tmp_path / ".a.lock").symlink_to(tmp_path / "other")
    with pytest.raises(files.StorageFailed), files.locked(tmp_path / "a"):
        pass
    assert (tmp_path / "other").read_text() == "mine"


def test_a_locked_output_ends_a_command_with_75_before_it_reads(
    holder: tuple[Path, subprocess.Popen[str]], run_rnncli: Run, small_model: Path, tmp_path: Path
) -> None:
    path, process = holder
    done = run_rnncli("predict", tmp_path / "absent.csv", "-m", small_model, "-o", path)
    assert (done.returncode, done.stdout) == (75, "")
    assert f"process {process.pid}" in done.stderr
    assert "--lock-wait" in done.stderr


def test_a_run_that_waits_for_a_lock_writes_once_the_holder_is_dead(
    holder: tuple[Path, subprocess.Popen[str]], environment: dict[str, str], small_model: Path, weekly: Path
) -> None:
    path, process = holder
    command = [sys.executable, "-m", "rnncli", "predict", weekly, "-m", small_model, "-o", path, "--lock-wait", "5m"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(3)
        assert not path.exists()
        process.kill()
        _, told = waiting.communicate()
    assert (waiting.returncode, path.exists()) == (0, True), told


def test_a_reader_sees_a_whole_old_or_a_whole_new_model(small_model: Path, tmp_path: Path) -> None:
    path, forecaster = tmp_path / "m.safetensors", models.load(small_model)
    versions = []
    for request in ("the old one", "the new one, which is longer"):
        models.save(path, replace(forecaster, record=forecaster.record | {"request": request}))
        versions.append(path.read_bytes())
    writer = os.fork()
    if writer == 0:
        while True:
            for data in versions:
                files.atomic_write(path, data)
    try:
        loaded = {models.load(path).record["request"] for _ in range(200)}
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    assert loaded == {"the old one", "the new one, which is longer"}


def test_a_timeout_keeps_the_training_and_ends_with_124(
    run_rnncli: Run, quick_training: tuple[object, ...], tmp_path: Path
) -> None:
    model = tmp_path / "m.safetensors"
    long = (*quick_training[:-4], "--steps", 100_000, "--threads", 1)
    for allowed in (4, 16, 64, 256):  # seconds: on a busy machine the first may be over before training begins
        done = run_rnncli(*long, "-o", model, "--timeout", f"{allowed}s", "--json")
        assert (done.returncode, done.stdout) == (124, "")
        if "the same command goes on from there" in done.stderr:
            break
    assert "the same command goes on from there" in done.stderr
    assert '"code": "timeout"' in done.stderr.splitlines()[-1]
    assert (tmp_path / "m.safetensors.partial").exists()


@pytest.mark.parametrize(
    "command", ["predict DATA -m MODEL", "predict DATA -m MODEL --json", "info MODEL", "check DATA"]
)
def test_a_pipe_that_nobody_reads_ends_a_command_by_its_signal_and_in_silence(
    environment: dict[str, str], small_model: Path, weekly: Path, command: str
) -> None:
    line = command.replace("DATA", f"'{weekly}'").replace("MODEL", f"'{small_model}'")
    line = f"'{sys.executable}' -m rnncli {line} | exec 0<&-; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "error" in done.stderr) == (128 + signal.SIGPIPE, False), done.stderr


OLD = 'damaged:{"__metadata__":{"rnncli":"'  # what each command may replace: to train it was a model
WAITING = [  # each reads standard input, which does not end
    ("train", "-", "-o", "OUT.safetensors"),
    ("predict", "-", "-m", "MODEL", "-o", "OUT.csv"),
    ("evaluate", "-", "-m", "MODEL", "-o", "OUT.json"),
    ("check", "-", "--fix", "OUT.csv"),
    ("inspect-gradients", "-", "-m", "MODEL"),
]


@pytest.fixture
def waiting(environment: dict[str, str], small_model: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """A command that waits for data, begun; what it will write is there already, and old."""

    def begun(command: tuple[str, ...], *more: str) -> subprocess.Popen[str]:
        words = [word.replace("OUT", str(tmp_path / "out")).replace("MODEL", str(small_model)) for word in command]
        for name in words:
            if name.startswith(str(tmp_path)):
                Path(name).write_text(OLD)
        pipe = subprocess.PIPE
        arguments = [sys.executable, "-m", "rnncli", *words, *more]
        return subprocess.Popen(arguments, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    return begun


def untouched(folder: Path) -> bool:
    """Whether the old output is all there is, but for its lock."""
    left = {path.name: path.read_text() for path in folder.iterdir() if path.suffix != ".lock"}
    return set(left.values()) <= {OLD} and len(left) <= 1


@pytest.mark.parametrize("command", WAITING, ids=lambda words: words[0])
def test_a_command_whose_time_is_over_ends_with_124_and_has_written_nothing(
    waiting: Callable[..., subprocess.Popen[str]], tmp_path: Path, command: tuple[str, ...]
) -> None:
    with waiting(command, "--timeout", "1s", "--json") as process:
        process.wait()  # nothing is written to it, and it is not closed
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stderr.read().splitlines()
        assert (process.returncode, process.stdout.read()) == (124, "")
    assert told[:2] == ["error: the time of --timeout is over", "hint: allow more time"]
    assert json.loads(told[-1])["error"]["code"] == "timeout"
    assert untouched(tmp_path)


@pytest.mark.parametrize("command", WAITING[:4], ids=lambda words: words[0])
def test_a_signal_ends_a_command_by_itself_and_it_has_written_nothing(
    waiting: Callable[..., subprocess.Popen[str]], tmp_path: Path, command: tuple[str, ...]
) -> None:
    with waiting(command) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        process.stdin.write("ds,y\n")
        process.stdin.flush()
        while not any(path.suffix == ".lock" for path in tmp_path.iterdir()):
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM  # nothing more is written to it, and it is not closed
        assert "Traceback" not in process.stderr.read()
    assert untouched(tmp_path)


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_full_standard_output_is_told(run_rnncli: Run, small_model: Path, weekly: Path, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        extra = ("--no-refit",) if command == "evaluate" else ()
        done = run_rnncli(command, weekly, "-m", small_model, *extra, stdout=full)
    assert done.returncode == 8
    assert "error: standard output: cannot write: no space left on device" in done.stderr


def test_a_file_size_limit_keeps_the_old_file(
    environment: dict[str, str], small_model: Path, weekly: Path, tmp_path: Path
) -> None:
    out = tmp_path / "f.csv"
    out.write_text("old")
    line = f"ulimit -f 0; '{sys.executable}' -m rnncli predict '{weekly}' -m '{small_model}' -q -o '{out}'"
    done = subprocess.run(["/bin/bash", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 8, done.stderr
    assert "file too large" in done.stderr
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if ".tmp." in path.name] == []


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A file system of its own, mounted with the given options."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a file system")
    place = tmp_path / "mounted"
    place.mkdir()

    def mount(options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"this machine does not let us mount: {done.stderr.strip()}")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True, check=False)


def test_a_full_file_system_keeps_the_old_forecast(
    run_rnncli: Run, small_model: Path, weekly: Path, mounted: Callable[[str], Path]
) -> None:
    place = mounted("size=16k")
    (place / "f.csv").write_text("old")
    (place / "filler").write_bytes(b"x" * 12288)
    done = run_rnncli("predict", weekly, "-m", small_model, "-q", "-o", place / "f.csv")
    assert done.returncode == 8, done.stderr
    assert "no space left on device" in done.stderr
    assert "bytes needed" in done.stderr
    assert (place / "f.csv").read_text() == "old"
    assert sorted(path.name for path in place.iterdir()) == [".f.csv.lock", "f.csv", "filler"]


def test_a_training_that_will_not_fit_is_refused_before_it_begins(
    run_rnncli: Run, quick_training: tuple[object, ...], mounted: Callable[[str], Path]
) -> None:
    place = mounted("size=32k")
    (place / "m.safetensors").write_text(OLD)
    done = run_rnncli(*quick_training, "-o", place / "m.safetensors")
    assert done.returncode == 8, done.stderr
    assert "bytes needed" in done.stderr
    assert "search" not in done.stderr
    assert (place / "m.safetensors").read_text() == OLD


@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_read_only_file_system_is_told_before_anything_is_read(
    run_rnncli: Run, small_model: Path, tmp_path: Path, mounted: Callable[[str], Path], command: str
) -> None:
    place = mounted("ro,size=64k")
    extra = ("-m", small_model) if command == "predict" else ("--steps", 1)
    done = run_rnncli(command, tmp_path / "absent.csv", *extra, "-o", place / "out.csv")
    assert done.returncode == 8
    assert "read-only file system" in done.stderr
    assert "absent" not in done.stderr


def test_the_output_may_not_be_what_is_read(run_rnncli: Run, small_model: Path, weekly: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    shutil.copy(weekly, data)
    before = data.read_bytes()
    done = run_rnncli("predict", data, "-m", small_model, "-o", data)
    assert done.returncode == 2
    assert "DATA reads this, and --output would replace it" in done.stderr
    assert data.read_bytes() == before


@pytest.mark.parametrize(("choice", "code", "stays"), [("error", 2, True), ("skip", 0, True), ("replace", 0, False)])
def test_what_is_done_with_a_file_that_exists_is_chosen(
    run_rnncli: Run, small_model: Path, weekly: Path, tmp_path: Path, choice: str, code: int, *, stays: bool
) -> None:
    out = tmp_path / "f.csv"
    out.write_text("old")
    done = run_rnncli("predict", weekly, "-m", small_model, "-q", "-o", out, "--if-exists", choice)
    assert done.returncode == code, done.stderr
    assert (out.read_text() == "old") == stays
