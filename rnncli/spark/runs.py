"""What `--engine spark` runs: paths read by Spark, a folder of Parquet written by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.errors import InputRefused
from rnncli.events import Listener, Noted
from rnncli.options.types import AnswerOptions, columns_of
from rnncli.spark.checks import findings_of
from rnncli.spark.crossing import told
from rnncli.spark.folder import NOTICED, Folder
from rnncli.spark.forecasts import observed
from rnncli.spark.reading import read
from rnncli.spark.scores import scores_of
from rnncli.spark.session import session
from rnncli.tasks.task import Backtest
from rnncli.workflows.check import Checked
from rnncli.workflows.evaluate import EvaluateOptions, Evaluation
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.part import Remark, refuse_unfit

SHOWN = 5  # skipped series, and notes, that are told


@dataclass(frozen=True)
class Engine:
    """Where Spark runs (None: where its own settings say, else here), and whether what it prints is shown."""

    master: str | None = None
    loud: bool = False


@dataclass(frozen=True)
class Written:
    """The counts of a forecast that was written, and why the first of the skipped series have none."""

    series: int
    rows: int
    skipped: int
    reasons: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def predict(
    engine: Engine, data: Sequence[str], model: str, output: str, asked: AnswerOptions, tell: Listener, *, replace: bool
) -> Written:
    """Forecast the table at some paths into a folder. Raises what `rnncli.predict` does, and MissingDependency."""
    found = given(model)
    refuse_unfit(found.model)
    steps = asked.get("horizon") or found.model.spec.horizon
    with session(engine.master, loud=engine.loud) as spark, told():
        folder = Folder(spark, output)
        folder.check(data, replace=replace)
        frame, of_cells = read(spark, data, column_choices(columns_of(asked)), found.model.columns)
        made, seen = observed(frame, model, _as_read(asked, of_cells=of_cells), of_cells=of_cells)
        record: dict[str, Any] = {"schema": "rnncli.predict/1", "model": found.digest}
        with folder.written(record) as place:
            made.write.parquet(place)
            rows, noticed = seen()
            done = _counted(rows, noticed, steps)
            _refuse_nothing(done)
            if noticed:
                lines = [(one.kind, one.series, one.text) for one in noticed]
                table = spark.createDataFrame(lines, "kind string, id string, text string")
                table.coalesce(1).write.parquet(f"{place}/{NOTICED}")
            record |= {"series": done.series, "rows": rows, "skipped": done.skipped}
    _tell(done, tell)
    return done


def _counted(rows: int, noticed: Sequence[Remark], steps: int) -> Written:
    """What is told of so many rows of forecasts of so many steps."""
    skipped = [(one.series or "", one.text) for one in noticed if one.kind == "skipped"]
    notes = dict.fromkeys(one.text for one in noticed if one.kind == "note")
    return Written(rows // steps, rows, len(skipped), tuple(skipped[:SHOWN]), tuple(notes)[:SHOWN])


def _as_read(asked: AnswerOptions, *, of_cells: bool) -> AnswerOptions:
    """The options of how tables are read, as they are once Spark has read them."""
    cells = {"separator": ",", "encoding": "utf-8"} if of_cells else {"separator": None, "encoding": None}
    return {**asked, **cells, "format": None}  # type: ignore[typeddict-item]


def _refuse_nothing(done: Written) -> None:
    """InputRefused where every series is skipped."""
    if not done.rows and done.skipped:
        _, reason = done.reasons[0]
        others = f" (and {done.skipped - 1:,} more series)" if done.skipped > 1 else ""
        raise InputRefused(f"no series can be forecast: {reason}{others}", hint="look at rnncli check")


def _tell(done: Written, tell: Listener) -> None:
    for note in done.notes:
        tell(Noted(note))
    for name, reason in done.reasons:
        tell(Noted(f"series {name!r} is skipped: {reason}"))
    if done.skipped > len(done.reasons):
        tell(Noted(f"{done.skipped - len(done.reasons):,} more series are skipped"))


def evaluate(
    engine: Engine, data: Sequence[str], model: str, wanted: Backtest, gates: EvaluateOptions, options: Any
) -> Evaluation:
    """Score a model on the table at some paths."""
    found = given(model)
    refuse_unfit(found.model)
    with session(engine.master, loud=engine.loud) as spark, told():
        frame, of_cells = read(spark, data, column_choices(options), found.model.columns)
        options = _as_read(options, of_cells=of_cells)
        return scores_of(frame, model, wanted, gates, options, of_cells=of_cells)


def check(engine: Engine, data: Sequence[str], model: str | None, horizon: int | None, options: Any) -> Checked:
    """Look at the table at some paths."""
    known = None
    if model is not None:
        found = given(model).model
        refuse_unfit(found)
        known = found.columns
    with session(engine.master, loud=engine.loud) as spark, told():
        frame, of_cells = read(spark, data, column_choices(options), known)
        return findings_of(frame, model, horizon, _as_read(options, of_cells=of_cells), of_cells=of_cells)
