"""Two processes that train one network by torchrun beside one process of one thread, in wall time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

PAIRS = 3
ALONE = (sys.executable, "-m", "rnncli")
TWO = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "rnncli")
SIZE = (
    *("--horizon", "24", "--context", "336", "--layers", "2", "--hidden", "256", "--members", "1"),
    *("--batch", "64", "--steps", "30", "--threads", "1"),
)


def test_two_processes_beside_one_of_one_thread(
    hourly: Callable[[int, int], Path], environment: dict[str, str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    data = hourly(64, 1000)

    def seconds(program: tuple[str, ...], name: str) -> float:
        begun = time.monotonic()
        command = [*program, "train", str(data), *SIZE, "--fresh", "-o", str(tmp_path / name)]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        return time.monotonic() - begun

    pairs = [(seconds(ALONE, "one.safetensors"), seconds(TWO, "two.safetensors")) for _ in range(PAIRS)]
    ratio = statistics.median(one / two for one, two in pairs)
    told = ", ".join(f"{one:.0f} s and {two:.0f} s" for one, two in pairs)
    say(f"wall time of one process / two processes: {ratio:.2f} ({told}; promised: at least 1.6)")
    assert ratio >= 1.6
