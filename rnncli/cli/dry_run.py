"""What --dry-run prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import facts
from rnncli.cli.terminal import width

if TYPE_CHECKING:
    from rnncli.workflows.dry_run import DryRun


def say(streams: Streams, found: DryRun) -> int:
    """What a command would do, for people on stderr; returns the exit code."""
    streams.say([*facts(found.facts(), width(2)), "nothing was written"])
    streams.result(found.to_json)
    return SKIPPED if found.skipped else 0
