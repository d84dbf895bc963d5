"""On a terminal, and only there, progress is drawn."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rnncli.cli.progress import bar, line

Run = Callable[..., subprocess.CompletedProcess[str]]
Shown = Callable[..., str]


@pytest.fixture
def shown(run_rnncli: Run, quick_training: tuple[object, ...], environment: dict[str, str], tmp_path: Path) -> Shown:
    """What a training prints on a terminal as its stderr; `by` runs it."""

    def run(*flags: str, data: Path | None = None, by: Run = run_rnncli, **variables: str) -> str:
        ours, theirs = pty.openpty()
        training = list(quick_training) if data is None else ["train", data, *quick_training[2:]]
        settings = environment | {"COLUMNS": "100", "LINES": "40"} | variables
        with ThreadPoolExecutor(1) as reader:
            printed = reader.submit(_read, ours)
            with os.fdopen(theirs, "w") as terminal:
                done = by(*training, "-o", tmp_path / "m.safetensors", *flags, env=settings, stderr=terminal)
            assert done.returncode == 0, printed.result()
        os.close(ours)
        return printed.result().decode()

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


def test_progress_is_drawn_on_a_terminal(shown: Shown, start_rnncli: Run) -> None:
    printed = shown(by=start_rnncli, TERM="xterm")
    assert "\x1b[" in printed
    assert all(word in printed for word in ("search", "/2", "loss", "validation", "steps/s"))


def lines_of(printed: str) -> list[str]:
    """What stands in a line at a time, without colours and moves of the cursor."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", printed))


@pytest.mark.parametrize("columns", [80, 60])
def test_no_line_of_two_members_with_covariates_is_wider_than_the_terminal(
    shown: Shown, tmp_path: Path, columns: int
) -> None:
    path = tmp_path / "warm.csv"
    days = [f"2024-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(300)]
    path.write_text("ds,y,warm\n" + "".join(f"{day},{5 + k % 7},{k % 3}\n" for k, day in enumerate(days[:300])))
    wide = {"COLUMNS": str(columns), "TERM": "xterm"}
    command = ("--past", "warm", "--members", "2", "--watch-gradients", "1", "--steps", "3")
    lines = [text for text in lines_of(shown(*command, data=path, **wide)) if not text.startswith("model: ")]  # a path
    assert max(map(len, lines)) <= columns
    assert any(re.match(r"search 2 without covariates +\d/3 loss ", text) for text in lines)


def parts(**texts: str) -> dict[str, tuple[str, int]]:
    """What a line is made of, each part with so much room as it has letters."""
    names = ("phase", "bar", "steps", "loss", "validation", "gradient", "speed", "left")
    return {name: (texts.get(name, name), len(texts.get(name, name))) for name in names}


def test_what_matters_most_stays_in_a_narrow_line() -> None:
    texts = parts(gradient="")
    assert line(texts, 100) == "phase bar steps loss validation speed left"
    assert line(texts, 33) == "phase steps loss validation left"
    assert line(texts, 23) == "phase steps loss left"
    assert line(texts, 12) == "phase steps"
    assert line(texts, 3) == "pha"


def test_gradients_that_are_watched_come_before_the_score() -> None:
    assert line(parts(), 32) == "phase steps loss gradient left"


def test_a_bar_can_be_read_without_colours() -> None:
    assert bar(0.5, plain=False) == "━━━━━╌╌╌╌╌"
    assert (bar(0, plain=True), bar(1, plain=True)) == ("." * 10, "#" * 10)


def test_no_color_is_obeyed(shown: Shown) -> None:
    assert not re.search(r"\x1b\[[\d;]*m", shown(TERM="xterm", NO_COLOR="1").replace("\x1b[0m", ""))


def test_a_dumb_terminal_gets_plain_lines(shown: Shown) -> None:
    printed = shown(TERM="dumb")
    assert "\x1b" not in printed
    assert "search 1: finished after 2 steps" in printed


def test_a_quiet_training_draws_nothing(shown: Shown) -> None:
    assert shown("-q", TERM="xterm") == ""
