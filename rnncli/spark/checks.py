"""What is wrong with a frame of Spark, as `rnncli.check` finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Unpack

import pyarrow as pa

from rnncli.errors import UsageError
from rnncli.options.types import ColumnOptions, Model
from rnncli.spark.crossing import told
from rnncli.spark.dealing import EachSeries, checked_frame, dealt_out, rows_of_json, sample
from rnncli.spark.forecasts import refuse_untaken
from rnncli.spark.scores import TAKEN
from rnncli.spec import Columns
from rnncli.workflows.check import Checked
from rnncli.workflows.model import given
from rnncli.workflows.part import Dealt, refuse_unfit
from rnncli.workflows.part_checks import checked, looked_at, together


def check(
    data: Any, model: Model | None = None, *, horizon: int | None = None, **options: Unpack[ColumnOptions]
) -> Checked:
    """Look at a DataFrame of Spark from all sides; with `model`, also at what has changed since it was trained.

    Findings are those of `rnncli.check`, but for the order of rows, which a table of Spark has not, and for drift.
    Without a model the columns are inferred from some rows; UsageError where that leaves open what tells series apart.
    """
    refuse_untaken(options, TAKEN - {"on_bad_series"})
    return findings_of(checked_frame(data), model, horizon, dict(options))


def findings_of(
    data: Any, model: Model | None, horizon: int | None, options: Any, *, of_cells: bool = False
) -> Checked:
    """What is wrong with a frame; one `of_cells` has texts as they stand in CSV."""
    dealt = None
    if model is not None:
        found = given(model)
        refuse_unfit(found.model)
        dealt = Dealt(found.data, found.digest, of_cells)
    with told():
        some = sample(data)
        looked = looked_at(some, dealt, horizon=horizon, cells=of_cells, **options)
        if looked.seen is None:  # columns are not there: no more can be said
            return together([checked(some, dealt, horizon=horizon, cells=of_cells, **options)])
        columns = looked.seen.columns
        if dealt is None:
            _refuse_open(some, columns, options)
            options = options | _named(columns)
        keys = columns.ids
        digest, sent = ("", b"") if dealt is None else (dealt.digest, dealt.data)
        work = partial(_part, digest=digest, of_cells=of_cells, asked={**options, "horizon": horizon})
        each = EachSeries(data.sparkSession.sparkContext.broadcast(sent), work, keys)
        return together(rows_of_json(dealt_out(data, keys, columns.times, data.columns), each))


def _named(columns: Columns) -> dict[str, Any]:
    """What was inferred, said, so that every part is read alike."""
    named = {"time": ",".join(columns.times), "id": columns.ids or None, "time_format": columns.time_format}
    return named | {"target": columns.target_columns}


def _refuse_open(some: pa.Table, columns: Columns, options: Any) -> None:
    """UsageError where a column of text might tell series apart, and these rows do not say so."""
    if columns.ids or options.get("id"):
        return
    free = [name for name in some.column_names if name not in (*columns.times, *columns.target_columns)]
    texts = [name for name in free if pa.types.is_string(some.schema.field(name).type)]
    if texts:
        hint = f"say which column it is: --id {texts[0]}"
        raise UsageError("the first rows do not say what tells series apart", where="the frame", hint=hint)


def _part(some: pa.Table, data: bytes, *, digest: str, of_cells: bool, asked: Any) -> Iterator[pa.RecordBatch]:
    found = checked(some, Dealt(data, digest, of_cells) if digest else None, cells=of_cells, **asked)
    yield pa.record_batch({"part": pa.array([json.dumps(found)], pa.string())})
