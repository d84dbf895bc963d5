"""`rnncli export`."""

from __future__ import annotations

from pathlib import Path

from rnncli.cli.evaluate import left_alone
from rnncli.cli.streams import Streams
from rnncli.cli.table import facts, table
from rnncli.cli.terminal import width
from rnncli.errors import UsageError
from rnncli.files import locked, refuse_existing


def export(
    streams: Streams, model: str, output: str, if_exists: str | None = None, lock_wait: float | None = None
) -> None:
    """Write MODEL as an ONNX graph."""
    from rnncli.workflows.export import export as work

    if if_exists == "append":
        raise UsageError("--if-exists append is for tables of a database", hint="--if-exists replace, skip or error")
    with locked(output, lock_wait or 0.0):
        if if_exists == "error":
            refuse_existing(output)
        if if_exists == "skip" and Path(output).exists():
            left_alone(streams, output, "rnncli.export/1")
            return
        done = work(model, output=output, on_event=streams)
    outline = done.outline()
    streams.say([*facts(done.facts(), width(2)), "", *table(outline.header, outline.rows)])
    streams.result(done.to_json)
