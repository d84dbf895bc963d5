"""`rnncli export`."""

from __future__ import annotations

from rnncli.cli.streams import Streams
from rnncli.cli.table import facts, table
from rnncli.cli.terminal import width
from rnncli.cli.written import left_alone
from rnncli.errors import OutputExists


def export(
    streams: Streams, model: str, output: str, if_exists: str | None = None, lock_wait: float | None = None
) -> None:
    """Write MODEL as an ONNX graph."""
    from rnncli.files import locked, refuse_existing
    from rnncli.workflows.export import check_output
    from rnncli.workflows.export import export as work

    check_output(output)
    with locked(output, lock_wait or 0.0):
        if if_exists in ("error", "skip"):
            try:
                refuse_existing(output)
            except OutputExists:
                if if_exists == "error":
                    raise
                left_alone(streams, output, "rnncli.export/1")
                return
        done = work(model, output=output, on_event=streams)
    outline = done.outline()
    streams.say([*facts(done.facts(), width(2)), "", *table(outline.header, outline.rows)])
    streams.result(done.to_json)
