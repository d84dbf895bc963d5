"""`rnncli explain`."""

from __future__ import annotations

from rnncli.cli.markdown import plain
from rnncli.cli.streams import Streams
from rnncli.cli.terminal import width


def explain(streams: Streams, name: str | None = None) -> None:
    """Say what NAME means: the id of a finding, an error, an exit code, a metric, a cell, a theme; or list them all."""
    from rnncli.workflows.explain import explain as work

    found = work(name)
    streams.result(found.to_json, "".join(f"{line}\n" for line in plain(str(found), width(1))).encode())
