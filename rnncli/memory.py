"""Memory that is free again goes back to the system, before what comes next needs its own."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """What is free: Arrow and glibc keep it for what they think comes next."""
    from pyarrow import default_memory_pool

    default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
