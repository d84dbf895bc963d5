"""Where a result goes: a file whose suffix must say how, or standard output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rnncli.errors import UsageError
from rnncli.files import check_writable


def file_of(path: str | None, formats: Iterable[str]) -> str | None:
    """The file that `-o` names; None for standard output.

    Before any work, UsageError if its suffix is not known, StorageFailed if it cannot be written.
    """
    if path in (None, "-", "/dev/stdout"):
        return None
    suffix = Path(path).suffix.lower().removeprefix(".")
    known = tuple(formats)
    if suffix not in known:
        raise UsageError(f"the suffix of {path!r} does not say what to write", hint=f"end it in .{', .'.join(known)}")
    check_writable(path)
    return path
