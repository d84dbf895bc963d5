"""The result of `predict` for any task: a table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Protocol, Unpack

from rnncli.data.sinks.sink import sink_of
from rnncli.data.writers.results import Results, Style, StyleOptions, pieces
from rnncli.errors import SeriesRefused, UsageError
from rnncli.outline import Outline


class Answer(Protocol):
    """The answer of a model to new data: a table that can be written and printed."""

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each thing that was noticed in the data."""

    @property
    def skipped(self) -> tuple[SeriesRefused, ...]:
        """Series that have no answer."""

    @property
    def series(self) -> int:
        """The number of series that have an answer."""

    @property
    def rows(self) -> int:
        """The number of rows of the table."""

    def results(self, style: Style) -> Results:
        """The table as writers take it, in the shape that was asked for. UsageError for one that it cannot have."""

    def encode(self, format: str = "csv", **style: Unpack[StyleOptions]) -> bytes:  # noqa: A002
        """The table as a file's bytes."""

    def pieces(self, format: str = "csv", **style: Unpack[StyleOptions]) -> Iterator[bytes]:  # noqa: A002
        """The bytes that `encode` gives, piece by piece."""

    def write(self, path: str | os.PathLike[str], **style: Unpack[StyleOptions]) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002
        """Lines that warn of what a file of this format does not show of the table."""

    def outline(self) -> Outline:
        """A summary for people: facts and the first rows."""

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""


class Writable:
    """What an answer whose `results` say all of it is written by."""

    def results(self, style: Style) -> Results:
        """The table as writers take it, in the shape that was asked for."""
        raise NotImplementedError

    def encode(self, format: str = "csv", **style: Unpack[StyleOptions]) -> bytes:  # noqa: A002
        """The table as a file's bytes."""
        return b"".join(self.pieces(format, **style))

    def pieces(self, format: str = "csv", **style: Unpack[StyleOptions]) -> Iterator[bytes]:  # noqa: A002
        """The bytes that `encode` gives, piece by piece."""
        asked = Style(**style)
        return pieces(self.results(asked), format, asked)

    def write(self, path: str | os.PathLike[str], **style: Unpack[StyleOptions]) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""
        asked = Style(**style)
        return sink_of(path).write(self.results(asked), asked)

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002, ARG002
        """Nothing is to be said of the table, unless an answer knows better."""
        return ()


def refuse_shapes(style: Style, made: str) -> None:
    """UsageError for a shape that only forecasts have."""
    for flag, asked in (("--tidy", style.tidy), ("--out-wide", style.wide)):
        if asked:
            raise UsageError(f"{flag} is for forecasts, and the model makes {made}", hint=f"leave {flag} out")
