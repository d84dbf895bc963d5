"""On a terminal, and only there, progress is drawn."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Shown = Callable[..., str]


@pytest.fixture
def shown(quick_training: tuple[object, ...], environment: dict[str, str], tmp_path: Path) -> Shown:
    """What a training prints on a terminal as its stderr."""

    def run(*flags: str, **variables: str) -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "rnncli", *map(str, quick_training), "-o", tmp_path / "m.safetensors", *flags]
        settings = environment | {"COLUMNS": "100", "LINES": "40"} | variables
        with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            printed = _read(ours)
            assert process.wait() == 0, printed
        os.close(ours)
        return printed.decode()

    return run


def _read(descriptor: int) -> bytes:
    """Everything until the other end is closed, which Linux tells by an error."""
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def test_progress_is_drawn_on_a_terminal(shown: Shown) -> None:
    printed = shown(TERM="xterm")
    assert "\x1b[" in printed
    assert all(word in printed for word in ("search", "/2", "loss", "validation", "steps/s"))


def test_no_color_is_obeyed(shown: Shown) -> None:
    assert not re.search(r"\x1b\[[\d;]*m", shown(TERM="xterm", NO_COLOR="1").replace("\x1b[0m", ""))


def test_a_dumb_terminal_gets_plain_lines(shown: Shown) -> None:
    printed = shown(TERM="dumb")
    assert "\x1b" not in printed
    assert "search 1: finished after 2 steps" in printed


def test_a_quiet_training_draws_nothing(shown: Shown) -> None:
    assert shown("-q", TERM="xterm") == ""
