"""A document that goes on: text of tokens that are drawn one after the other, told as they are made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from rnncli import files
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.writers.results import Results, Style, StyleOptions
from rnncli.errors import SeriesRefused, UsageError
from rnncli.events import Generated, Listener, Noted
from rnncli.outline import Outline, shown
from rnncli.tasks.tokens.event_lines import EventLines
from rnncli.tasks.tokens.generate import Drawing, generated, generated_events
from rnncli.tasks.tokens.stateful import Reading, Stream
from rnncli.tasks.tokens.stream import TokenState
from rnncli.tasks.tokens.text import Joining
from rnncli.tasks.tokens.token_model import TokenModel

SCHEMA = "rnncli.predict/1"
OUTLINED = 200  # letters


@shown
@dataclass(frozen=True)
class Continuation:
    """The `text` of so many tokens with which a document goes on; bytes that are no UTF-8 stand in it as Python's
    surrogate escapes.
    """

    text: str
    rows: int
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()
    series: int = 1

    def results(self, style: Style) -> Results:  # noqa: ARG002
        """UsageError: a text is no table."""
        raise UsageError("what --generate makes is a text, not a table", hint="leave --output out: > FILE keeps it")

    def encode(self, format: str = "csv", **style: Unpack[StyleOptions]) -> bytes:  # noqa: A002, ARG002
        """The text as bytes, whatever the format."""
        return self.text.encode("utf-8", "surrogateescape")

    def pieces(self, format: str = "csv", **style: Unpack[StyleOptions]) -> Iterator[bytes]:  # noqa: A002
        """The text as bytes, in one piece."""
        return iter([self.encode(format, **style)])

    def write(self, path: str | os.PathLike[str], **style: Unpack[StyleOptions]) -> int:  # noqa: ARG002
        """Write the text to a file, whole or not at all; returns its bytes."""
        data = self.encode()
        files.atomic_write(path, data)
        return len(data)

    def remarks(self, format: str) -> tuple[str, ...]:  # noqa: A002, ARG002
        """Nothing is to be said of the text."""
        return ()

    def __str__(self) -> str:
        return self.text

    def outline(self) -> Outline:
        """How the text begins."""
        return Outline("Continuation", [("tokens", f"{self.rows:,}"), ("text", self.text[:OUTLINED])])

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return {
            "schema": SCHEMA,
            "task": "tokens",
            "answer": "text",
            "text": self.text,
            "tokens": self.rows,
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
            "notes": list(self.notes),
        }


def continued(loaded: Loaded, reading: Reading, count: int, drawing: Drawing, tell: Listener) -> Continuation:
    """The text of up to so many tokens, told piece by piece as it is made. UsageError for more than one document."""
    panel, model = loaded.panel, reading.model.model
    if len(panel) != 1:
        raise UsageError(
            f"--generate goes on from one document, and there are {len(panel):,}",
            hint="give one, or leave --generate out for the likeliest next tokens of each",
        )
    here = reading.read(panel)
    rows, parts = list[NDArray[Any]](), list[str]()
    for row, text in _pieces(model, here, count, drawing, panel.calendar.zone):
        rows += [] if row is None else [row]
        parts.append(text)
        tell(Generated(text))
    if len(rows) < count:
        tell(Noted(f"the document ended after {len(rows):,} tokens"))
    if isinstance(reading, Stream):
        reading.went_on(_of_rows(panel, rows))
    return Continuation("".join(parts), len(rows), loaded.notes, loaded.skipped)


def _pieces(
    model: TokenModel, here: TokenState, count: int, drawing: Drawing, zone: str | None
) -> Iterator[tuple[NDArray[Any] | None, str]]:
    """The rows [channels] that go on from a state with the text of each; before and behind them perhaps text alone."""
    if model.spec.timing is not None:
        lines = EventLines(model)
        yield None, lines.header
        for row in generated_events(model, here, count, drawing, zone):
            yield row, lines.text_of(row)
        return
    joining = Joining(model, here)
    if model.spec.plain:
        for code in generated(model, here, count, drawing):
            yield np.array([code]), joining.text_of(code)
    else:
        for row in generated_events(model, here, count, drawing, zone):
            yield row, joining.text_of(int(row[0]))
    yield None, joining.rest()


def _of_rows(panel: Panel, rows: list[NDArray[Any]]) -> Panel:
    """The panel's one document with other rows."""
    values = np.array(rows, panel.values.dtype).reshape(len(rows), panel.values.shape[1])
    return replace(panel, values=values, offsets=offsets_of(np.array([len(rows)])))
