"""Work in C that may take long, done beside the thread that hears signals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
_SECONDS = 5.0  # for what was cancelled to end


def patiently(work: Callable[[], T], cancel: Callable[[], object]) -> T:
    """What `work` returns or raises, done by another thread; where a signal ends the wait, `cancel` ends the work."""
    done: Future[T] = Future()
    thread = Thread(target=_fulfil, args=(done, work), daemon=True)
    thread.start()
    try:
        return done.result()
    finally:
        if not done.done():
            with suppress(Exception):  # some drivers cannot
                cancel()
            thread.join(_SECONDS)


def _fulfil(done: Future[T], work: Callable[[], T]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001  # whoever waits raises it
        done.set_exception(error)
