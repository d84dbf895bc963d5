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
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from rnncli.arrays import Floats

PIECES = 4_096  # numbers that a pipe holds, and more
EACH = 4  # pieces at least for each process
_NUMBER = struct.Struct("=I")
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


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

    children: list[int] = []
    try:
        children += [_forked(take) for _ in range(workers - 1)]
        take()
        ended = [os.waitpid(children.pop(), 0)[1] for _ in range(len(children))]
    finally:
        os.close(waiting)
        for child in children:
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    if any(ended):
        for number in range(count):
            work(number)


def _forked(work: Callable[[], None]) -> int:
    """The process that does some work, and nothing of what its parent would do at an end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child computes with NumPy alone
        child = os.fork()
    if child:
        return child
    try:
        _die_with_parent()
        work()
        os._exit(0)
    finally:
        os._exit(1)


def _die_with_parent() -> None:
    import ctypes

    with suppress(ValueError):  # where another thread forks
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
