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


def command(name: str, data: Any, settings: Mapping[str, Any], *more: str) -> str:
    """A command on data as it is typed, with every setting that says something, whether it was said or found."""
    said = [part for option in of_command(name) for part in _flag(option, settings.get(option.name))]
    return shlex.join(["rnncli", name, *paths(data), *more, *said])


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
