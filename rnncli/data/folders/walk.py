"""The folders below one, those that links lead to among them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from rnncli.files import folder_mark


def is_hidden(name: str) -> bool:
    """Whether a folder or a file of a table is hidden, or one that a writer left for itself."""
    return name.startswith((".", "_"))


def walked(
    folder: Path, failed: Callable[[OSError], None], passed_over: Callable[[str], bool] = is_hidden
) -> Iterator[tuple[Path, list[str]]]:
    """The folder, and each one below it that is not `passed_over` by its name, with the names of what are no folders.

    `failed` is told of folders that cannot be listed, and of links that lead to a folder above them; unless it raises,
    these are left out.
    """
    above = {str(folder): frozenset([folder_mark(folder)])}
    for path, folders, files in os.walk(folder, onerror=failed, followlinks=True):
        marks = above.pop(path)
        names, folders[:] = sorted(name for name in folders if not passed_over(name)), []
        for name in names:
            inner = os.path.join(path, name)  # noqa: PTH118  # as os.walk calls it
            mark = folder_mark(inner)
            if mark in marks:
                failed(OSError(errno.ELOOP, "a link leads to a folder above it", inner))
                continue
            above[inner] = marks | {mark}
            folders.append(name)
        yield Path(path), files
