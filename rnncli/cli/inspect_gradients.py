"""`rnncli inspect-gradients`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from rnncli.cli.doctor import shown
from rnncli.cli.streams import Streams
from rnncli.options.types import InspectOptions

if TYPE_CHECKING:
    from rnncli.workflows.inspect_gradients import Inspection


def inspect_gradients(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    quick: bool = False,
    try_: bool = False,
    try_steps: int | None = None,
    fail_on: tuple[str, ...] | None = None,
    plot: str | None = None,
    series: int | None = None,
    threads: int | None = None,
    **options: Unpack[InspectOptions],
) -> None:
    """Say where gradients vanish or explode, why, and which flags of train help."""
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
