"""`rnncli predict`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.terminal import put
from rnncli.cli.written import file_of
from rnncli.data.writers.suffix import OF_FRAMES
from rnncli.errors import OutputExists
from rnncli.events import Generated
from rnncli.options.types import AskedOptions
from rnncli.registry import BASE, WRITERS

if TYPE_CHECKING:
    from rnncli.tasks.answer import Answer


def predict(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    output: str | None = None,
    future_data: list[str] | None = None,
    state: str | None = None,
    horizon: int | None = None,
    quantiles: tuple[float, ...] | None = None,
    point: Literal["median", "mean"] | None = None,
    tidy: bool = False,
    csv_raw: bool = False,
    plot: str | None = None,
    if_exists: str | None = None,
    max_age: float | None = None,
    now: str | None = None,
    fail_on_drift: bool = False,
    lock_wait: float | None = None,
    **asked: Unpack[AskedOptions],
) -> int:
    """Forecast the next rows of every series in DATA, label it, or go on with its text: what the model was made for."""
    path, heard = file_of(output, (*WRITERS, *OF_FRAMES)), Heard(streams)
    from rnncli.workflows.predict import predict as work

    try:
        made = work(
            data,
            model or BASE,
            output=path,
            future_data=future_data or None,
            state=state,
            horizon=horizon,
            quantiles=quantiles,
            point=point or "median",
            if_exists="replace" if if_exists in (None, "replace") else "error",
            max_age=max_age,
            now=now,
            fail_on_drift=fail_on_drift,
            lock_wait=lock_wait,
            tidy=tidy,
            csv_raw=csv_raw,
            plot=plot,
            on_event=streams if streams.json else heard,
            **asked,
        )
    except OutputExists:
        if if_exists != "skip":
            raise
        return left_alone(streams, path)
    if path is None:
        told = streams.json or heard.wrote
        streams.result(made.to_json, () if told else _pieces(made, tidy=tidy, raw=csv_raw))
    else:
        streams.say([f"wrote {made.rows:,} rows ({made.series:,} series) to {path}"])
        streams.result(partial(written, made, path))
    return SKIPPED if made.skipped else 0


class Heard:
    """A listener that writes text as soon as it is made, and knows whether it `wrote` any."""

    def __init__(self, streams: Streams) -> None:
        self._streams, self.wrote = streams, False

    def __call__(self, event: object) -> None:
        """An event."""
        if isinstance(event, Generated):
            put(event.text.encode("utf-8", "surrogateescape"))
            self.wrote = True
        self._streams(event)


def _pieces(made: Answer, *, tidy: bool, raw: bool) -> Iterable[bytes]:
    """The answer as CSV, in pieces where it may be long."""
    from rnncli.tasks.answer import Piecewise

    if isinstance(made, Piecewise):
        return made.pieces("csv", tidy=tidy, raw=raw)
    return [made.encode("csv", tidy=tidy, raw=raw)]


def left_alone(streams: Streams, path: str | None) -> int:
    """There is a file already, and it stays."""
    streams.say([f"{path} is there already and stays as it is"])
    streams.result(lambda: {"schema": "rnncli.predict/1", "output": path, "written": False})
    return 0


def written(made: Answer, path: str) -> dict[str, Any]:
    """The document about the file, without the forecasts themselves."""
    document = {key: value for key, value in made.to_json().items() if key != "series"}
    size = Path(path).stat().st_size
    return document | {"output": path, "written": True, "bytes": size, "series": made.series, "rows": made.rows}
