"""How a failure is told: `error:` and `hint:` on stderr, JSON where it was asked for, and the exit code."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import traceback
from itertools import pairwise
from typing import Any

import typer

from rnncli.cli import memory
from rnncli.cli.config import PREFIX, switched_on
from rnncli.cli.terminal import discard_stdout, say
from rnncli.cli.watchers import say_record
from rnncli.errors import RnncliError, StorageFailed, UsageError
from rnncli.near import near

PARSING_FAILED: type[Exception] = typer.BadParameter.__mro__[1]  # Typer's class for every error of usage
_EXTRA = re.compile(r"Got unexpected extra argument\S* \((.*)\)")
_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.EBADF}


def report(error: BaseException, *, as_json: bool, as_events: bool, debug: bool) -> int:
    """Tell stderr about an error, in plain lines or as one event; returns the exit code."""
    known = explained(error)
    if as_events:
        trace = {"traceback": "".join(traceback.format_exception(error))} if debug else {}
        say_record({"event": "error"} | document(known) | trace)
    else:
        _say_plainly(error, known, debug=debug)
    if as_json:
        say(json.dumps({"error": document(known)}))
    discard_stdout()
    return known.exit_code


def document(error: RnncliError) -> dict[str, Any]:
    """An error as JSON values."""
    return {"code": error.code, "message": error.message, "hint": error.hint or None, "where": error.where or None}


def explained(error: BaseException) -> RnncliError:
    """Any error as one of ours."""
    if isinstance(error, RnncliError):
        return error
    if isinstance(error, PARSING_FAILED):
        return _of_parsing(error)
    lacking = memory.refusal(error)
    if lacking is not None:
        return lacking
    if isinstance(error, OSError) and error.errno in _STORAGE:
        return StorageFailed(f"{error.strerror}".lower(), where=str(error.filename or ""))
    return RnncliError(
        f"a bug of ours: {type(error).__name__}: {error}", hint="run it again with --debug and report what it prints"
    )


def _say_plainly(error: BaseException, known: RnncliError, *, debug: bool) -> None:
    if debug:
        say_traceback(error)
    say(f"error: {known}")
    if known.hint:
        say(f"hint: {known.hint}")


def say_traceback(error: BaseException) -> None:
    """Every line of the traceback."""
    for line in "".join(traceback.format_exception(error)).splitlines():
        say(line)


def _of_parsing(error: Any) -> UsageError:
    """Typer's error in our words."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else " ".join(["rnncli", *sys.argv[1:2]])  # Typer forgets it now and then
    if hasattr(error, "possibilities"):
        return UsageError(f"there is no option {error.option_name}", hint=_which(error, path, context))
    message = str(getattr(error, "message", error)).strip().rstrip(".")
    if context is not None and message == "Missing command":
        return UsageError("a command is missing", hint=f"{', '.join(context.command.commands)}; see rnncli --help")
    extra = _EXTRA.fullmatch(message)
    says = f"nothing is expected here: {extra[1]}" if extra else message[:1].lower() + message[1:]
    return UsageError(says, hint=f"see {path} --help")


def _which(error: Any, path: str, context: Any) -> str:
    """The option that was mistyped, or where all are listed."""
    if context is not None and context.parent is None:
        return "options follow the command: rnncli COMMAND --help lists them"
    parameters = [] if context is None else context.command.params
    known = [flag for parameter in parameters for flag in parameter.opts] or error.possibilities or []
    close = near(error.option_name.lstrip("-"), [flag[2:] for flag in known if flag.startswith("--")])
    return f"did you mean --{close}?" if close else f"{path} --help lists the options"


def switch_given(name: str) -> bool:
    """Whether a switch is on the command line or in the environment, even if those cannot be parsed."""
    return f"--{name}" in _given() or switched_on(name)


def events_given() -> bool:
    """Whether events are what stderr is to be told, as far as the command line or the environment can be read."""
    words = " ".join(_given()).replace("--log-format=", "--log-format ").split()
    said = [value for flag, value in pairwise(words) if flag == "--log-format"]
    return (said[-1] if said else os.environ.get(f"{PREFIX}LOG_FORMAT")) == "json"


def _given() -> list[str]:
    """The command line up to where options end."""
    given = sys.argv[1:]
    return given[: given.index("--")] if "--" in given else given
