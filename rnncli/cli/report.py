"""`rnncli report`."""

from __future__ import annotations

from typing import Unpack

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.written import file_of, left_alone
from rnncli.errors import OutputExists, UsageError
from rnncli.options.types import ColumnOptions
from rnncli.registry import BASE


def report(
    streams: Streams,
    data: list[str],
    output: str,
    model: str | None = None,
    windows: int | None = None,
    from_: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    series: int | None = None,
    gradients: bool = True,
    unit: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    if_exists: str | None = None,
    lock_wait: float | None = None,
    **columns: Unpack[ColumnOptions],
) -> int:
    """Write a page about a model on DATA: what it is, how good it is beside what is simpler, and why."""
    path = file_of(output, ("html",))
    if path is None:
        raise UsageError("a report is a file", hint="-o report.html")
    from rnncli.workflows.report import report as work

    try:
        done = work(
            data,
            model or BASE,
            output=path,
            windows=windows,
            start=from_,
            until=until,
            stride=stride,
            horizon=horizon,
            refit=refit,
            series=series,
            gradients=gradients,
            unit=unit,
            device=device,
            threads=threads,
            if_exists="replace" if if_exists in (None, "replace") else "error",
            lock_wait=lock_wait,
            on_event=streams,
            **columns,
        )
    except OutputExists:
        if if_exists != "skip":
            raise
        return left_alone(streams, path, "rnncli.report/1")
    streams.say([f"wrote {path}, {len(done.page):,} bytes: {done.evaluation.report.headline()}"])
    streams.result(done.to_json)
    return SKIPPED if done.evaluation.skipped else 0
