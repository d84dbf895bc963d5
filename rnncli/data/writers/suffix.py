"""The format that a file is written in, by its suffix."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rnncli.errors import UsageError
from rnncli.registry import WRITERS

OF_FRAMES = ("npy",)  # what only frames are written as


def format_of(path: str | os.PathLike[str], formats: Iterable[str] = tuple(WRITERS)) -> str:
    """The one of these formats that a file's suffix asks for. UsageError if it asks for none of them."""
    suffix, names = Path(path).suffix.lower().removeprefix("."), tuple(formats)
    if suffix not in names:
        raise UsageError(
            f"the suffix of {os.fspath(path)!r} does not say what to write", hint=f"end it in .{', .'.join(names)}"
        )
    return suffix
