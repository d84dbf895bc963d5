"""Results in a file, or in one's URL: file:///data/forecast.csv."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from rnncli import files
from rnncli.data.schemes.file import path_of
from rnncli.data.sinks.sink import Into, Sink
from rnncli.data.writers.results import Results, Style, pieces
from rnncli.data.writers.suffix import format_of
from rnncli.errors import UsageError
from rnncli.registry import scheme_of

IN_PARTS = ("csv", "jsonl", "parquet", "arrow")  # formats


def takes_parts(sink: Sink, style: Style) -> bool:
    """Whether what is written there can be made some rows at a time."""
    return isinstance(sink, FileSink) and sink.format in IN_PARTS and not style.wide


def sink(text: str, into: Into) -> FileSink:
    """The file at a path or a URL, in the format that was said or that its suffix says."""
    path = text if scheme_of(text) is None else path_of(text)
    return FileSink(path, format_in(path, into))


def format_in(path: str, into: Into) -> str:
    """The format of a file: as was said, or as its suffix says. UsageError where it can have none, or is no file."""
    into.refuse_table(path)
    if into.format is not None and into.format not in into.formats:
        raise UsageError(f"this cannot be written as {into.format}", hint=f"choose from: {', '.join(into.formats)}")
    return into.format or format_of(path, into.formats)


@dataclass(frozen=True)
class FileSink:
    """A file that is either the old or the new one."""

    name: str
    format: str

    def check(self) -> None:
        """StorageFailed if it can be known now that it cannot be written."""
        files.check_writable(self.name)

    def held(self, wait: float) -> AbstractContextManager[None]:
        """Be the one writer of the file."""
        return files.locked(self.name, wait)

    def refuse_existing(self) -> None:
        """OutputExists if there is something."""
        files.refuse_existing(self.name)

    def write(self, results: Results, style: Style, key: str = "") -> int:  # noqa: ARG002  # a file is replaced whole
        """Write the table; returns its bytes."""
        made = pieces(results, self.format, style)
        return self.put(made if results.long else [b"".join(made)])

    def put(self, pieces: Iterable[bytes]) -> int:
        """Write bytes; returns how many."""
        size = sum(map(len, pieces)) if isinstance(pieces, list) else None  # so that a full disk's error says it
        files.atomic_write(self.name, b"", map(memoryview, pieces), size)
        return Path(self.name).stat().st_size

    def size(self) -> int | None:
        """The bytes of the file."""
        return Path(self.name).stat().st_size
