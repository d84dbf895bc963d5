"""Where a result goes: a file or a URL, whose suffix must say how if nothing else does, or standard output."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnncli.data.sinks.sink import Sink


def place_of(path: str | None, format: str | None, formats: Iterable[str]) -> str | None:  # noqa: A002
    """The file or URL that `-o` names; None for standard output.

    Before any work, UsageError if nothing says what to write, StorageFailed if it cannot be written.
    """
    if path in (None, "-", "/dev/stdout"):
        return None
    sink_at(path, format, formats).check()
    return path


def size_of(path: str, format: str | None, formats: Iterable[str]) -> int | None:  # noqa: A002
    """The bytes of what was written, where that is known."""
    return sink_at(path, format, formats).size()


def sink_at(path: str, format: str | None, formats: Iterable[str]) -> Sink:  # noqa: A002
    """The sink at a file's path or a URL."""
    from rnncli.data.sinks.sink import Into, sink_of

    return sink_of(path, Into(format, tuple(formats)))
