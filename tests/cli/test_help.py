"""What --help shows: options under headings with their defaults, examples that run, themes that there are."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import rnncli
from rnncli.cli.app import COMMANDS, SHORTS
from rnncli.cli.command import SHORTEST, options_of
from rnncli.cli.examples import ENDINGS

Run = Callable[..., subprocess.CompletedProcess[str]]
SCREENS = [(), *((name,) for name in SHORTS), ("config", "show")]


@pytest.fixture
def help_of(run_rnncli: Run, environment: dict[str, str]) -> Callable[..., str]:
    def shown(*command: str) -> str:
        done = run_rnncli(*command, "--help", env=environment | {"COLUMNS": "80"})
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return shown


@pytest.mark.parametrize("command", SCREENS)
def test_a_help_fits_80_columns_and_ends_in_examples_and_themes(help_of: Callable[..., str], command: tuple) -> None:
    text = help_of(*command)
    assert max(map(len, text.splitlines())) <= 80
    assert "..." not in text.partition("Commands:")[2]
    ending = ENDINGS[" ".join(command)]
    assert text.endswith("\n".join(ending.lines()) + "\n")


def test_the_options_of_train_stand_under_headings(help_of: Callable[..., str]) -> None:
    headings = re.findall(r"^([A-Z]\w+):$", help_of("train"), re.MULTILINE)
    assert headings == ["Data", "Network", "Training", "Output", "Unattended", "Settings", "Examples"]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_is_shown_with_what_it_means_and_its_default(help_of: Callable[..., str], command: str) -> None:
    text = " ".join(help_of(command).split())
    for option in options_of(command).values():
        if command not in option.positional:
            assert " ".join(str(option).split()) in text, option.key


def test_a_default_is_a_value_or_what_it_follows_from(help_of: Callable[..., str]) -> None:
    text = " ".join(help_of("train").split())
    assert "Rows to forecast. [from the data]" in text
    assert "[default: lstm]" in text
    assert "[required]" in text


@pytest.mark.parametrize("command", sorted(name for name in ENDINGS if name in COMMANDS))
def test_every_example_can_be_typed(run_python: Run, tmp_path: Path, environment: dict[str, str], command: str) -> None:
    import sys

    for example in ENDINGS[command].examples:
        typed = example.replace("rnncli ", f"{sys.executable} -m rnncli ") + " --print-config"
        (tmp_path / "sales.csv").write_text("")
        done = subprocess.run(["sh", "-c", typed], cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_every_theme_can_be_explained() -> None:
    themes = {entry.name for entry in rnncli.explain().entries if entry.kind == "theme"}
    assert {theme for ending in ENDINGS.values() for theme in ending.themes} <= themes


def test_what_a_command_does_fits_beside_its_name() -> None:
    assert all(len(says) <= SHORTEST for says in SHORTS.values())


@pytest.mark.parametrize(
    ("typed", "meant"), [("--horizn", "--horizon"), ("--lerning-rate", "--learning-rate"), ("--Horizon", "--horizon")]
)
def test_a_mistyped_option_is_answered_with_the_one_that_was_meant(run_rnncli: Run, typed: str, meant: str) -> None:
    assert run_rnncli("train", "x.csv", "-o", "m", typed, "3").stderr.endswith(f"hint: did you mean {meant}?\n")


@pytest.mark.parametrize("typed", ["--rows", "--epochs", "--lr", "--verbosity"])
def test_another_option_is_not_pointed_at(run_rnncli: Run, typed: str) -> None:
    assert run_rnncli("train", "x.csv", "-o", "m", typed, "3").stderr.endswith(
        "rnncli train --help lists the options\n"
    )


def test_settings_show_a_default_or_what_it_follows_from(run_rnncli: Run) -> None:
    rows = [line.split(maxsplit=2) for line in run_rnncli("config", "show", "evaluate").stdout.splitlines()]
    shown = {row[1]: row[2] for row in rows}
    assert shown["alpha"].split() == ["0.05", "default"]
    assert shown["stride"].startswith("(the horizon)")
