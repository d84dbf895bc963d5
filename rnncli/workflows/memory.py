"""Memory that is free again goes back to the system, before what comes next needs its own."""

from __future__ import annotations

import ctypes
import platform


def give_back() -> None:
    """What is free: Arrow and glibc keep it for what they think comes next."""
    from pyarrow import default_memory_pool

    default_memory_pool().release_unused()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
