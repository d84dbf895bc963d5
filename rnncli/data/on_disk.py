"""What does not fit into the memory lies in files in a folder that was named; they have no names, so nothing stays."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rnncli.data.limits import shown
from rnncli.errors import StorageFailed


def check_room(folder: str, size: int) -> None:
    """StorageFailed if a folder has no room for so many bytes, or is none."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageFailed(f"cannot be used: {error.strerror}", where=folder, hint="--cache names a folder") from error
    if free < size:
        raise StorageFailed(
            f"{shown(size)} are needed, and {shown(free)} are free",
            where=folder,
            hint="make room, or name another folder: --cache DIR",
        )


def unnamed_file(folder: str) -> IO[bytes]:
    """A file that is gone as soon as nobody has it open. StorageFailed."""
    try:
        return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise StorageFailed(f"cannot write: {error.strerror}", where=folder, hint="--cache names a folder") from error


def array(folder: str | None, shape: tuple[int, ...], kind: str = "float64") -> NDArray[Any]:
    """An array whose values are yet to be set: in memory or, where a folder is named, in a file in it, of which the
    system keeps in memory what there is room for. StorageFailed.
    """
    if folder is None:
        return np.empty(shape, kind)
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    check_room(folder, size)
    with unnamed_file(folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, max(1, size))  # a full disk is found now, and not by a signal
        except OSError as error:
            raise StorageFailed(f"cannot write: {error.strerror}", where=folder) from error
        return np.asarray(np.memmap(file, np.dtype(kind), "r+", shape=shape))
