"""`rnncli compare`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Unpack

from rnncli.cli.evaluate import existing, shown
from rnncli.cli.streams import Streams
from rnncli.cli.written import file_of
from rnncli.files import locked
from rnncli.options.types import ColumnOptions


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
    if_exists: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    lock_wait: float | None = None,
    **columns: Unpack[ColumnOptions],
) -> int:
    """Score models and saved forecasts A, B, ... side by side on DATA."""
    from rnncli.evaluation.shown import refuse_other_grouping
    from rnncli.workflows.compare import compare as work
    from rnncli.workflows.score_file import FORMATS

    path = file_of(output, FORMATS)
    with locked(path, lock_wait or 0.0):
        if path is not None and if_exists in ("error", "skip") and Path(path).exists():
            return existing(streams, path, if_exists, "rnncli.compare/1")
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
            done.write(path, by=by)
            streams.say([*lines, f"wrote the scores to {path}"])
    text = "" if path is not None else "".join(f"{line}\n" for line in lines)
    streams.result(partial(done.to_json, by=by), text.encode(errors="backslashreplace"))
    return 0
