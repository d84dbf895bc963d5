"""Where a result goes: a file or a URL, whose suffix must say how if nothing else does, or standard output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.data.sinks.sink import Sink


def refuse_unwritten(path: str | None, flag: str, given: Mapping[str, object]) -> None:
    """UsageError where an option says how a file is written, and none is: it would be named by `flag`."""
    said = next((name for name, value in given.items() if path is None and value is not None), None)
    if said is not None:
        name = said.replace("_", "-")
        raise UsageError(f"--{name} says how a file is written, and none is", hint=f"name one: {flag} FILE")


def place_of(path: str | None, format: str | None, formats: Iterable[str]) -> str | None:  # noqa: A002
    """The file or URL that `-o` names; None for standard output.

    Before any work, UsageError if nothing says what to write, StorageFailed if it cannot be written.
    """
    if path in (None, "-", "/dev/stdout"):
        return None
    sink_at(path, format, formats).check()
    return path


def file_of(path: str | None, formats: Iterable[str]) -> str | None:
    """The file, and no URL, that `-o` names for a picture or a page; None for standard output.

    Before any work, UsageError if its suffix is none of these, StorageFailed if it cannot be written.
    """
    if path in (None, "-", "/dev/stdout"):
        return None
    from rnncli.files import check_writable

    known = tuple(formats)
    if "://" in path:
        raise UsageError(f"pictures and pages are written on this machine alone, not to {path!r}", hint="copy it there")
    if Path(path).suffix.lower().removeprefix(".") not in known:
        raise UsageError(f"the suffix of {path!r} does not say what to write", hint=f"end it in .{', .'.join(known)}")
    check_writable(path)
    return path


def size_of(path: str, format: str | None, formats: Iterable[str]) -> int | None:  # noqa: A002
    """The bytes of what was written, where that is known."""
    return sink_at(path, format, formats).size()


def sink_at(path: str, format: str | None, formats: Iterable[str]) -> Sink:  # noqa: A002
    """The sink at a file's path or a URL."""
    from rnncli.data.sinks.sink import Into, sink_of

    return sink_of(path, Into(format, tuple(formats)))
