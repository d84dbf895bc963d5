"""One table says it all: every option in it is a flag, a keyword, a setting, and described; there are no others."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import rnncli
from rnncli.cli import config
from rnncli.cli.app import COMMANDS, app
from rnncli.cli.command import function_at
from rnncli.cli.config_show import _rows
from rnncli.cli.streams import SAID
from rnncli.errors import UsageError
from rnncli.options import table
from rnncli.options.commands import command_of
from rnncli.options.option import HEADINGS, REPEATED, SETTINGS, SWITCH, TASKS, Option
from rnncli.options.table import OPTIONS, of_command
from rnncli.workflows import paths
from rnncli.workflows.arguments import _taken_by, fitting

PROGRAM = get_command(app)
DECLARED = config.declared_by(PROGRAM)
FUNCTIONS = (
    "train",
    "predict",
    "evaluate",
    "compare",
    "diff",
    "tune",
    "export",
    "plot",
    "report",
    "inspect_gradients",
    "check",
    "info",
    "list_cells",
    "explain",
)
IN_PYTHON = {
    name: {"inspect_gradients": "inspect-gradients", "list_cells": "cells"}.get(name, name) for name in FUNCTIONS
}
TEXTS = {
    "count": "3",
    "counts": "3,4",
    "whole": "3",
    "size": "3K",
    "number": "-3.5",
    "positive": "3.5",
    "share": "0.5",
    "level": "0.5",
    "levels": "0.1,0.9",
    "duration": "3m",
    "wait": "3m",
    "text": "some",
    "names": "a,b",
    "cells": "gru,lstm",
    "repeated": "some",
    "switch": "1",
}
OF_COMMANDS = [(command, option) for command in COMMANDS for option in of_command(command)]
SET = [(command, option) for command, option in OF_COMMANDS if option.heading != SETTINGS]
IDS = [f"{command} {option.key}" for command, option in SET]


def text_of(option: Option, model: Path) -> str:
    """A text that the option takes."""
    if option.name in ("model", "warm_start"):
        return str(model)
    return option.choices[0] if option.choices else TEXTS[option.kind.name]


def call_of(command: str, *arguments: str) -> Any:
    """What the command line is read as; nothing is missing, and nothing runs."""
    made = PROGRAM.commands[command]  # type: ignore[attr-defined]
    with (
        PROGRAM.make_context("rnncli", []) as root,
        made.make_context(command, list(arguments), parent=root, obj="showing") as inner,
    ):
        return made.invoke(inner)


@pytest.mark.parametrize(("command", "option"), SET, ids=IDS)
def test_every_option_is_a_flag_and_a_setting_that_is_shown(
    command: str, option: Option, tmp_path: Path, small_model: Path
) -> None:
    switch, text = option.kind is SWITCH, text_of(option, small_model)
    flag = [] if command in option.positional else [f"--{option.key}"]
    call = call_of(command, *flag, *([] if switch else [text]))
    value = call.settings[option.name].value
    shown = [(row.setting, row.value, row.origin) for row in _rows(call, said_only=True)]
    assert shown == [(option.key, value, "flag")]

    path = tmp_path / "c.toml"
    path.write_text(f"[{command}]\n{option.key} = {'true' if switch else repr(text)}\n")
    variables = {f"RNNCLI_{command.replace('-', '_').upper()}_{option.variable}": text}
    for said in (config.elsewhere(DECLARED, {}, str(path)), config.elsewhere(DECLARED, variables, None)):
        assert config.converted(option, said[command][option.name]) == value


def taken(function: Any) -> set[str]:
    """The parameters of the function behind a command, with those that a TypedDict lists."""
    hints = typing.get_type_hints(function)
    found = inspect.signature(function).parameters.values()
    names = {p.name for p in found if p.kind is not p.VAR_KEYWORD} - {"streams"}
    caught = [typing.get_args(hints[p.name])[0] for p in found if p.kind is p.VAR_KEYWORD]
    return names.union(*(typing.get_type_hints(options) for options in caught))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_its_options(command: str) -> None:
    passed = {option.name for option in of_command(command) if option.heading != SETTINGS} - set(SAID)
    assert passed <= taken(function_at(COMMANDS, command))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_keyword_is_in_the_table_and_the_other_way_round(function: str) -> None:
    command = command_of(function)
    listed = {option.keyword or option.name for option in OPTIONS.values() if command in option.keywords}
    assert set(_taken_by(getattr(rnncli, function).__wrapped__)[0]) == listed


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_flag_becomes_is_what_the_keyword_takes(function: str, small_model: Path) -> None:
    hints = _taken_by(getattr(rnncli, function).__wrapped__)[0]
    command, place = command_of(function), config.Place("flag", "")
    for option in of_command(command):
        if command in option.keywords:
            raw = True if option.kind is SWITCH else text_of(option, small_model)
            value = config.converted(option, config.Said([raw] if option.kind is REPEATED else raw, place))
            taken = fitting(option.key, value, hints[option.keyword or option.name])
            assert taken == (tuple(value) if isinstance(taken, tuple) else value)


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
    meant = [option for _, option in OF_COMMANDS] + [
        table.meant_by(option.name, "train") for option in OPTIONS.values()
    ]
    assert all(option.says[0].isupper() and option.says.endswith((".", "...")) for option in meant)


def test_every_heading_and_task_has_options() -> None:
    assert {option.heading for option in OPTIONS.values()} == set(HEADINGS)
    assert all(set(option.tasks) <= set(TASKS) and option.tasks for option in OPTIONS.values())


def of(name: str, command: str) -> Option:
    return next(option for option in of_command(command) if option.name == name)


def test_a_default_is_a_value_or_what_it_follows_from() -> None:
    assert str(of("cell", "train")).endswith("[default: lstm]")
    assert str(of("horizon", "train")) == "Rows to forecast. [from the data]"
    assert (of("horizon", "train").default, of("alpha", "evaluate").default) == ("", "0.05")


def test_what_a_model_knows_is_not_found_in_the_data_again() -> None:
    follows = [of("time", command).follows for command in ("train", "predict", "evaluate", "check")]
    assert follows == ["found in the data", "as in training", "as in training", "found in the data"]


def test_the_defaults_are_those_of_the_code() -> None:
    from rnncli.tasks.forecast import plan
    from rnncli.training import unfinished
    from rnncli.workflows import evaluate, list_cells, trying

    sizes = plan.Sizes()
    assert (of("cell", "train").default, of("activation", "train").default) == (plan.CELL, sizes.activation)
    assert of("quantiles", "train").default == ",".join(map(str, plan.DEFAULT_LEVELS))
    assert (of("members", "train").default, of("seed", "train").default) == (str(plan.MEMBERS), str(sizes.seed))
    assert of("checkpoint_every", "train").default == f"{unfinished.EVERY:g}s"
    assert (of("inputs", "cells").default, of("hidden", "cells").default) == (
        str(list_cells.INPUTS),
        str(list_cells.HIDDEN),
    )
    assert f"{trying.STEPS}, or {trying.MEMORY_STEPS} " in of("try_steps", "inspect-gradients").follows
    assert of("alpha", "evaluate").default == str(evaluate.ALPHA)


def test_what_a_plan_takes_from_options_are_options() -> None:
    from rnncli.tasks.plan import Sizes

    assert {field.name for field in dataclasses.fields(Sizes)} <= set(OPTIONS)


def test_paths_that_are_kept_apart_are_options() -> None:
    assert {*paths.READ, *paths.WRITTEN} <= set(OPTIONS)


def test_importing_the_package_reads_no_options(run_python: Any) -> None:
    code = "import sys, rnncli; print([name for name in sys.modules if name.startswith('rnncli.')])"
    assert run_python("-c", code).stdout == "[]\n"


# What a model settles


ODD = {
    "horizon": 5,
    "season": (7,),
    "quantiles": (0.2, 0.5, 0.7),
    "context": 9,
    "cell": "gru",
    "activation": "tanh",
    "layers": 3,
    "hidden": 6,
    "members": 3,
    "dropout": 0.25,
    "recurrent_dropout": 0.125,
    "init": "orthogonal",
    "from_scratch": True,
    "plain_stack": True,
    "layer_norm": True,
    "attention": True,
    "min": -4.0,
    "max": 4000.0,
    "steps": 11,
    "batch": 13,
    "learning_rate": 0.02,
    "clip": 0.5,
    "clip_value": 0.125,
    "tbptt": 4,
    "seed": 21,
}


@pytest.fixture(scope="module")
def odd_plan(sample_data: Path) -> tuple[Any, Any]:
    """A plan in which no option is what it is without a word, and its data."""
    from rnncli.tasks.forecast.reading import load_new
    from rnncli.workflows.options import column_choices
    from rnncli.workflows.train import make_plan

    loaded = load_new(sample_data / "us_employment.csv", column_choices(ODD), ODD, lambda _: None)
    return loaded, make_plan(loaded, ODD)


def test_the_options_of_a_plan_are_those_that_made_it(odd_plan: tuple[Any, Any]) -> None:
    from rnncli.workflows.trying import options_of

    assert options_of(odd_plan[1]) == ODD


def test_every_option_that_a_network_or_its_training_keeps_is_looked_at() -> None:
    kept = [option.name for option in OPTIONS.values() if re.match(r"(forecast|network|training)\.", option.at)]
    assert sorted(kept) == sorted(ODD)


def test_the_options_of_a_plan_make_it_again(odd_plan: tuple[Any, Any]) -> None:
    from rnncli.workflows.train import make_plan
    from rnncli.workflows.trying import options_of

    loaded, plan = odd_plan
    assert make_plan(loaded, options_of(plan)) == plan


def test_info_tells_every_option_that_a_model_keeps(small_model: Path) -> None:
    settings = rnncli.info(small_model).settings
    kept = {option.name for option in OPTIONS.values() if option.at and "forecast" in option.tasks}
    assert set(settings) == kept | {"time", "time_format"}


# What is refused


@pytest.mark.parametrize(
    ("options", "task", "message"),
    [
        ({"horizon": 3}, "labels", "--horizon is for forecasts and frames, and --label asks for labels"),
        ({"wide": True, "seed": 3}, "labels", "--wide is for forecasts, and --label asks for labels"),
        ({"min": 0.0}, "labels", "--min is for forecasts, and --label asks for labels"),
        ({"pooling": "max"}, "forecast", "--pooling is for labels, and without --label a forecast is asked for"),
        ({"grid": "4x4"}, "forecast", "--grid is for frames and labels, and without --label a forecast is asked for"),
        ({"split": "char"}, "frames", "--split is for tokens, and --frame, --grid or files of frames ask for frames"),
    ],
)
def test_an_option_of_another_task_is_refused(options: dict[str, Any], task: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        table.refuse_of_other_task(options, task)
    assert caught.value.message == message
    assert caught.value.exit_code == 2
    assert caught.value.hint.startswith("leave --")


def test_the_reason_may_be_a_model() -> None:
    with pytest.raises(UsageError, match="--horizon is for forecasts and frames, and the model makes labels"):
        table.refuse_of_other_task({"horizon": 3}, "labels", by_model=True)


@pytest.mark.parametrize(
    "options", [{}, {"horizon": None, "wide": False, "past": ()}, {"hidden": 3, "quantiles": (0.5,)}]
)
def test_what_says_nothing_or_is_for_all_is_not_refused(options: dict[str, Any]) -> None:
    table.refuse_of_other_task(options, "labels")


@pytest.mark.parametrize("option", [option for option in OPTIONS.values() if option.kind.bound], ids=lambda o: o.key)
def test_a_number_beyond_its_bound_is_refused_in_python_too(option: Option) -> None:
    name = option.keyword or option.name
    with pytest.raises(UsageError) as refused:
        table.check({name: -1})
    assert refused.value.message == f"{name.replace('_', '-')} must be {option.kind.bound}, not -1"
    assert refused.value.hint == option.instead
    table.check({name: None})
    table.check({name: 1})


def test_what_a_model_gives_is_not_given_again(sample_data: Path, small_model: Path) -> None:
    with pytest.raises(UsageError, match="--hidden describes a model, but --warm-start gives one"):
        rnncli.train(sample_data / "co2_weekly.csv", warm_start=small_model, hidden=4)
    with pytest.raises(UsageError, match="--batch describes a network, but -m gives one"):
        rnncli.inspect_gradients(sample_data / "co2_weekly.csv", small_model, batch=4)
