"""What a file is written as."""

from __future__ import annotations

import os
from pathlib import Path

from rnncli.errors import UsageError
from rnncli.registry import WRITERS


def format_of(path: str | os.PathLike[str]) -> str:
    """The writer that a suffix asks for. UsageError if there is none."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in WRITERS:
        raise UsageError(
            f"the suffix of {os.fspath(path)!r} does not say what to write", hint=f"end it in .{', .'.join(WRITERS)}"
        )
    return suffix
