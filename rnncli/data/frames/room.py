"""Room for a block of frames: in memory if it is small, else in a file without a name, of which the system keeps in
memory what is used.
"""

from __future__ import annotations

import errno
import os
import tempfile
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rnncli.errors import StorageFailed

SMALL = 64 << 20  # bytes that are held in memory


def room(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array to be filled. StorageFailed where the folder for temporary files has no room for it."""
    kind = np.dtype(dtype)
    size = prod(shape) * kind.itemsize
    if size <= SMALL:
        return np.empty(shape, kind)
    try:
        with tempfile.TemporaryFile(prefix="rnncli-") as file:
            _take(file.fileno(), size)
            return np.memmap(file, kind, "r+", shape=shape)
    except OSError as error:
        hint = "free some space, or name another folder: TMPDIR=FOLDER"
        raise StorageFailed(
            f"no room for {size:,} bytes of frames: {(error.strerror or str(error)).lower()}",
            where=tempfile.gettempdir(),
            hint=hint,
        ) from error


def _take(file: int, size: int) -> None:
    """Take the space now: a map cannot say that a disk is full but by ending the program."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:  # macOS has no such call
        os.ftruncate(file, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # what file systems answer that cannot
            raise
        os.ftruncate(file, size)
