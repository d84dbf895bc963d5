"""What is asked for often must be quick: nothing heavy is imported before there is something to compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rnncli.cli.app import COMMANDS

Loaded = Callable[..., set[str]]
HEAVY = {"torch", "pandas", "pyarrow", "numpy", "rich", "pydantic"}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)])
def test_asking_for_help_imports_nothing_heavy(loaded_by: Loaded, arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & HEAVY


@pytest.mark.parametrize(
    "arguments", [("trian",), ("train",), ("train", "x", "--hiden", "8"), ("train", "x", "-o", "m", "--hidden", "0")]
)
def test_a_usage_error_imports_nothing_heavy(loaded_by: Loaded, arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & HEAVY


@pytest.mark.parametrize("arguments", [("explain",), ("explain", "leakage"), ("explain", "data", "--json")])
def test_explaining_imports_nothing_heavy(loaded_by: Loaded, arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & HEAVY


def test_completion_imports_nothing_heavy(loaded_by: Loaded) -> None:
    typed = {"_RNNCLI_COMPLETE": "complete_bash", "COMP_WORDS": "rnncli train --ce", "COMP_CWORD": "2"}
    assert not loaded_by(**typed) & HEAVY


def test_predict_imports_neither_torch_nor_pandas_nor_rich(loaded_by: Loaded, weekly: Path, small_model: Path) -> None:
    assert not loaded_by("predict", weekly, "-m", small_model) & {"torch", "pandas", "rich", "pydantic"}
