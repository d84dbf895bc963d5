"""`rnncli plot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from rnncli.cli.streams import Streams
from rnncli.cli.terminal import clean, coloured
from rnncli.cli.written import file_of, left_alone
from rnncli.errors import OutputExists
from rnncli.options.types import ColumnOptions

if TYPE_CHECKING:
    from rnncli.workflows.plot import Plot

FORMATS = ("png", "svg", "html")
_COLOURS = {"median": "1;94", "outer": "34", "inner": "36", "actual": "33"}  # of a terminal: SGR parameters


def plot(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    forecast: str | None = None,
    output: str | None = None,
    ids: list[str] | None = None,
    series: int | None = None,
    order: Literal["worst", "largest", "first"] | None = None,
    history: int | None = None,
    unit: str | None = None,
    horizon: int | None = None,
    quantiles: tuple[float, ...] | None = None,
    future_data: list[str] | None = None,
    if_exists: str | None = None,
    lock_wait: float | None = None,
    **columns: Unpack[ColumnOptions],
) -> None:
    """Draw the history of some series, their forecast with its intervals and, where that is known, what came."""
    path = file_of(output, FORMATS)
    from rnncli.charts.picture import MOST, MOST_IN_TEXT
    from rnncli.workflows.plot import plot as work

    try:
        done = work(
            data,
            model,
            forecast=forecast,
            output=path,
            ids=ids or None,
            series=series or (MOST_IN_TEXT if path is None and not streams.json else MOST),
            order=order,
            history=history,
            unit=unit,
            horizon=horizon,
            quantiles=quantiles,
            future_data=future_data or None,
            if_exists="replace" if if_exists in (None, "replace") else "error",
            lock_wait=lock_wait,
            on_event=streams,
            **columns,
        )
    except OutputExists:
        if if_exists != "skip":
            raise
        left_alone(streams, str(path), "rnncli.plot/1")
        return
    _tell(streams, done, path)


def _tell(streams: Streams, done: Plot, path: str | None) -> None:
    if path is None:
        streams.result(done.to_json, b"" if streams.json else _drawn(done).encode(errors="backslashreplace"), safe=True)
        return
    streams.say([f"wrote {path}: {done.picture.says}"])
    streams.result(lambda: done.to_json() | {"written": True, "bytes": Path(path).stat().st_size})


def _drawn(done: Plot) -> str:
    """The picture as text, in colours where those are shown."""
    from rnncli.charts.text import text_lines

    shown = coloured()
    lines = text_lines(done.fans, done.picture.says, done.picture.unit)
    texts = ("".join(_painted(clean(run.text), run.kind, shown=shown) for run in line) for line in lines)
    return "".join(f"{text.rstrip()}\n" for text in texts)


def _painted(text: str, kind: str, *, shown: bool) -> str:
    code = _COLOURS.get(kind) if shown else None
    return f"\x1b[{code}m{text}\x1b[0m" if code else text
