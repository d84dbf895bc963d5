"""The file in which evaluate keeps the forecasts that it scores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnncli.data.sinks.file import takes_parts
from rnncli.data.sinks.sink import Into, Sink, sink_of
from rnncli.data.writers.results import Style
from rnncli.events import Listener, Noted
from rnncli.options.types import KeepingOptions, WrittenOptions
from rnncli.workflows.options import style_of

if TYPE_CHECKING:
    from rnncli.evaluation.kept import KeptForecasts, LongKept


@dataclass(frozen=True)
class Keep:
    """What writes forecasts to a `sink` and tells of it; without one, to nowhere."""

    sink: Sink | None = None
    style: Style = field(default_factory=Style)

    @property
    def takes_parts(self) -> bool:
        """Whether the forecasts can be made some series at a time while they are written."""
        return self.sink is None or takes_parts(self.sink, self.style)

    def __call__(self, made: KeptForecasts | LongKept | None, tell: Listener) -> None:
        """Write the forecasts, if there are any."""
        if made is None or self.sink is None:
            return
        self.sink.write(made.results(self.style), self.style)
        for line in (f"kept {made.rows:,} rows of forecasts in {self.sink.name}", *made.remarks(self.sink.format)):
            tell(Noted(line))


@contextmanager
def keeping(path: str | os.PathLike[str] | None, options: KeepingOptions) -> Iterator[Keep]:
    """Be the one writer of a file, if there is to be one; what comes writes forecasts to it, and tells of it.

    Before any work UsageError where nothing can be written there, OutputExists, OutputLocked or StorageFailed.
    """
    if path is None:
        yield Keep()
        return
    marks: WrittenOptions = {
        "out_separator": options.get("out_separator"),
        "out_decimal": options.get("out_decimal"),
        "digits": options.get("digits"),
    }
    sink = sink_of(path, Into(existing=options.get("if_exists")))
    sink.check()
    with sink.held(options.get("lock_wait") or 0.0):
        if options.get("if_exists") == "error":
            sink.refuse_existing()
        yield Keep(sink, style_of(marks))
