"""Commands that make a model and its scores again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from rnncli.options.option import REPEATED, SWITCH
from rnncli.options.table import of_command
from rnncli.tasks.reading import listed

_TABLE = "TABLE"  # stands for what has no path


def training(data: Any, model: str, settings: Mapping[str, Any]) -> str:
    """The command that trains such a model: every setting that a model keeps, whether it was said or found."""
    said = [part for option in of_command("train") for part in _flag(option, settings.get(option.name))]
    return shlex.join(["rnncli", "train", *paths(data), "-o", model, *said])


def evaluating(data: Any, model: str, settings: Mapping[str, Any]) -> str:
    """The command that prints the scores."""
    said = [part for option in of_command("evaluate") for part in _flag(option, settings.get(option.name))]
    return shlex.join(["rnncli", "evaluate", *paths(data), "-m", model, *said])


def quoted(path: str) -> str:
    """A path as a shell takes it."""
    return shlex.quote(path)


def paths(data: Any) -> list[str]:
    """The paths of data as they were given."""
    return [os.fspath(item) if isinstance(item, (str, os.PathLike)) else _TABLE for item in listed(data)]


def _flag(option: Any, value: Any) -> Iterator[str]:
    """An option as it is typed, nothing where it says nothing."""
    if value is None or value is option.on or value in ((), [], ""):
        return
    flag = f"--{option.key}"
    if option.kind is SWITCH:
        yield f"--no-{option.key}" if option.on else flag
    elif option.kind is REPEATED:
        yield from (part for one in value for part in (flag, str(one)))
    else:
        yield flag
        yield ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
