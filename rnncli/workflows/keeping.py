"""The file in which evaluate keeps the forecasts that it scores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnncli.data.sinks.sink import Into, sink_of
from rnncli.events import Listener, Noted
from rnncli.options.types import KeepingOptions, WrittenOptions
from rnncli.workflows.options import style_of

if TYPE_CHECKING:
    from rnncli.evaluation.kept import KeptForecasts

Keep = Callable[["KeptForecasts | None", Listener], None]


@contextmanager
def keeping(path: str | os.PathLike[str] | None, options: KeepingOptions) -> Iterator[Keep]:
    """Be the one writer of a file, if there is to be one; what comes writes forecasts to it, and tells of it.

    Before any work UsageError where nothing can be written there, OutputExists, OutputLocked or StorageFailed.
    """
    if path is None:
        yield lambda made, tell: None  # noqa: ARG005
        return
    marks: WrittenOptions = {
        "out_separator": options.get("out_separator"),
        "out_decimal": options.get("out_decimal"),
        "digits": options.get("digits"),
    }
    sink, style = sink_of(path, Into(existing=options.get("if_exists"))), style_of(marks)
    sink.check()

    def write(made: KeptForecasts | None, tell: Listener) -> None:
        if made is not None:
            sink.write(made.results(style), style)
            for line in (f"kept {made.rows:,} rows of forecasts in {sink.name}", *made.remarks(sink.format)):
                tell(Noted(line))

    with sink.held(options.get("lock_wait") or 0.0):
        if options.get("if_exists") == "error":
            sink.refuse_existing()
        yield write
