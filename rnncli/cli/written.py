"""Where a result goes: a file or a URL, whose suffix must say how if nothing else does, or standard output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rnncli.errors import OutputExists, UsageError

if TYPE_CHECKING:
    from rnncli.data.sinks.sink import Sink


def refuse_unwritten(path: str | None, flag: str, given: Mapping[str, object]) -> None:
    """UsageError where an option says how a file is written, and none is: it would be named by `flag`."""
    said = next((name for name, value in given.items() if path is None and value is not None), None)
    if said is not None:
        name = said.replace("_", "-")
        raise UsageError(f"--{name} says how a file is written, and none is", hint=f"name one: {flag} FILE")


def stays(sink: Sink, if_exists: str | None) -> bool:
    """Whether something is there already that is to stay. OutputExists where that is an error."""
    if if_exists not in ("error", "skip"):
        return False
    try:
        sink.refuse_existing()
    except OutputExists:
        if if_exists == "error":
            raise
        return True
    return False


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
