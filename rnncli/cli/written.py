"""Where a result goes: a file or a URL, whose suffix must say how if nothing else does, or standard output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Place:
    """What `-o` names, and what was said of it: see `Into`."""

    given: str | None
    format: str | None
    formats: tuple[str, ...]
    table: str | None = None
    existing: str | None = None
    wait: float = 0.0

    def checked(self) -> str | None:
        """The file or URL; None for standard output.

        Before any work, UsageError if nothing says what to write, or there is nowhere to write it; StorageFailed if it
        cannot be written.
        """
        if self.given in (None, "-", "/dev/stdout"):
            if self.table is not None:
                raise UsageError("--table is for databases, and no --output is given", hint="-o postgresql://host/db")
            return None
        self.sink.check()
        return self.given

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.sink.name

    @cached_property
    def sink(self) -> Sink:
        """The sink at the file's path or the URL."""
        from rnncli.data.sinks.sink import Into, sink_of

        assert self.given is not None
        return sink_of(self.given, Into(self.format, self.formats, self.table, self.existing, self.wait))


def file_of(path: str | None, formats: Iterable[str]) -> str | None:
    """The file, and no URL, that `-o` names for a picture or a page; None for standard output.

    Before any work, UsageError if its suffix is none of these, StorageFailed if it cannot be written.
    """
    if path in (None, "-", "/dev/stdout"):
        return None
    from rnncli.files import check_writable

    known = tuple(formats)
    if "://" in path:
        raise UsageError(f"a .{known[-1]} file is written on this machine alone, not to {path!r}", hint="copy it there")
    if Path(path).suffix.lower().removeprefix(".") not in known:
        raise UsageError(f"the suffix of {path!r} does not say what to write", hint=f"end it in .{', .'.join(known)}")
    check_writable(path)
    return path
