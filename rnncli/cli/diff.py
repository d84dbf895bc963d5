"""`rnncli diff`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

from rnncli.cli.evaluate import left_alone
from rnncli.cli.streams import Streams
from rnncli.cli.table import facts, table
from rnncli.cli.terminal import clean
from rnncli.cli.written import Place, refuse_unwritten, stays
from rnncli.options.types import WrittenOptions

if TYPE_CHECKING:
    from rnncli.workflows.diff import Diff


def diff(
    streams: Streams,
    tables: list[str],
    time: str | None = None,
    id: list[str] | None = None,  # noqa: A002 as the option is called
    time_format: str | None = None,
    series: int | None = None,
    fail_if: list[str] | None = None,
    output: str | None = None,
    out_format: str | None = None,
    out_separator: str | None = None,
    out_decimal: str | None = None,
    digits: int | None = None,
    if_exists: str | None = None,
    lock_wait: float | None = None,
) -> None:
    """Say what moved from the saved forecast OLD to NEW: series, medians, intervals; short enough for a mail."""
    from rnncli.workflows.diff import SHOWN
    from rnncli.workflows.diff import diff as work
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
            left_alone(streams, sink.name, "rnncli.diff/1")
            return
        done = work(
            tables,
            time=time,
            id=id,
            time_format=time_format,
            series=series or SHOWN,
            fail_if=fail_if or (),
            on_event=streams,
        )
        lines = shown(done)
        if path is not None:
            done.write(path, format=out_format, **style)
            streams.say([*lines, f"wrote what moved to {path}"])
    text = "" if path is not None else "".join(f"{line}\n" for line in lines)
    streams.result(done.to_json, text.encode(errors="backslashreplace"))
    done.refuse()


def shown(done: Diff) -> list[str]:
    """What moved, as lines."""
    outline = done.outline()
    rows = [[clean(cell) for cell in row] for row in outline.rows]
    most = ["", *table(outline.header, rows)] if rows else []
    return [outline.title, "", *facts(outline.facts), *most, *([outline.more] if outline.more else [])]
