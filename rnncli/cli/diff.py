"""`rnncli diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.cli.evaluate import existing
from rnncli.cli.streams import Streams
from rnncli.cli.table import facts, table
from rnncli.cli.terminal import clean
from rnncli.cli.written import file_of
from rnncli.files import locked

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
    if_exists: str | None = None,
    lock_wait: float | None = None,
) -> None:
    """Say what moved from the saved forecast OLD to NEW: series, medians, intervals; short enough for a mail."""
    from rnncli.workflows.diff import SHOWN
    from rnncli.workflows.diff import diff as work
    from rnncli.workflows.score_file import FORMATS

    path = file_of(output, FORMATS)
    with locked(path, lock_wait or 0.0):
        if path is not None and if_exists in ("error", "skip") and Path(path).exists():
            existing(streams, path, if_exists, "rnncli.diff/1")
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
            done.write(path)
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
