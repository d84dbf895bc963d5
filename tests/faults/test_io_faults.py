"""Every I/O call of train, predict and evaluate fails in turn, in four ways: nothing is lost, nothing is silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cases = list[dict[str, Any]]
FILES = ("m.safetensors", "model.safetensors", "f.csv", "s.json", "data.csv")
MODES = ("kill", "half", "ENOSPC", "EIO")


def check(found: Cases) -> None:
    """Killed runs leave the old file or the new one; failed runs say which file; the same command again ends well."""
    for case in found:
        assert case["old_whole"], case
        assert (case["again"], case["same"]) == (0, True), case
        if case["mode"] in ("kill", "half"):
            assert case["exit_code"] == -9, case
            continue
        assert case["left"] == [], case
        reading = case["mode"] == "ENOSPC" and ("cannot open" in case["error"] or "cannot read" in case["error"])
        assert case["exit_code"] in ((4, 5) if reading else (0, 8)), case
        if case["exit_code"]:
            assert any(
                name in case["error"] for name in ("m.safetensors", "model.safetensors", "f.csv", "s.json", "data.csv")
            ), case


def test_a_failed_io_call_loses_nothing(cases: Callable[..., Cases], tmp_path: Path) -> None:
    found = cases("io", tmp_path, "--sample", 8, "--members", 1)
    assert {case["mode"] for case in found} == set(MODES)
    assert len(found) == 3 * 4 * 8
    check(found)
    full = [case["error"] for case in found if case["mode"] == "ENOSPC" and case["exit_code"] == 8]
    assert sum("bytes needed" in error for error in full) >= 5


def test_runs_killed_at_random_times_lose_nothing(cases: Callable[..., Cases], tmp_path: Path) -> None:
    found = cases("kill", tmp_path, "--commands", "train,predict", "--counts", "60,30", "--steps", 4, "--every", 0.01)
    check_kills(found, 90)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_every_io_call_that_fails_loses_nothing(cases: Callable[..., Cases], tmp_path: Path) -> None:
    check(cases("io", tmp_path, "--every", 0))


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_a_thousand_runs_killed_at_random_times_lose_nothing(cases: Callable[..., Cases], tmp_path: Path) -> None:
    found = cases("kill", tmp_path, "--commands", "train,predict", "--counts", "1000,500", "--steps", 40, "--every", 0)
    check_kills(found, 1500)


def check_kills(found: Cases, count: int) -> None:
    """As many as asked were killed; each left the old file or the new one, and each ended in the same bytes."""
    assert sum(case["exit_code"] == -9 for case in found) == count
    assert all(case["old_whole"] for case in found)
    ends = [case for case in found if case["mode"] == "end"]
    assert all((case["again"], case["same"], case["left"]) == (0, True, []) for case in ends)
