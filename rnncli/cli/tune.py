"""`rnncli tune`."""

from __future__ import annotations

from typing import Unpack

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import facts
from rnncli.cli.terminal import width
from rnncli.cli.train import report
from rnncli.options.types import TuneOptions


def tune(
    streams: Streams,
    data: list[str],
    output: str,
    trials: int | None = None,
    time_budget: float | None = None,
    **options: Unpack[TuneOptions],
) -> int:
    """Search for the network that forecasts DATA best, and train it."""
    from rnncli.workflows.tune import TRIALS
    from rnncli.workflows.tune import tune as work

    done = work(data, output=output, trials=trials or TRIALS, time_budget=time_budget, on_event=streams, **options)
    made = [] if done.training is None else report(done.training)
    streams.say([*made, "", *facts(done.facts(), width(2))])
    streams.result(done.to_json)
    return SKIPPED if done.training is not None and done.training.skipped else 0
