"""Every option is described once, for the command line and for Python."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import rnncli
from rnncli.workflows import evaluate, options, predict
from rnncli.workflows.arguments import _taken_by
from rnncli.workflows.check import CheckOptions
from rnncli.workflows.meanings import IN_PYTHON, PANELS, in_python, meaning

GROUPS = [
    (options.ColumnOptions, "train"),
    (options.ArchitectureOptions, "train"),
    (options.InspectOptions, "inspect_gradients"),
    (options.TrainOptions, "train"),
    (predict.PredictOptions, "predict"),
    (evaluate.EvaluateOptions, "evaluate"),
    (CheckOptions, "check"),
]
FUNCTIONS = ("train", "predict", "evaluate", "inspect_gradients", "check", "info", "list_cells")
SAID = [meaning for panel in PANELS.values() for meaning in panel.values()] + list(IN_PYTHON.values())


@pytest.mark.parametrize(("group", "function"), GROUPS)
def test_every_option_of_every_group_is_described(group: type[Any], function: str) -> None:
    assert all(in_python(name, function).says for name in group.__annotations__)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_help_lists_every_argument_with_its_type_and_default(function: str) -> None:
    work = getattr(rnncli, function)
    text = inspect.getdoc(work) or ""
    for name in _taken_by(work.__wrapped__)[0]:
        entry = re.search(rf"^    {name} \(.+?\): .+?\[.+?\]$", text, re.DOTALL | re.MULTILINE)
        assert entry, name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_help_in_python_has_no_flags(function: str) -> None:
    described = (inspect.getdoc(getattr(rnncli, function)) or "").partition("\nData:")[2]
    assert "--" not in described


def test_what_is_said_is_a_sentence() -> None:
    assert all(said.says[0].isupper() and said.says.endswith((".", "...")) for said in SAID)


def test_a_default_is_a_value_or_what_it_follows_from() -> None:
    assert str(meaning("cell", "train")).endswith("[default: lstm]")
    assert str(meaning("horizon", "train")) == "Rows to forecast. [from the data]"
    assert (meaning("horizon", "train").value, meaning("alpha", "evaluate").value) == ("", "0.05")


def test_the_defaults_are_those_of_the_code() -> None:
    from rnncli.tasks.forecast import plan
    from rnncli.training import unfinished
    from rnncli.workflows import list_cells, trying

    sizes = plan.Sizes()
    assert (meaning("cell", "train").usual, meaning("activation", "train").usual) == (sizes.cell, sizes.activation)
    assert meaning("quantiles", "train").usual == ",".join(map(str, plan.DEFAULT_LEVELS))
    assert (meaning("members", "train").usual, meaning("seed", "train").usual) == (str(plan.MEMBERS), str(sizes.seed))
    assert meaning("checkpoint_every", "train").usual == f"{unfinished.EVERY:g}s"
    assert (meaning("inputs", "cells").usual, meaning("hidden", "cells").usual) == (
        str(list_cells.INPUTS),
        str(list_cells.HIDDEN),
    )
    assert f"{trying.STEPS}, or {trying.MEMORY_STEPS} " in meaning("try_steps", "inspect_gradients").usual
    assert meaning("alpha", "evaluate").usual == str(evaluate.ALPHA)


def test_importing_the_package_reads_no_meanings(run_python: Any) -> None:
    code = "import sys, rnncli; print([name for name in sys.modules if name.startswith('rnncli.')])"
    assert run_python("-c", code).stdout == "[]\n"


def test_what_a_model_knows_is_not_found_in_the_data_again() -> None:
    usual = [meaning("time", command).usual for command in ("train", "predict", "evaluate", "check")]
    assert usual == ["(found in the data)", "(as in training)", "(as in training)", "(found in the data)"]
