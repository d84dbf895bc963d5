"""The program that trains what comes with rnncli: broken off and gone on with, it leaves the same bytes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import rnncli

STEPS = ("--steps", "24", "--hidden", "4")


def started(output: Path) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "rnncli.pretraining", "-o", str(output), *STEPS, "--keep-every", "0.5")
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def test_a_training_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    assert started(whole).wait(120) == 0
    process, partial = started(broken), Path(f"{broken}.partial")
    for _ in range(600):
        if partial.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not broken.exists()
    assert started(broken).wait(120) == 0
    assert broken.read_bytes() == whole.read_bytes()
    assert not partial.exists()
    assert rnncli.info(broken).model.unfitted


def test_a_training_of_other_arguments_is_not_gone_on_with(tmp_path: Path) -> None:
    output = tmp_path / "m.safetensors"
    process, partial = started(output), Path(f"{output}.partial")
    for _ in range(600):
        if partial.exists():
            break
        time.sleep(0.1)
    process.kill()
    process.wait()
    kept = partial.read_bytes()
    other = subprocess.run(
        (sys.executable, "-m", "rnncli.pretraining", "-o", str(output), *STEPS, "--seed", "7"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode != 0
    assert "it was begun with other arguments" in other.stderr
    assert partial.read_bytes() == kept
