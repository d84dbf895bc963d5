"""`rnncli train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import facts, number, table
from rnncli.cli.terminal import watched, width, wrapped
from rnncli.options.types import TrainOptions
from rnncli.outline import metric_name

if TYPE_CHECKING:
    from rnncli.workflows.result import Training


def train(
    streams: Streams, data: list[str], output: str, *, dry_run: bool = False, **options: Unpack[TrainOptions]
) -> int:
    """Fit a network to every series in DATA."""
    if dry_run:
        from rnncli.cli.dry_run import say
        from rnncli.workflows.dry_run import dry_train

        return say(streams, dry_train(data, output, options, streams))
    from rnncli.workflows.train import train as work

    done = work(data, output=output, on_event=streams, **options)
    streams.say(report(done))
    streams.result(done.to_json)
    return SKIPPED if done.skipped else 0


def report(done: Training) -> list[str]:
    """What was inferred, how the network compares with the naive forecasts, and where the model is."""
    size = f"{done.output}, {done.bytes:,} bytes" + (", up to date: nothing was done" if done.up_to_date else "")
    verdict = wrapped(done.verdict, width(2), "") if watched() else [done.verdict]  # a log keeps it in one line
    return ["", *facts(done.facts, width(2)), "", *validation(done), *verdict, "", f"model: {size}"]


def validation(done: Training) -> list[str]:
    """The scores on rows held out; none where nothing could be."""
    if not done.validation:
        return []
    metrics = list(next(iter(done.validation.values())))
    rows = [[name, *(number(scores[metric]) for metric in metrics)] for name, scores in done.validation.items()]
    return [*table(["validation", *map(metric_name, metrics)], rows), ""]
