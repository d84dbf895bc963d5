"""What --dry-run prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import facts
from rnncli.cli.terminal import width
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.workflows.dry_run import DryRun

WINDOWS = {"windows": "windows", "from_": "start", "until": "until", "stride": "stride", "horizon": "horizon"}


def say(streams: Streams, found: DryRun) -> int:
    """What a command would do, for people on stderr; returns the exit code."""
    streams.say([*facts(found.facts(), width(2)), "nothing was written"])
    streams.result(found.to_json)
    return SKIPPED if found.skipped else 0


def of_predict(streams: Streams, data: list[str], model: str | None, engine: str | None, asked: dict[str, Any]) -> int:
    """What `predict` would do."""
    from rnncli.workflows.dry_run import dry_predict

    _refuse_engine(engine)
    return say(streams, dry_predict(data, model, asked.pop("output"), asked, streams))


def of_evaluate(streams: Streams, data: list[str], model: str | None, engine: str | None, asked: dict[str, Any]) -> int:
    """What `evaluate` would do."""
    from rnncli.workflows.dry_run import dry_evaluate

    _refuse_engine(engine)
    wanted = {name: asked.pop(key, None) for key, name in WINDOWS.items()} | {"refit": asked.pop("refit", True)}
    return say(streams, dry_evaluate(data, model, asked.pop("forecasts", None), wanted, asked, streams))


def _refuse_engine(engine: str | None) -> None:
    if engine is not None:
        raise UsageError(
            "--dry-run tries what one machine does, and --engine names another", hint="leave one of them out"
        )
