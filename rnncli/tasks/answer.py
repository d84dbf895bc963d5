"""The result of `predict` for any task: a table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from rnncli.errors import SeriesRefused
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

    def encode(self, format: str = "csv", *, tidy: bool = False, raw: bool = False) -> bytes:  # noqa: A002
        """The table as a file's bytes."""

    def write(self, path: str | os.PathLike[str], *, tidy: bool = False, raw: bool = False) -> int:
        """Write the file that the suffix asks for, whole or not at all; returns its bytes."""

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002
        """Lines that warn of what a file of this format does not show of the table."""

    def outline(self) -> Outline:
        """A summary for people: facts and the first rows."""

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""


@runtime_checkable
class Piecewise(Protocol):
    """An answer that can be longer than what fits into memory: its file is made piece by piece."""

    def pieces(self, format: str = "csv", *, tidy: bool = False, raw: bool = False) -> Iterator[bytes]:  # noqa: A002
        """The bytes that `encode` gives, piece by piece."""
