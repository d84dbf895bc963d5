"""Values and settings as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rnncli import __version__
from rnncli.cli.config import Setting
from rnncli.cli.terminal import clean
from rnncli.errors import UsageError

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def document(command: str, settings: Iterable[Setting]) -> str:
    """A file that says again all that was said to a command, and why it is so; what is left out was said nowhere."""
    settings = list(settings)
    lines = [f"{s.option.key} = {_value(s)}  # {clean(s.origin)}" for s in settings if s.value is not None]
    silent = ", ".join(s.option.key for s in settings if s.value is None)
    head = [f"# rnncli {__version__}: rnncli {command} --config FILE", f"[{command}]"]
    left = ["# The data, the model or the defaults decide:", f"# {silent}"] if silent else []
    return "".join(f"{line}\n" for line in [*head, *lines, *left])


def _value(setting: Setting) -> str:
    if not isinstance(setting.value, float):
        return _known_text(setting)
    raw = "" if setting.said is None else str(setting.said.raw)
    return raw if _NUMBER.fullmatch(raw) else written(raw)  # 2h stays 2h


def _known_text(setting: Setting) -> str:
    try:
        return written(setting.value)
    except UnicodeEncodeError:
        raise UsageError(f"--{setting.option.key} is not UTF-8, as TOML must be", hint="rename it") from None


def written(value: Any) -> str:
    """A text, number, truth or list of them. UnicodeEncodeError for half a character."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        value.encode()
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    return repr(value)
