"""The program `rnncli`: its commands, and the one place where errors end."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from rnncli import __version__
from rnncli.cli.command import Group, add
from rnncli.cli.evaluate import evaluate
from rnncli.cli.failure import argument_given, report
from rnncli.cli.info import info
from rnncli.cli.inspect_gradients import inspect_gradients
from rnncli.cli.predict import predict
from rnncli.cli.terminal import put
from rnncli.cli.train import train

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(cls=Group, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=_SETTINGS)


class Stopped(BaseException):
    """A signal asked us to stop; like KeyboardInterrupt it passes whatever catches errors."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _version(asked: bool) -> None:
    if asked:
        put(f"rnncli {__version__}\n".encode())
        raise typer.Exit


@app.callback()
def rnncli(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Train recurrent networks on time series, forecast, score and inspect their gradients."""


add(app, train)
add(app, predict)
add(app, evaluate)
add(app, inspect_gradients)
add(app, info)


def main() -> None:
    """Run the command line and exit with its code."""
    for name in _ONE_THREAD:  # a sum's bits depend on how many threads share it
        os.environ[name] = "1"
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while others compute: 20 times slower
    _listen()
    try:
        code = _run()
    except Stopped as stopped:
        _die(stopped.number)
    except KeyboardInterrupt:
        _die(signal.SIGINT)
    except Exception as error:  # noqa: BLE001 the one place where every error ends
        code = report(error, as_json=argument_given("--json"), debug=argument_given("--debug"))
    sys.exit(code)


def _run() -> int:
    """Parse, then run what was parsed; Typer never sees what a command raises."""
    call = get_command(app).main(prog_name="rnncli", standalone_mode=False)
    if not callable(call):
        return int(call or 0)
    call()
    return 0


def _listen() -> None:
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `rnncli predict ... | head` ends in silence
    for name in _STOPPING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _stop)


def _stop(number: int, _: Any) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # a second one stops at once
    raise Stopped(number)


def _die(number: int) -> NoReturn:
    """End by the signal, so that the shell sees why."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)
