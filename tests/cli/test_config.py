"""Settings from flags, the environment, a file and a model, in this order, and where each is from."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.main import get_command

from rnncli.cli import config
from rnncli.cli.app import app
from rnncli.cli.toml import written
from rnncli.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]
Shown = Callable[..., dict[str, tuple[Any, str]]]
QUICK = ("--hidden", "4", "--layers", "1", "--batch", "16", "--steps", "2", "--members", "1")
DECLARED = config.declared_by(get_command(app))


@pytest.fixture
def shown(run_rnncli: Run, environment: dict[str, str], tmp_path: Path) -> Shown:
    """What `rnncli config show` says of a command: setting -> value and origin."""

    def run(*arguments: object, **variables: str) -> dict[str, tuple[Any, str]]:
        done = run_rnncli("config", "show", *arguments, "--json", cwd=tmp_path, env=environment | variables)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["schema"] == "rnncli.config/1"
        [rows] = document["commands"].values()
        return {row["setting"]: (row["value"], row["origin"]) for row in rows}

    return run


def file(folder: Path, text: str) -> Path:
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    return path


def found(text: str, variables: Mapping[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    """What a file and an environment say to each command."""
    said = config.elsewhere(DECLARED, variables, str(file(folder, text)))
    return {command: {name: one.raw for name, one in each.items()} for command, each in said.items()}


def refused(text: str, folder: Path, **variables: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        found(text, variables, folder)
    return caught.value


# Precedence


def test_a_flag_beats_a_variable_beats_a_file_beats_the_model(shown: Shown, tmp_path: Path, small_model: Path) -> None:
    path = file(tmp_path, "horizon = 3\n[predict]\nhorizon = 4\n")
    command = ("predict", "data.csv", "-m", small_model)
    assert shown(*command)["horizon"] == (13, str(small_model))
    assert shown(*command, "--config", path)["horizon"] == (4, f"{path} [predict]")
    assert shown(*command, "--config", path, RNNCLI_HORIZON="5")["horizon"] == (5, "RNNCLI_HORIZON")
    both = {"RNNCLI_HORIZON": "5", "RNNCLI_PREDICT_HORIZON": "6"}
    assert shown(*command, "--config", path, **both)["horizon"] == (6, "RNNCLI_PREDICT_HORIZON")
    assert shown(*command, "--config", path, "--horizon", 7, **both)["horizon"] == (7, "flag")


@given(st.tuples(*[st.booleans()] * 4))
@settings(deadline=None)
def test_of_what_was_said_the_nearest_counts(tmp_path_factory: pytest.TempPathFactory, said: tuple[bool, ...]) -> None:
    top, table, variable, own = said
    text = "steps = 1\n" * top + "[train]\n" + "steps = 2\n" * table
    variables = {"RNNCLI_STEPS": "3"} if variable else {}
    variables |= {"RNNCLI_TRAIN_STEPS": "4"} if own else {}
    nearest = next((str(rank) for rank in (4, 3, 2, 1) if said[rank - 1]), None)
    assert found(text, variables, tmp_path_factory.mktemp("c"))["train"].get("steps") == nearest


def test_what_is_said_to_all_counts_where_it_means_something(tmp_path: Path) -> None:
    said = found("steps = 3\nquiet = true\n", {}, tmp_path)
    assert said["train"] == {"steps": "3", "quiet": True}
    assert said["predict"] == {"quiet": True}


def test_a_flag_turns_off_what_a_file_turned_on(shown: Shown, tmp_path: Path) -> None:
    path = file(tmp_path, "fresh = true\nrefit = true\n")
    assert shown("train", "--config", path)["fresh"] == (True, str(path))
    assert shown("train", "--config", path, "--no-fresh")["fresh"] == (False, "flag")
    assert shown("evaluate", "--config", path, "--no-refit")["refit"] == (False, "flag")


def test_an_empty_variable_says_nothing(shown: Shown) -> None:
    assert shown("train", RNNCLI_STEPS="")["steps"] == (None, "default")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("YES", True), ("true", True), ("0", False), ("no", False)])
def test_a_variable_is_a_switch(shown: Shown, text: str, value: bool) -> None:
    assert shown("train", RNNCLI_FRESH=text)["fresh"] == (value, "RNNCLI_FRESH")


def test_a_variable_names_the_file(shown: Shown, tmp_path: Path) -> None:
    file(tmp_path, "steps = 9\n")
    assert shown("train", RNNCLI_CONFIG="c.toml")["steps"] == (9, "c.toml")


# What a file may hold


def test_values_are_as_the_command_line_takes_them(tmp_path: Path) -> None:
    text = """
    as-of = 2024-05-01T06:00:00Z
    past = ["a", "b"]
    quantiles = [0.1, 0.50, 0.9]
    time_budget = "90s"
    learning-rate = 1e-3
    [predict]
    data = ["a.csv", "b.csv"]
    [evaluate]
    fail-if = ["mase>1", "wql>0.5"]
    """
    said = found(text, {}, tmp_path)
    assert said["train"]["as_of"] == "2024-05-01T06:00:00+00:00"
    assert (said["train"]["past"], said["train"]["quantiles"]) == ("a,b", "0.1,0.50,0.9")
    assert (said["train"]["time_budget"], said["train"]["learning_rate"]) == ("90s", "1e-3")
    assert said["predict"]["data"] == ["a.csv", "b.csv"]
    assert said["evaluate"]["fail_if"] == ["mase>1", "wql>0.5"]


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert found("\ufeffsteps = 3\n", {}, tmp_path)["train"] == {"steps": "3"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("horzon = 3", "no command has the option 'horzon'", "did you mean horizon?"),
        ("[train]\nwindows = 3", "[train] has no option 'windows'", "rnncli train --help"),
        ("[trian]\nsteps = 3", "there is no command for the table [trian]", "did you mean train?"),
        ("train = 3", "'train' is a command, not an option", "[train]"),
        ("steps = 0", "key 'steps' must be a whole number above 0, not '0'", ""),
        ("steps = true", "key 'steps' cannot be true or false", ""),
        ("steps = [1]", "key 'steps' cannot be a list", ""),
        ("[train.steps]\na = 1", "key 'steps' in [train] cannot be a table", ""),
        ("[train]\nsteps = 'x'", "key 'steps' in [train] must be a whole number", ""),
        ("quiet = 1", "key 'quiet' must be true or false", "without quotes"),
        ("cell = 'lstn'", "key 'cell' cannot be 'lstn'", "did you mean lstm?"),
        ("past = ['a,b', 'c']", "key 'past' has an item with a comma", ""),
        ("time-budget = 1\ntime_budget = 2", "is there twice", "leave one out"),
        ("steps = 99999999999999999999999", "must be a whole number", ""),
        ("config = 'other.toml'", "no command has the option 'config'", ""),
    ],
)
def test_what_a_file_may_not_hold(tmp_path: Path, text: str, message: str, hint: str) -> None:
    error = refused(text, tmp_path)
    assert message in error.message
    assert hint in error.hint
    assert error.where.startswith(str(tmp_path / "c.toml"))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"steps = \n", ":1:9"),
        (b"a = 1\n[train\n", ":2:"),
        (b"steps = 1\nsteps = 2\n", ":"),
        (b"# caf\xe9\n", ":1"),
        (b"a = " + b"[" * 30_000, ""),
        (b"steps = " + b"9" * 6_000, ""),
        (b"#" * 70_000, ""),
        (b"as-of = 2024-13-01", ":1"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_its_place(tmp_path: Path, data: bytes, place: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        config.elsewhere(DECLARED, {}, str(path))
    assert caught.value.where.startswith(f"{path}{place}")


@pytest.mark.parametrize("name", ["absent.toml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot read the settings"):
        config.elsewhere(DECLARED, {}, f"{tmp_path}/{name}")


def test_an_unknown_variable_is_refused(tmp_path: Path) -> None:
    error = refused("", tmp_path, RNNCLI_HORIZN="3")
    assert (error.message, error.hint) == ("RNNCLI_HORIZN sets no option", "did you mean RNNCLI_HORIZON?")


def test_a_variable_of_another_command_is_fine(tmp_path: Path) -> None:
    assert found("", {"RNNCLI_WINDOWS": "3"}, tmp_path)["train"] == {}


def test_a_wrong_value_is_refused_whoever_asks(run_rnncli: Run, environment: dict[str, str], small_model: Path) -> None:
    done = run_rnncli("info", small_model, env=environment | {"RNNCLI_STEPS": "many"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: RNNCLI_STEPS must be a whole number above 0, not 'many'\n")


def test_an_error_says_where_a_value_is_from(run_rnncli: Run, weekly: Path, tmp_path: Path) -> None:
    path = file(tmp_path, "strict = true\n")
    done = run_rnncli("train", weekly, "-o", tmp_path / "m", "--config", path)
    assert done.returncode in (2, 4)
    assert "--strict" in done.stderr


def test_json_of_a_file_counts_for_errors(run_rnncli: Run, tmp_path: Path) -> None:
    path = file(tmp_path, "json = true\n")
    done = run_rnncli("predict", tmp_path / "absent.csv", "-m", tmp_path / "absent", "--config", path)
    assert done.stdout == ""
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] in ("model", "input")


# What is printed


def test_a_printed_file_reproduces_the_training(run_rnncli: Run, weekly: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    command = ("train", weekly, *QUICK, "--horizon", "5", "--quantiles", "0.2,0.8", "--learning-rate", "3e-3")
    assert run_rnncli(*command, "-o", first).returncode == 0
    printed = run_rnncli(*command, "-o", first, "--print-config")
    assert (printed.returncode, printed.stderr) == (0, "")
    path = file(tmp_path, printed.stdout)
    done = run_rnncli("train", "--config", path, "-o", second)
    assert done.returncode == 0, done.stderr
    assert second.read_bytes() == first.read_bytes()


def test_a_printed_file_runs_as_it_is(run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    command = ("predict", weekly, "-m", small_model, "-o", output, "--horizon", "3", "--tidy")
    path = file(tmp_path, run_rnncli(*command, "--print-config").stdout)
    assert not output.exists()
    assert run_rnncli("predict", "--config", path).returncode == 0
    assert len(output.read_text().splitlines()) == 1 + 3 * 9


@pytest.mark.parametrize("command", sorted(DECLARED))
def test_every_command_prints_a_file_that_it_takes(run_rnncli: Run, tmp_path: Path, command: str) -> None:
    needed = {
        "train": ("d.csv", "-o", "m"),
        "report": ("d.csv", "-m", "m", "-o", "r.html"),
        "info": ("m",),
        "cells": (),
        "explain": (),
    }
    printed = run_rnncli(command, *needed.get(command, ("d.csv", "-m", "m")), "--print-config").stdout
    path = file(tmp_path, printed)
    again = run_rnncli(command, "--config", path, "--print-config").stdout
    assert tomllib.loads(again) == tomllib.loads(printed) != {}


@given(st.lists(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.booleans())))
def test_what_is_written_is_read_again(values: list[Any]) -> None:
    assert tomllib.loads(f"a = {written(values)}")["a"] == values


# What is shown


def test_without_a_command_all_that_is_said_is_shown(
    run_rnncli: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    path = file(tmp_path, "horizon = 3\n[train]\nsteps = 5\n")
    done = run_rnncli("config", "show", "--config", path, env=environment | {"RNNCLI_SEED": "7"})
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["command", "setting", "value", "origin"]
    assert ["train", "seed", "7", "RNNCLI_SEED"] in rows
    assert ["train", "steps", "5", str(path), "[train]"] in rows
    assert ["predict", "horizon", "3", str(path)] in rows


def test_nothing_that_is_said_is_nothing_that_is_shown(run_rnncli: Run) -> None:
    assert run_rnncli("config", "show").stdout.startswith("nothing is set")


def test_json_may_be_asked_for_before_the_command_is_named(run_rnncli: Run) -> None:
    before, after = run_rnncli("config", "show", "--json", "info"), run_rnncli("config", "show", "info", "--json")
    assert (before.returncode, before.stdout) == (0, after.stdout)
    assert list(json.loads(before.stdout)["commands"]) == ["info"]


def test_an_unknown_command_is_answered_with_a_near_one(run_rnncli: Run) -> None:
    done = run_rnncli("config", "show", "tran")
    assert (done.returncode, done.stderr) == (2, "error: there is no command 'tran'\nhint: did you mean train?\n")


def test_showing_runs_nothing(run_rnncli: Run, weekly: Path, tmp_path: Path) -> None:
    done = run_rnncli("config", "show", "train", weekly, "-o", tmp_path / "m")
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["predict", "train", "info", "check", "evaluate"])
def test_a_pipe_is_no_file_of_settings(run_rnncli: Run, tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run_rnncli(command, "x", "--config", tmp_path / "pipe")
    assert done.returncode == 2
    assert f"error: {tmp_path / 'pipe'}: settings are read from a file, not from a pipe" in done.stderr


def test_a_pipe_that_the_environment_names_is_none_either(
    run_rnncli: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    variables = environment | {"RNNCLI_CONFIG": str(tmp_path / "pipe")}
    assert run_rnncli("cells", env=variables).returncode == 2


def test_the_null_device_says_nothing(tmp_path: Path) -> None:
    assert config.elsewhere(DECLARED, {}, "/dev/null") == {command: {} for command in DECLARED}


def test_what_a_shell_opened_is_a_file_of_settings(environment: dict[str, str], tmp_path: Path) -> None:
    line = f"{sys.executable} -m rnncli config show train a.csv -o m --config <(sleep 1; echo 'horizon = 7')"
    done = subprocess.run(
        ["bash", "-c", line], check=False, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"horizon +7 +/dev/fd/", done.stdout)
