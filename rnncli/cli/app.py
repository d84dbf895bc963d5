"""The program `rnncli`: its commands, and the one place where errors end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from rnncli import launched
from rnncli.cli import memory, stopping
from rnncli.cli.command import Call, Commands, Group
from rnncli.cli.config_show import config
from rnncli.cli.failure import events_given, explained, report, switch_given
from rnncli.cli.terminal import put, say
from rnncli.cli.version import refuse_alone, said
from rnncli.cli.watchers import say_record
from rnncli.errors import TimedOut, UsageError

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")

COMMANDS = {
    "train": "rnncli.cli.train:train",
    "predict": "rnncli.cli.predict:predict",
    "evaluate": "rnncli.cli.evaluate:evaluate",
    "plot": "rnncli.cli.plot:plot",
    "report": "rnncli.cli.report:report",
    "inspect-gradients": "rnncli.cli.inspect_gradients:inspect_gradients",
    "compare": "rnncli.cli.compare:compare",
    "diff": "rnncli.cli.diff:diff",
    "tune": "rnncli.cli.tune:tune",
    "export": "rnncli.cli.export:export",
    "check": "rnncli.cli.check:check",
    "info": "rnncli.cli.info:info",
    "cells": "rnncli.cli.cells:cells",
    "explain": "rnncli.cli.explain:explain",
}
SHORTS = {  # each in a line beside its name
    "train": "Fit a network to every series in DATA.",
    "predict": "Forecast the next rows of every series in DATA.",
    "evaluate": "Score a model beside the naive forecasts.",
    "plot": "Draw history, forecast, intervals and what came.",
    "report": "Write a page about a model: scores, pictures, gradients.",
    "inspect-gradients": "Say where gradients vanish or explode, and what helps.",
    "compare": "Score models and saved forecasts side by side.",
    "diff": "Say what moved between two saved forecasts.",
    "tune": "Search for a network, and train it.",
    "export": "Write a model as an ONNX graph.",
    "check": "Say what is wrong with DATA, before anything is trained.",
    "info": "Say what a model file holds.",
    "cells": "List the recurrent cells, each with its formula and cost.",
    "explain": "Say what an id, an error or an exit code means.",
    "config": "Show settings and where they are from.",
}
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Root(Group):
    """The program: its commands are made when they are asked for."""

    shorts = SHORTS

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands(COMMANDS, self.commands)


app = typer.Typer(cls=Root, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=_SETTINGS)


def _version(asked: bool) -> None:
    if asked:
        put(said(as_json=switch_given("json")))
        raise typer.Exit


def _json(asked: bool) -> None:
    if asked and not switch_given("version"):
        refuse_alone()


@app.callback()
def rnncli(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --version: as a JSON document.", callback=_json)] = False,
) -> None:
    """Train recurrent networks on time series, forecast, score and inspect their gradients."""


app.add_typer(config, name="config")


def main() -> None:
    """Run the command line and exit with its code."""
    for name in _ONE_THREAD:  # a sum's bits depend on how many threads share it
        os.environ[name] = "1"
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while others compute: 20 times slower
    memory.prepare()
    _fill_closed_streams()
    stopping.listen()
    call: Any = None
    try:
        call = get_command(app).main(prog_name="rnncli", standalone_mode=False)
        code = _called(call)
        stopping.at_rest()
    except stopping.Stopped as stopped:
        code = _stopped(stopped, call)
    except KeyboardInterrupt:
        stopping.die(signal.SIGINT)
    except Exception as error:  # noqa: BLE001 the one place where every error ends
        code = _failed(error, call)
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End without the interpreter's own ending, which threads that Arrow still runs can abort after all is done."""
    atexit._run_exitfuncs()  # noqa: SLF001 there is no other way to call them
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _called(call: Any) -> int:
    """Run what was parsed; Typer never sees what a command raises."""
    if not callable(call):
        return int(call or 0)
    memory.reserve(getattr(call, "command", ""))
    return int(call() or 0)


def _failed(error: BaseException, call: Any) -> int:
    if not _tells():
        return explained(error).exit_code
    return _reported(error, call)


def _reported(error: BaseException, call: Any) -> int:
    return report(error, as_json=_asks(call, "json"), as_events=_wants_events(call), debug=_asks(call, "debug"))


def _tells() -> bool:
    """Whether this process says what went wrong: of several that train together one does."""
    try:
        together = launched.place() is not None
    except UsageError:  # which is what went wrong
        return True
    if not together:
        return True
    try:
        from rnncli.training.joining import tells
    except Exception:  # noqa: BLE001 PyTorch is missing, or was broken off while it was loaded
        return not launched.is_silent()
    return tells()


def _wants_events(call: Any) -> bool:
    """Whether stderr is to be told events, and nothing else."""
    return call.settings["log_format"].value == "json" if isinstance(call, Call) else events_given()


def _asks(call: Any, switch: str) -> bool:
    """Whether a switch is on; where the command could not be parsed, as far as can be seen."""
    return call.asks(switch) if isinstance(call, Call) else switch_given(switch)


def _fill_closed_streams() -> None:
    """Nothing that is opened later gets the number of a stream that was closed: a library's warning would end in it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _stopped(stopped: stopping.Stopped, call: Any) -> int:
    """End by the signal that was sent, or with the code of a time that is over."""
    if launched.is_silent():
        return TimedOut.exit_code if stopped.timed_out else stopping.die(stopped.number)
    notes = getattr(stopped, "__notes__", ())
    if stopped.timed_out:
        late = TimedOut("the time of --timeout is over", hint="; ".join(notes) or "allow more time")
        return _reported(late, call)
    if _wants_events(call):
        say_record({"event": "stopped", "signal": stopped.number, "message": "; ".join(notes) or None})
    else:
        for note in notes:
            say(f"stopped: {note}")
    return stopping.die(stopped.number)
