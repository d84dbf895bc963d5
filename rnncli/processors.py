"""Work shared out among the processors: each process takes the next piece, and writes what it makes where all see it.

NumPy holds Python's lock between its small steps, so threads would wait for one another; processes that are forked see
what there is without a copy. What is made does not depend on who made it.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import numpy as np

from rnncli.arrays import Floats

PIECES = 1_024  # numbers that any pipe holds
EACH = 2  # pieces at least for each process
_NUMBER = struct.Struct("=I")
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def available_cpus() -> int:
    """The number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shared_array(*shape: int) -> Floats:
    """An array of zeros that processes which are forked write to together."""
    size = int(np.prod(shape))
    return np.frombuffer(mmap.mmap(-1, max(1, 8 * size)), np.float64, size).reshape(shape)


def share_out(work: Callable[[int], None], count: int, workers: int) -> None:
    """Do work(0) ... work(count - 1), each once, in up to so many processes; what it makes goes to shared arrays.

    Where a process fails, all is done again in this one, and raises what it raises.
    """
    workers = min(workers, count // EACH) if sys.platform == "linux" else 1
    if workers < 2:
        for number in range(count):
            work(number)
        return
    waiting, put = os.pipe()
    pieces = min(count, PIECES)
    os.write(put, b"".join(map(_NUMBER.pack, range(pieces))))
    os.close(put)

    def take() -> None:
        while taken := os.read(waiting, _NUMBER.size):
            piece = _NUMBER.unpack(taken)[0]
            for number in range(piece * count // pieces, (piece + 1) * count // pieces):
                work(number)

    children, failed = list[int](), False
    try:
        with _signals_held():
            children += _forked(take, workers - 1)
        take()
        while children:
            failed |= os.waitpid(children[-1], 0)[1] != 0
            children.pop()
    finally:
        os.close(waiting)
        for child in children:
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    if failed:
        for number in range(count):
            work(number)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Signals that stop a program come after this, for a process that is just forked would take them as its parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _forked(work: Callable[[], None], most: int) -> list[int]:
    """So many processes that do some work, or fewer where the system allows no more."""
    made: list[int] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child computes with NumPy alone
        with suppress(OSError):
            while len(made) < most:
                child = os.fork()
                if not child:
                    _work_and_end(work)
                made.append(child)
    return made


def _work_and_end(work: Callable[[], None]) -> NoReturn:
    """Work, and nothing of what the parent would do at an end."""
    try:
        _die_with_parent()
        work()
        os._exit(0)
    finally:
        os._exit(1)


def _die_with_parent() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    for number in _STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
