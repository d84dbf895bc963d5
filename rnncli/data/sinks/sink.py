"""Where a table of results goes: a file, or what a URL leads to, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rnncli.data.writers.results import Results, Style
from rnncli.errors import UsageError
from rnncli.registry import LAKE, SINKS, WRITERS, find, local_path, scheme_of

DELTA = "delta"  # the suffix, and the key in SINKS, of Delta tables


class Sink(Protocol):
    """A place that results are written to; `name` is what messages call it, and holds no secret, `format` the one that
    is written there.
    """

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def format(self) -> str:
        """The format of what is written: a name in WRITERS."""

    def check(self) -> None:
        """UsageError or StorageFailed, before any work, if it can be known now that nothing can be written there."""

    def held(self, wait: float) -> AbstractContextManager[None]:
        """Be the one writer there, or wait up to `wait` seconds to become it. OutputLocked."""

    def refuse_existing(self) -> None:
        """OutputExists if something is there that would be replaced."""

    def write(self, results: Results, style: Style, key: str = "") -> int:
        """Write the results, whole or not at all; returns bytes, or rows where there are no bytes.

        `key` tells a run from others: of the same model and data it is the same. StorageFailed.
        """

    def put(self, pieces: Iterable[bytes]) -> int:
        """Write a document that is no table, as `write` does. UsageError where only tables can be."""

    def size(self) -> int | None:
        """Bytes of what is there; None if that is unknown."""


@dataclass(frozen=True)
class Into:
    """What was said of where results go: the format, if not by a suffix, and those that these results can have.

    In a database, the `table`; what is done where it is there (`existing`: "append", "replace" or "error"; None is what
    is usual there), and how many seconds to `wait` for another run that writes it.
    """

    format: str | None = None
    formats: tuple[str, ...] = tuple(WRITERS)
    table: str | None = None
    existing: str | None = None
    wait: float = 0.0

    def refuse_table(self, name: str) -> None:
        """UsageError where what was said is of tables in databases, and this is a file."""
        if self.table is not None or self.existing == "append":
            flag = "--table" if self.table is not None else "--if-exists append"
            raise UsageError(f"{flag} is for databases, and this is a file", where=name, hint=f"leave {flag} out")


def sink_of(output: str | os.PathLike[str], into: Into | None = None) -> Sink:
    """The sink that `-o` names: a path, or a URL. UsageError where nothing can be written to it."""
    text = os.fspath(output)
    kind = DELTA if is_delta(text) else scheme_of(text) or "file"
    found: Sink = find(SINKS, kind, "kind of output")(text, into or Into())
    return found


def is_delta(text: str) -> bool:
    """Whether a path or a URL is called like a Delta table, or is one."""
    local = local_path(text)
    return text.rstrip("/").endswith(f".{DELTA}") or (local is not None and (Path(local) / LAKE).is_dir())
