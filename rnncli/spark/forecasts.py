"""Forecasts of a frame of Spark, each series bit for bit as `rnncli.predict` makes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, Unpack

import pyarrow as pa

from rnncli.errors import UsageError
from rnncli.options import table
from rnncli.options.types import AnswerOptions, ColumnOptions, Model, PredictOptions
from rnncli.spark.dealing import EachSeries, checked_frame, dealt_out, sample
from rnncli.spark.types import schema_of
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices, refuse_unknown
from rnncli.workflows.part import Dealt, PartForecast, Remark, forecast, form, key_columns, refuse_unfit

KIND, SERIES, TEXT = NOTICED = ("rnncli:kind", "rnncli:series", "rnncli:text")
TAKEN = frozenset({*ColumnOptions.__annotations__, "max_age", "now"})  # of what predict takes
NOT_READ = frozenset({"format", "sheet", "query", "wide", "encoding", "separator"})  # Spark reads


class Observed(NamedTuple):
    """The number of rows that were written, and all that was noticed, in order."""

    rows: int
    noticed: list[Remark]


@dataclass(frozen=True)
class SparkForecasts:
    """Frames that are made when they are used: `frame` has the columns that `rnncli predict` writes, `skipped` the
    series that have no forecast and why (id, reason), `notes` what was noticed, and how often (note, parts).

    All three are of one table, `made`, which is kept where Spark caches, until `release`: it is computed once.
    """

    frame: Any
    skipped: Any
    notes: Any
    made: Any

    def release(self) -> None:
        """Let go of what is cached."""
        self.made.unpersist()


def predict(
    data: Any,
    model: Model,
    *,
    horizon: int | None = None,
    quantiles: Iterable[float] | None = None,
    point: Literal["median", "mean"] = "median",
    **options: Unpack[PredictOptions],
) -> SparkForecasts:
    """Forecast the rows that follow each series of a DataFrame of Spark.

    Rows are dealt out by the id columns of the model (or `id`, if they are called otherwise now), a series is never
    divided, and the model goes to the workers as bytes whose digest they check; they need rnncli, and no PyTorch.
    `options` are `time`, `id`, `target`, `time_format`, `zone`, `as_of`, `on_bad_series`, `max_age`, `now` and others
    that say how columns are read, as in `rnncli.predict`. What is wrong with a series is raised when the frames are
    used, unless `on_bad_series` is "skip".

    Raises UsageError, MissingDependency, InputRefused or ModelRefused.
    """
    refuse_untaken(options, TAKEN - NOT_READ)
    levels = None if quantiles is None else tuple(quantiles)
    said: AnswerOptions = {"horizon": horizon, "quantiles": levels, "point": point, "in_parts": False}
    asked: AnswerOptions = {**options, **said, "history": None}
    return forecasts_of(checked_frame(data), model, asked)


def forecasts_of(data: Any, model: Model, asked: AnswerOptions) -> SparkForecasts:
    """The forecasts of a frame."""
    from pyspark import StorageLevel
    from pyspark.sql.functions import col, count

    made = together(data, model, asked).persist(StorageLevel.MEMORY_AND_DISK)
    kind = col(f"`{KIND}`")
    skipped = made.where(kind == "skipped").select(col(f"`{SERIES}`").alias("id"), col(f"`{TEXT}`").alias("reason"))
    notes = made.where(kind == "note").groupBy(col(f"`{TEXT}`").alias("note")).agg(count("*").alias("parts"))
    return SparkForecasts(made.where(kind.isNull()).drop(*NOTICED), skipped, notes, made)


def observed(data: Any, model: Model, asked: AnswerOptions, *, of_cells: bool) -> tuple[Any, Callable[[], Observed]]:
    """The forecasts of a frame that is to be written once, and what was seen of it then; one `of_cells` has texts as
    they stand in CSV. What is noticed goes to the driver.
    """
    from pyspark.sql import Observation
    from pyspark.sql.functions import col, collect_list, count, struct, to_json, when

    kind, seen = col(f"`{KIND}`"), Observation("noticed")
    line = struct(kind.alias("kind"), col(f"`{SERIES}`").alias("series"), col(f"`{TEXT}`").alias("text"))
    rows = count(when(kind.isNull(), 1)).alias("rows")
    noticed = to_json(collect_list(when(kind.isNotNull(), line))).alias("noticed")
    made = together(data, model, asked, of_cells=of_cells).observe(seen, rows, noticed)

    def told() -> Observed:
        lines = [Remark(one["kind"], one.get("series"), one["text"]) for one in json.loads(seen.get["noticed"])]
        return Observed(int(seen.get["rows"]), sorted(lines, key=lambda one: (one.kind, one.series or "", one.text)))

    return made.where(kind.isNull()).drop(*NOTICED), told


def together(data: Any, model: Model, asked: AnswerOptions, *, of_cells: bool = False) -> Any:
    """Rows of forecasts, and rows about what was noticed, in one frame."""
    found = given(model)
    refuse_unfit(found.model)
    dealt = Dealt(found.data, found.digest, of_cells)
    asked = with_now(asked)
    schema, times = form(sample(data), dealt, **asked)
    keys = key_columns(found.model, column_choices(asked))
    context = data.sparkSession.sparkContext
    work = partial(_forecast, asked=asked, digest=dealt.digest, of_cells=of_cells, schema=_with_noticed(schema))
    each = EachSeries(context.broadcast(dealt.data), work, keys)
    return dealt_out(data, keys, times, data.columns).mapInArrow(each, schema_of(_with_noticed(schema)))


def with_now(asked: AnswerOptions) -> AnswerOptions:
    """The options with one moment for all workers, where ages are measured from now."""
    if asked.get("max_age") is None or asked.get("now") or asked.get("as_of"):
        return asked
    from datetime import UTC, datetime

    return {**asked, "now": datetime.now(UTC).isoformat()}


def refuse_untaken(options: Mapping[str, Any], taken: Iterable[str]) -> None:
    """UsageError for an option that there is not, or that means nothing here."""
    refuse_unknown(options, PredictOptions)
    for option in table.given(options):
        if option.name not in taken:
            raise UsageError(f"{option.name} is not for tables of Spark", hint=f"leave {option.name} out")
    table.check(options)


def _with_noticed(schema: pa.Schema) -> pa.Schema:
    for name in NOTICED:
        schema = schema.append(pa.field(name, pa.string()))
    return schema


def _forecast(
    some: pa.Table, data: bytes, *, asked: AnswerOptions, digest: str, of_cells: bool, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The rows of forecasts of some series, and a row for each thing that was noticed."""
    made = forecast(some, Dealt(data, digest, of_cells), **asked)
    for part in (*made.tables, _noticed(made)):
        yield from _fitted(part, schema).to_batches()


def _noticed(made: PartForecast) -> pa.Table:
    columns = zip(*((one.kind, one.series, one.text) for one in made.noticed), strict=True) if made.noticed else ()
    arrays = [pa.array(list(column), pa.string()) for column in columns] or [pa.array([], pa.string())] * 3
    return pa.table(dict(zip(NOTICED, arrays, strict=True)))


def _fitted(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with every column of a schema, null where it lacks one."""
    columns = [
        part.column(each.name).cast(each.type) if each.name in part.column_names else pa.nulls(part.num_rows, each.type)
        for each in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
