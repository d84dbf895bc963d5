"""A part of the data, whole series of it, for engines that deal out tables: Arrow in, Arrow out, the model as bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar, Unpack, cast

import numpy as np
import pyarrow as pa

from rnncli import model as models
from rnncli.data.channel import forecast_channels
from rnncli.data.rows import read_rows
from rnncli.data.source import Source, sources
from rnncli.data.whole_series import beginnings
from rnncli.data.writers.table import ForecastTable, arrow_table
from rnncli.errors import InputRefused, InputStale, ModelRefused, RnncliError, SeriesRefused, UsageError
from rnncli.events import Noted
from rnncli.options.types import AnswerOptions, columns_of
from rnncli.spec import ColumnChoices
from rnncli.tasks.reading import tell_skipped
from rnncli.workflows.options import column_choices

T = TypeVar("T")
SHIPPED = "the model that was dealt out"
_OF_SERIES = (InputRefused, InputStale)  # what all series of a part can be refused as


@dataclass(frozen=True)
class Remark:
    """A line about a part of the data: `kind` is "skipped" for the series called `series`, else "note"."""

    kind: str
    series: str | None
    text: str


@dataclass
class PartForecast:
    """The forecasts of some series, one table for each stretch that was forecast at once, and what was noticed."""

    tables: list[pa.Table] = field(default_factory=list)
    noticed: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class Dealt:
    """A model as the bytes of its file, and the SHA-256 of these, by which whoever gets them knows that they are whole.

    `of_cells` says that tables have the cells of CSV, texts that are still to be read.
    """

    data: bytes = field(repr=False)
    digest: str = ""
    of_cells: bool = False

    @property
    def model(self) -> Any:
        """The model. ModelRefused where the bytes are others than those that were sent."""
        if self.digest and hashlib.sha256(self.data).hexdigest() != self.digest:
            raise ModelRefused("its bytes did not arrive as they were sent", where=SHIPPED, hint="run it again")
        return _model(self.data)


@lru_cache(maxsize=2)
def _model(data: bytes) -> Any:
    return models.from_bytes(data, SHIPPED)


def forecast(rows: pa.Table, dealt: Dealt | bytes, **options: Unpack[AnswerOptions]) -> PartForecast:
    """Forecast every series in these rows, of which each must be there with all its rows; `options` are predict's.

    Bit for bit what `rnncli.predict` makes of these series among any others, which has no rows of other series in it.
    Where series are to be skipped, all of them may be. Raises what `predict` does.
    """
    dealt = dealt if isinstance(dealt, Dealt) else Dealt(dealt)
    found = dealt.model
    refuse_unfit(found)
    choices = choices_of(options)

    def made(some: pa.Table) -> PartForecast:
        heard: list[str] = []

        def hear(event: object) -> None:
            if isinstance(event, Noted) and not event.detail:
                heard.append(event.text)

        answer = found.task.answer(data_of(some, dealt), found, choices, options, hear, None)
        skipped = [Remark("skipped", error.series, str(error)) for error in answer.skipped]
        notes = [Remark("note", None, text) for text in _notes(heard, answer)]
        return PartForecast([answer.to_arrow()], [*skipped, *notes])

    if choices.on_bad_series != "skip":
        return made(rows)
    return joined(tried(rows, key_columns(found, choices), made, _skipped))


def joined(parts: Iterator[PartForecast]) -> PartForecast:
    """Several forecasts as one."""
    whole = PartForecast()
    for part in parts:
        whole.tables += part.tables
        whole.noticed += part.noticed
    return whole


def _skipped(error: SeriesRefused) -> PartForecast:
    return PartForecast([], [Remark("skipped", error.series, str(error))])


def tried(
    table: pa.Table, keys: tuple[str, ...], made: Callable[[pa.Table], T], left: Callable[[SeriesRefused], T]
) -> Iterator[T]:
    """What is `made` of a table; where all its series are refused, of its halves, down to what is `left` of one."""
    try:
        yield made(table)
    except _OF_SERIES as error:
        cause = error if isinstance(error, SeriesRefused) else error.__cause__
        if not isinstance(cause, SeriesRefused):
            raise
        begins = beginnings(table, keys)
        if len(begins) < 2:
            yield left(cause)
            return
        middle = int(begins[len(begins) // 2])
        yield from tried(table.slice(0, middle), keys, made, left)
        yield from tried(table.slice(middle), keys, made, left)


def _notes(heard: list[str], answer: Any) -> list[str]:
    """What is said of the data, but for what is said of skipped series, and of drift, which is one of all series."""
    others: list[str] = [f"drift: {column}" for column in (answer.drift.columns if answer.drift else ())]
    for error in answer.skipped:
        tell_skipped([error], lambda event: others.append(event.text))  # type: ignore[attr-defined]
    return [text for text in heard if text not in others and not text.endswith("more series are skipped")]


def refuse_unfit(model: Any) -> None:
    """UsageError for a model whose series cannot be dealt out."""
    if model.task.name != "forecast":
        raise UsageError("an engine deals out series to be forecast, and the model makes none", hint="leave it out")
    if model.unfitted:
        hint = "rnncli train makes one that knows them, from some of the series or all"
        raise UsageError("base is fitted to all series together, which are dealt out here", hint=hint)
    if model.columns.wide or model.columns.by_file:
        one = "column" if model.columns.wide else "file"
        hint = "train on rows of id, time and value"
        raise UsageError(f"the model was trained on one series a {one}, which cannot be dealt out", hint=hint)


def choices_of(options: Mapping[str, Any]) -> ColumnChoices:
    """What the options say of columns, checked."""
    return column_choices(columns_of(options))


def key_columns(model: Any, choices: ColumnChoices) -> tuple[str, ...]:
    """The columns that tell series apart, as they are called now: all rows of one value of them go together."""
    ids: tuple[str, ...] = model.columns.ids
    return choices.id or ids


def form(sample: pa.Table, dealt: Dealt | bytes, **options: Unpack[AnswerOptions]) -> tuple[pa.Schema, tuple[str, ...]]:
    """The columns of a forecast of tables like `sample`, of which some rows are enough, and the columns of their times.

    InputRefused where it lacks a column, or times are of another kind than in training; UsageError.
    """
    dealt = dealt if isinstance(dealt, Dealt) else Dealt(dealt)
    found = dealt.model
    refuse_unfit(found)
    choices = choices_of(options)
    channels = forecast_channels(found.columns, found.spec.categories)
    told = sources(data_of(sample, dealt), choices, found.columns.format)
    read = read_rows(told, choices, found.columns, channels, zone=found.calendar.zone)
    asked, trained = options.get("quantiles"), found.spec.levels
    levels = trained if asked is None else tuple(sorted({*map(float, asked), 0.5}))
    times, wanted, point = np.zeros((0, 1), np.int64), np.zeros((0, 1, len(levels))), np.zeros((0, 1))
    table = ForecastTable((), times, levels, wanted, point, read.columns, found.calendar)
    return arrow_table(table, tidy=False, as_text=False).schema, read.columns.times


def data_of(table: pa.Table, dealt: Dealt) -> Any:
    """The table as data: one of cells is what its CSV file would be."""
    if not dealt.of_cells:
        return table
    from pyarrow import csv

    written = io.BytesIO()
    csv.write_csv(table, written)
    return [Source("the table", "csv", data=written.getvalue())]


def error_from(told: dict[str, Any]) -> RnncliError:
    """The error that another process raised, told by `told_of`."""
    from rnncli import errors

    kind = cast("type[RnncliError]", getattr(errors, told["kind"], RnncliError))
    more = {"series": told["series"]} if kind is SeriesRefused else {}
    return kind(told["message"], hint=told["hint"], where=told["where"], **more)


def told_of(error: RnncliError) -> dict[str, Any]:
    """An error as JSON values."""
    told = {"kind": type(error).__name__, "message": error.message, "hint": error.hint, "where": error.where}
    return told | {"series": getattr(error, "series", "")}
