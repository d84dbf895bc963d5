"""Memory that is free again goes back to the system, before what comes next needs its own."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def give_back() -> None:
    """What is free: Arrow and glibc keep it for what they think comes next."""
    from pyarrow import default_memory_pool

    default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def peak() -> int:
    """The most bytes that this process has had; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    most: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


def resident() -> int:
    """The bytes that this process has now, or has had at most where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak()
    return pages * os.sysconf("SC_PAGE_SIZE")
