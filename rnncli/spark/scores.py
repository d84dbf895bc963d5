"""Scores of a model over a frame of Spark, to the last bit those of `rnncli.evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Unpack

import pyarrow as pa

from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.evaluation.reduced import joined
from rnncli.options.types import ColumnOptions, Model
from rnncli.spark.crossing import told
from rnncli.spark.dealing import EachSeries, checked_frame, dealt_out, rows_of_json, sample
from rnncli.spark.forecasts import NOT_READ, refuse_untaken
from rnncli.tasks.task import Backtest
from rnncli.workflows.evaluate import EvaluateOptions, Evaluation, gates_of, refuse_two_counts
from rnncli.workflows.model import given
from rnncli.workflows.part import Dealt, choices_of, form, key_columns, refuse_unfit
from rnncli.workflows.part_scores import evaluated

TAKEN = frozenset(ColumnOptions.__annotations__) - NOT_READ


def evaluate(
    data: Any,
    model: Model,
    *,
    windows: int | None = None,
    start: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    fail_if: Iterable[str] = (),
    must_beat: Iterable[str] = (),
    alpha: float | None = None,
    **options: Unpack[ColumnOptions],
) -> Evaluation:
    """Score a model on the series of a DataFrame of Spark: what `rnncli.evaluate` says of them all, without scores by
    series or lead, and without drift.

    Nothing is trained here: where an origin lies in the rows of the training, UsageError, unless `refit` is false, when
    the scores are marked in-sample. Raises what `rnncli.evaluate` does, and MissingDependency.
    """
    refuse_untaken(options, TAKEN)
    wanted = Backtest(windows, stride, horizon, refit, None, None, start, until)
    gates: EvaluateOptions = {"fail_if": fail_if, "must_beat": must_beat, "alpha": alpha}
    return scores_of(checked_frame(data), model, wanted, gates, dict(options))


def scores_of(
    data: Any, model: Model, wanted: Backtest, asked: EvaluateOptions, options: Any, *, of_cells: bool = False
) -> Evaluation:
    """The scores on a frame; one `of_cells` has texts as they stand in CSV."""
    refuse_two_counts(wanted.windows, wanted.start)
    found = given(model)
    refuse_unfit(found.model)
    gates = gates_of(asked, found.model.task.name)
    dealt = Dealt(found.data, found.digest, of_cells)
    with told():
        _, times = form(sample(data), dealt, **options)
        keys = key_columns(found.model, choices_of(options))
        losses = bool(gates.rivals)
        work = partial(_part, wanted=wanted, losses=losses, digest=dealt.digest, of_cells=of_cells, options=options)
        broadcast = data.sparkSession.sparkContext.broadcast(dealt.data)
        parts = rows_of_json(dealt_out(data, keys, times, data.columns), EachSeries(broadcast, work, keys))
    skipped = tuple(SeriesRefused(text, name) for part in parts for name, text in part["skipped"])
    if skipped and not any(part["panel"] for part in parts):
        raise InputRefused(f"{skipped[0]} (and {len(skipped) - 1:,} more series)" if skipped[1:] else str(skipped[0]))
    report = joined(parts, _left_out(parts, wanted))
    if wanted.refit and report.in_sample:
        raise UsageError(
            "the origins lie in the training rows, and nothing is trained again on Spark",
            hint="score later rows (--from), or the model as it is: --no-refit",
        )
    beyond = next((part["beyond"] for part in parts if part["beyond"] is not None), None)
    return Evaluation(
        report,
        refitted=False,
        gates=gates.outcomes(report),
        skipped=skipped,
        beyond_trained_from=beyond,
        model=found.model,
    )


def _left_out(parts: list[dict[str, Any]], wanted: Backtest) -> tuple[str, ...]:
    missing = sum(part["panel"] - part["series"] for part in parts)
    if wanted.start is None or not missing:
        return ()
    return (f"{missing:,} series without a whole window from {wanted.start} on are not scored",)


def _part(
    some: pa.Table, data: bytes, *, wanted: Backtest, losses: bool, digest: str, of_cells: bool, options: Any
) -> Iterator[pa.RecordBatch]:
    parts = evaluated(some, Dealt(data, digest, of_cells), wanted, losses=losses, **options)
    yield pa.record_batch({"part": pa.array([json.dumps(part) for part in parts], pa.string())})
