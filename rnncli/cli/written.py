"""Where a result goes: a file whose suffix must say how, or standard output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rnncli.errors import UsageError


def file_of(path: str | None, formats: Iterable[str]) -> str | None:
    """The file that `-o` names; None for standard output. UsageError, before any work, if its suffix is not known."""
    if path in (None, "-", "/dev/stdout"):
        return None
    suffix = Path(path).suffix.lower().removeprefix(".")
    known = tuple(formats)
    if suffix not in known:
        raise UsageError(f"the suffix of {path!r} does not say what to write", hint=f"end it in .{', .'.join(known)}")
    return path
