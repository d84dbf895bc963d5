"""`rnncli diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from rnncli.cli.streams import Streams
from rnncli.cli.table import facts, table
from rnncli.cli.terminal import clean
from rnncli.cli.written import ScoreFile, scored

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
    **options: Unpack[ScoreFile],
) -> None:
    """Say what moved from the saved forecast OLD to NEW: series, medians, intervals; short enough for a mail."""
    from rnncli.workflows.diff import SHOWN
    from rnncli.workflows.diff import diff as work

    def made() -> Diff:
        return work(
            tables,
            time=time,
            id=id,
            time_format=time_format,
            series=series or SHOWN,
            fail_if=fail_if or (),
            on_event=streams,
        )

    done = scored(streams, options, "rnncli.diff/1", "what moved", made, shown)
    if done is not None:
        done.refuse()


def shown(done: Diff) -> list[str]:
    """What moved, as lines."""
    outline = done.outline()
    rows = [[clean(cell) for cell in row] for row in outline.rows]
    most = ["", *table(outline.header, rows)] if rows else []
    return [outline.title, "", *facts(outline.facts), *most, *([outline.more] if outline.more else [])]
