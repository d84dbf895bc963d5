"""Settings of the torch process that cost nothing in results and were measured to save time, each with its guard.

`torch.use_deterministic_algorithms` is not among them: it imports the compiler (2 s), and recurrent layers, products
and optimisers on a CPU give the same bits without it.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rnncli.data.limits import memory_left
from rnncli.errors import UsageError
from rnncli.processors import available_cpus

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # of glibc's <malloc.h>
MALLOC = ((M_MMAP_THRESHOLD, 1 << 30), (M_TRIM_THRESHOLD, 1 << 30), (M_TOP_PAD, 64 << 20))  # bytes
TIGHT = 1 << 30  # bytes left
MOST_THREADS = 4  # the products of a small recurrent network do not fill more
PRODUCT_ERROR = 1e-6  # relative; float32 stays below it, bfloat16 (3e-3) and TF32 (1e-4) do not


def prepare(threads: int | None = None) -> dict[str, int | bool | str]:
    """Set threads, malloc, denormals and the precision of products; returns what was decided.

    `threads` is by default the number of CPUs this process may use, four at most; where memory is short it is one, for
    a thread that cannot be had ends the process. UsageError if it is below 1.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads must be at least 1, not {threads}")
    torch.set_num_threads(1 if _is_tight() else threads or min(available_cpus(), MOST_THREADS))
    return {
        "threads": torch.get_num_threads(),
        "malloc_keeps_memory": _keep_memory(),
        "flush_denormal": bool(torch.set_flush_denormal(True)),
        "matmul_precision": _choose_precision(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": str(torch.__version__),
    }


@contextmanager
def prepared(threads: int | None = None) -> Iterator[dict[str, int | bool | str]]:
    """`prepare`, and afterwards the caller's own threads, precision and denormals again; malloc stays as it is."""
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    try:
        yield prepare(threads)
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])
        torch.set_flush_denormal(False)


def _is_tight() -> bool:
    left = memory_left()
    return left is not None and left < TIGHT


def device(name: str | None) -> str:
    """The device to train on, the CPU by default. UsageError if torch does not know it, or this machine lacks it."""
    try:
        torch.zeros(1, device=name or "cpu")
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"cannot train on {name!r} ({reason})", hint="leave --device out to train on the CPU"
        ) from None
    return name or "cpu"


def _keep_memory() -> bool:
    """glibc gives a layer's workspace back after every step, and page faults then eat half the time of training; what
    reading the data left behind is given back first.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        libc = ctypes.CDLL(None)
        libc.malloc_trim(0)
        accepted = [libc.mallopt(name, size) == 1 for name, size in MALLOC]
    except (OSError, AttributeError):
        return False
    return all(accepted)


def _choose_precision() -> str:
    """Medium sends products to oneDNN, up to twice as fast where they stay float32; where they do not, highest."""
    torch.set_float32_matmul_precision("medium")
    if _product_error() > PRODUCT_ERROR:
        torch.set_float32_matmul_precision("highest")
    return torch.get_float32_matmul_precision()


def _product_error() -> float:
    """The largest error of a float32 product against float64, relative to the largest element."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(64, 256, generator=generator), torch.randn(256, 64, generator=generator)
    exact = a.double() @ b.double()
    return float(((a @ b).double() - exact).abs().max() / exact.abs().max())
