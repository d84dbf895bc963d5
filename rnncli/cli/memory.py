"""What a limit of memory (`ulimit -v`, prlimit) asks for: libraries must not end the process in their own way."""

from __future__ import annotations

import errno
import os
import platform
import re

from rnncli.errors import InputRefused, RnncliError

RESERVE = 340 << 20  # bytes: what a forecast takes from here on; with less, Arrow and OpenBLAS end the process
OF_TORCH = 1200 << 20  # bytes: what PyTorch and the smallest training map; with less, their threads end the process
TRAINING = ("train", "inspect-gradients")
THREADS = 3  # multiply matrices with NumPy at once in training: OpenBLAS has a buffer for each
STARVED = 16 << 20
M_ARENA_MAX = -8
_SIGNS = re.compile(r"allocate memory|map segment|bad_alloc|start new thread|create a primitive", re.IGNORECASE)


def is_limited() -> bool:
    """Whether the memory of this process has a limit of its own."""
    try:
        import resource
    except ImportError:
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def prepare() -> None:
    """Before Arrow is imported: its own allocator would reserve a gigabyte of a limited address space, and glibc 64 MiB
    for every thread.
    """
    if is_limited():
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        _share_one_arena()


def _share_one_arena() -> None:
    """Have all threads allocate from one arena, where the C library is glibc."""
    if platform.libc_ver()[0] == "glibc":
        import ctypes

        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def reserve(command: str) -> None:
    """Before any data are read: OpenBLAS gets its buffers while there is memory. MemoryError if there is too little."""
    if not is_limited():
        return
    from rnncli.data.limits import memory_left

    trains = command in TRAINING
    if (memory_left() or 0) < (OF_TORCH if trains else RESERVE):
        raise MemoryError
    _fill_buffers(THREADS if trains else 1)


def _fill_buffers(count: int) -> None:
    """Have OpenBLAS map the buffers of so many threads, which it keeps: without one it ends the process."""
    from threading import Barrier, Thread

    import numpy as np

    square = np.ones((256, 256), np.float32)  # small ones take no buffer
    together = Barrier(count)

    def multiply() -> None:
        together.wait()
        for _ in range(8):
            np.matmul(square, square)

    threads = [Thread(target=multiply) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def refusal(error: BaseException) -> RnncliError | None:
    """The error for people, if memory is what was lacking."""
    lacking = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    if not lacking and not _SIGNS.search(str(error)) and not _starved():
        return None
    return InputRefused(
        f"there is not enough memory{_left()}",
        hint="give fewer series or columns at a time, a smaller --batch or --context, or this program more memory",
    )


def _starved() -> bool:
    """Whether so little is left of a limit that a library has failed in whatever way."""
    from rnncli.data.limits import memory_left

    return is_limited() and (memory_left() or 0) < STARVED


def _left() -> str:
    try:
        from rnncli.data.limits import memory_left, shown

        left = memory_left()
    except (MemoryError, ImportError):
        return ""
    return "" if left is None else f": {shown(left)} are left"
