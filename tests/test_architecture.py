"""The shape of the house: who imports whom, what each command loads, and what the package calls public."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli import errors, registry

Run = Callable[..., subprocess.CompletedProcess[str]]

HEAVY = ("torch", "pandas", "pyarrow", "numpy")

# Runs the command line as its entry point does and writes which heavy modules it left loaded to the file named first.
# Modules named after a dash are hidden, as if they were not installed.
WATCHED_RUN = f"""
import atexit, json, sys
path, *arguments = sys.argv[1:]
while arguments and arguments[0].startswith("-hide="):
    sys.modules[arguments.pop(0).removeprefix("-hide=")] = None
loaded = lambda: [name for name in {HEAVY} if sys.modules.get(name)]
atexit.register(lambda: open(path, "w").write(json.dumps(loaded())))
sys.argv = ["rnncli", *arguments]
from rnncli.cli.app import main
sys.exit(main())
"""


@pytest.fixture
def loaded_by(run_python: Run, environment: dict[str, str], tmp_path: Path) -> Callable[..., set[str]]:
    """The heavy modules that a command, which must end well, has loaded when it ends."""

    def loaded(*arguments: object, hidden: tuple[str, ...] = (), **variables: str) -> set[str]:
        written = tmp_path / "loaded.json"
        command = ("-c", WATCHED_RUN, written, *(f"-hide={name}" for name in hidden), *arguments)
        done = run_python(*command, env=environment | variables)
        assert done.returncode == 0, done.stderr
        return set(json.loads(written.read_text()))

    return loaded


def commands() -> list[str]:
    from typer.main import get_command

    from rnncli.cli.app import app

    return sorted(getattr(get_command(app), "commands", {}))


def test_imports_go_down_the_ladder_only(root: Path) -> None:
    if importlib.util.find_spec("importlinter") is None:
        pytest.skip("import-linter comes with the extra `dev`")
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_imports_nothing_heavy(run_python: Run) -> None:
    code = f"import sys, rnncli; print([name for name in (*{HEAVY}, 'typer', 'rich') if name in sys.modules])"
    assert run_python("-c", code).stdout == "[]\n"


def test_every_public_name_is_found() -> None:
    assert all(hasattr(rnncli, name) for name in rnncli.__all__)


def test_every_public_name_is_listed_by_dir() -> None:
    assert set(rnncli.__all__) <= set(dir(rnncli))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    assert not hasattr(rnncli, "no_such_name")


def test_every_error_is_public() -> None:
    assert {name for name, thing in vars(errors).items() if isinstance(thing, type)} <= set(rnncli.__all__)


def test_every_command_is_public() -> None:
    named_otherwise = {"cells": "list_cells"}  # rnncli.cells is the package of cells
    names = [named_otherwise.get(name, name.replace("-", "_")) for name in commands() if name != "config"]
    assert set(names) <= set(rnncli.__all__)


def test_public_names_are_in_order() -> None:
    assert sorted(rnncli.__all__) == rnncli.__all__


@pytest.mark.parametrize("table", ["CELLS", "TASKS", "BASELINES", "METRICS", "READERS", "WRITERS"])
def test_every_registered_name_is_found(table: str) -> None:
    for names in tables(getattr(registry, table)):
        assert all(registry.find(names, name, table) is not None for name in names)


def tables(found: dict[str, Any]) -> list[dict[str, str]]:
    """A table of the registry, or those of each task."""
    return [names for names in found.values() if isinstance(names, dict)] or [found]


@pytest.mark.parametrize("table", ["BASELINES", "METRICS"])
def test_every_task_has_metrics_and_baselines_of_its_own(table: str) -> None:
    assert set(registry.TASKS) <= set(getattr(registry, table))


def test_help_loads_nothing_heavy(loaded_by: Callable[..., set[str]]) -> None:
    assert loaded_by("--help") == set()


def test_version_loads_nothing_heavy(loaded_by: Callable[..., set[str]]) -> None:
    assert loaded_by("--version") == set()


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "inspect-gradients", "info"])
def test_help_of_a_command_loads_nothing_heavy(loaded_by: Callable[..., set[str]], command: str) -> None:
    assert loaded_by(command, "--help") == set()


def test_completion_loads_nothing_heavy(loaded_by: Callable[..., set[str]]) -> None:
    typed = {"_RNNCLI_COMPLETE": "complete_bash", "COMP_WORDS": "rnncli tr", "COMP_CWORD": "1"}
    assert loaded_by("tr", **typed) == set()


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_predict_loads_neither_torch_nor_pandas(
    loaded_by: Callable[..., set[str]], small_model: Path, sample_data: Path, tmp_path: Path, suffix: str
) -> None:
    data = sample_data / "co2_weekly.csv"
    assert loaded_by("predict", data, "-m", small_model, "-o", tmp_path / f"out.{suffix}") == {"numpy", "pyarrow"}


def test_predict_works_where_torch_and_pandas_are_not_installed(
    loaded_by: Callable[..., set[str]], small_model: Path, sample_data: Path
) -> None:
    data = sample_data / "co2_weekly.csv"
    assert "torch" not in loaded_by("predict", data, "-m", small_model, hidden=("torch", "pandas"))


def test_info_loads_neither_torch_nor_pandas(loaded_by: Callable[..., set[str]], small_model: Path) -> None:
    assert not loaded_by("info", small_model) & {"torch", "pandas"}


def test_training_from_files_loads_no_pandas(
    loaded_by: Callable[..., set[str]], sample_data: Path, tmp_path: Path
) -> None:
    command = ("train", sample_data / "co2_weekly.csv", "--horizon", 4, "--hidden", 4, "--layers", 1, "--steps", 1)
    assert "pandas" not in loaded_by(*command, "-o", tmp_path / "model.safetensors")


def test_evaluating_without_a_refit_loads_neither_torch_nor_pandas(
    loaded_by: Callable[..., set[str]], small_model: Path, sample_data: Path
) -> None:
    command = ("evaluate", sample_data / "co2_weekly.csv", "-m", small_model, "--windows", 1, "--no-refit")
    assert not loaded_by(*command) & {"torch", "pandas"}
