"""`rnncli inspect-gradients`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from rnncli.cli.doctor import shown
from rnncli.cli.options import (
    NETWORK,
    Data,
    FailOn,
    InspectOptions,
    InspectSeries,
    ModelIfAny,
    Plot,
    Quick,
    Threads,
    Try,
    TrySteps,
)
from rnncli.cli.streams import Streams
from rnncli.errors import UsageError

if TYPE_CHECKING:
    from rnncli.workflows.inspect_gradients import Inspection


def inspect_gradients(
    streams: Streams,
    data: Data,
    model: ModelIfAny = None,
    quick: Quick = False,
    try_: Try = False,
    try_steps: TrySteps = None,
    fail_on: FailOn = None,
    plot: Plot = None,
    series: InspectSeries = None,
    threads: Threads = None,
    **options: Unpack[InspectOptions],
) -> None:
    """Say where gradients vanish or explode, why, and which flags of train help."""
    if model is not None:
        _check(options)
    from rnncli.workflows.inspect_gradients import inspect_gradients as work

    done = work(
        data,
        model,
        quick=quick,
        attempt=try_ or try_steps is not None,
        attempt_steps=try_steps,
        fail_on=fail_on or (),
        plot=plot,
        series=series,
        threads=threads,
        on_event=streams,
        **options,
    )
    _tell(streams, done)
    done.check()


def _tell(streams: Streams, done: Inspection) -> None:
    text = "".join(f"{line}\n" for line in shown(done))
    if done.plot is not None:
        streams.say([f"wrote the picture to {done.plot}"])
    streams.result(done.to_json, text.encode(errors="backslashreplace"))


def _check(options: Any) -> None:
    given = [name for name in NETWORK if options.get(name, False) is not False]
    if given:
        flag = given[0].replace("_", "-")
        raise UsageError(f"--{flag} describes a network, but -m gives one", hint=f"leave -m or --{flag} out")
