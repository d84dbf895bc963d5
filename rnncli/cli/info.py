"""`rnncli info`."""

from __future__ import annotations

from rnncli.cli.streams import Streams
from rnncli.cli.table import facts
from rnncli.cli.terminal import width


def info(streams: Streams, model: str) -> None:
    """Say what a model file holds."""
    from rnncli.workflows.info import info as work

    found = work(model)
    text = "".join(f"{line}\n" for line in facts(found.facts, width(1)))
    streams.result(found.to_json, text.encode(errors="backslashreplace"))
