"""`rnncli predict`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from rnncli.cli import on_spark
from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.terminal import put
from rnncli.cli.written import Place, left_alone
from rnncli.data.writers.suffix import OF_FRAMES
from rnncli.errors import OutputExists, UsageError
from rnncli.events import Generated
from rnncli.options.types import PredictOptions, WrittenOptions
from rnncli.registry import BASE, WRITERS

if TYPE_CHECKING:
    from rnncli.tasks.answer import Answer

FORMATS = (*WRITERS, *OF_FRAMES)
TEXTS = ("csv", "jsonl")
STREAMED = {"arrow": "arrows"}  # what goes to stdout is no file in which a reader can jump


def predict(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    output: str | None = None,
    horizon: int | None = None,
    quantiles: tuple[float, ...] | None = None,
    point: Literal["median", "mean"] | None = None,
    engine: str | None = None,
    master: str | None = None,
    *,
    dry_run: bool = False,
    **options: Unpack[PredictOptions],
) -> int:
    """Forecast the next rows of every series in DATA, label it, or go on with its text: what the model was made for."""
    on_spark.refuse_idle(engine, master)
    elsewhere = {"output": output, "horizon": horizon, "quantiles": quantiles, "point": point}
    if dry_run:
        from rnncli.cli.dry_run import of_predict

        return of_predict(streams, data, model, engine, {**options, **elsewhere})
    if engine is not None:
        return on_spark.predict(streams, master, data, model, {**options, **elsewhere})
    if_exists: Any = options.get("if_exists")
    options["if_exists"] = "error" if if_exists == "skip" else if_exists
    options["future_data"] = options.get("future_data") or None
    written_as, wait, heard = options.get("out_format"), options.get("lock_wait") or 0.0, Heard(streams)
    place = Place(output, written_as, FORMATS, options.get("table"), options["if_exists"], wait)
    path = place.checked()
    _refuse_terminal(path, written_as)
    from rnncli.workflows.predict import predicted

    try:
        asked: Any = {**options, "horizon": horizon, "quantiles": quantiles, "point": point or "median"}
        listener = streams if streams.json else heard
        made = predicted(data, model or BASE, path, listener, asked, in_parts=True)
    except OutputExists:
        if if_exists != "skip":
            raise
        return left_alone(streams, place.name, on_spark.SCHEMA)
    if path is None:
        told = streams.json or heard.wrote
        streams.result(made.to_json, () if told else _pieces(made, written_as, options))
    else:
        streams.say([f"wrote {made.rows:,} rows ({made.series:,} series) to {place.name}"])
        streams.result(partial(written, made, place))
    return SKIPPED if made.skipped else 0


def _refuse_terminal(path: str | None, format: str | None) -> None:  # noqa: A002
    """UsageError where bytes that are no text would go to a terminal."""
    if path is None and format not in (None, *TEXTS) and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"{format} is no text to be shown here", hint="name a file: -o FILE, or pipe it on: | PROGRAM")


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


def _pieces(made: Answer, format: str | None, writing: WrittenOptions) -> Iterable[bytes]:  # noqa: A002
    """The answer for stdout, in pieces where it may be long."""
    from rnncli.workflows.options import style_of

    return made.pieces(STREAMED.get(format or "", format or "csv"), **asdict(style_of(writing)))


def written(made: Answer, place: Place) -> dict[str, Any]:
    """The document about the file, without the forecasts themselves."""
    document = {key: value for key, value in made.to_json().items() if key != "series"}
    counts = {"bytes": place.sink.size(), "series": made.series, "rows": made.rows}
    return document | {"output": place.name, "written": True} | counts
