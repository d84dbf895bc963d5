"""`rnncli compare`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import Unpack

from rnncli.cli.evaluate import left_alone, shown
from rnncli.cli.streams import Streams
from rnncli.cli.written import Place, refuse_unwritten, stays
from rnncli.options.types import ColumnOptions, WrittenOptions


def compare(
    streams: Streams,
    data: list[str],
    models: list[str] | None = None,
    forecasts: list[str] | None = None,
    windows: int | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    alpha: float | None = None,
    by: str | None = None,
    output: str | None = None,
    out_format: str | None = None,
    out_separator: str | None = None,
    out_decimal: str | None = None,
    digits: int | None = None,
    if_exists: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    lock_wait: float | None = None,
    **columns: Unpack[ColumnOptions],
) -> int:
    """Score models and saved forecasts A, B, ... side by side on DATA."""
    from rnncli.evaluation.shown import refuse_other_grouping
    from rnncli.workflows.compare import compare as work
    from rnncli.workflows.options import style_of
    from rnncli.workflows.score_file import FORMATS

    place = Place(output, out_format, FORMATS, existing=if_exists)
    path = place.checked()
    writing: WrittenOptions = {"out_separator": out_separator, "out_decimal": out_decimal, "digits": digits}
    refuse_unwritten(path, "-o", {"out_format": out_format, **writing})
    style = asdict(style_of(writing))
    sink = None if path is None else place.sink
    with nullcontext() if sink is None else sink.held(lock_wait or 0.0):
        if sink is not None and stays(sink, if_exists):
            return left_alone(streams, sink.name, "rnncli.compare/1")
        done = work(
            data,
            models or (),
            forecasts=forecasts,
            windows=windows or 1,
            stride=stride,
            horizon=horizon,
            refit=refit,
            alpha=alpha,
            device=device,
            threads=threads,
            on_event=streams,
            **columns,
        )
        refuse_other_grouping(done.report, by)
        lines = shown(done.report, by)
        if path is not None:
            done.write(path, by=by, format=out_format, **style)
            streams.say([*lines, f"wrote the scores to {path}"])
    text = "" if path is not None else "".join(f"{line}\n" for line in lines)
    streams.result(partial(done.to_json, by=by), text.encode(errors="backslashreplace"))
    return 0
