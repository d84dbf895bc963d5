"""Signals and the clock: where a run may be stopped, and how it ends then.

A signal stops a command where it stands, but a training only between two of its events, when it can be kept.
"""

from __future__ import annotations

import os
import signal
from typing import Any, NoReturn

from rnncli import launched
from rnncli.training.events import Finished, Started, Stepped

_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


class Stopped(BaseException):
    """A signal asked us to stop; like KeyboardInterrupt it passes whatever catches errors."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def timed_out(self) -> bool:
        """Whether it was the clock of `--timeout`."""
        return self.number == signal.SIGALRM


class _State:
    """What the handler knows: it is called anywhere."""

    pending: int | None = None
    waits = 0  # phases of a training that are under way: it stops at the next event


_state = _State()


def listen() -> None:
    """Take the signals that stop a program; one that is ignored (nohup) stays so."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `rnncli predict ... | head` ends in silence
    for name in _STOPPING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def after(seconds: float) -> None:
    """Stop like that when this time is over."""
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def at_event(event: object) -> None:
    """Stop here if that was asked for; from a training's start to its end it is asked for only at events."""
    if isinstance(event, Started):
        _state.waits += 1
    elif isinstance(event, Finished):
        _state.waits -= 1
    elif isinstance(event, Stepped):
        _state.pending = launched.agreed(_state.pending or 0) or None  # all processes of a training stop at one step
    at_rest()


def at_rest() -> None:
    """Stop here if that was asked for."""
    if _state.pending is not None:
        number, _state.pending, _state.waits = _state.pending, None, 0
        raise Stopped(number)


def die(number: int) -> NoReturn:
    """End by the signal, so that the shell sees why."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)


def _stop(number: int, _: Any) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one stops at once
    _state.pending = number
    if not _state.waits:
        at_rest()
