"""`rnncli evaluate`."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Unpack

from rnncli.cli import on_spark
from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import fitting, number, table
from rnncli.cli.written import Place, ScoredOptions, left_alone, scored
from rnncli.options.types import KeepingOptions, columns_of
from rnncli.registry import WRITERS

if TYPE_CHECKING:
    from rnncli.evaluation.shown import Cell, ScoreTable, Tabled
    from rnncli.workflows.evaluate import Evaluation

SCHEMA = "rnncli.evaluate/1"


class EvaluateOptions(ScoredOptions, total=False):
    """These, and what is scored, how, and beside what."""

    forecasts: str
    windows: int
    from_: str
    until: str
    stride: int
    horizon: int
    refit: bool
    trained_on: list[str]
    group: str
    by: str
    plot: str
    keep_forecasts: str
    fail_if: list[str]
    must_beat: list[str]
    alpha: float
    fail_on_drift: bool
    device: str
    threads: int


OF_SCORES = (*EvaluateOptions.__annotations__.keys() - ScoredOptions.__annotations__.keys(),)


def evaluate(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    *,
    engine: str | None = None,
    master: str | None = None,
    dry_run: bool = False,
    **options: Unpack[EvaluateOptions],
) -> int:
    """Score a model beside what is simpler."""
    on_spark.refuse_idle(engine, master)
    asked: dict[str, Any] = {**options}
    if dry_run:
        from rnncli.cli.dry_run import of_evaluate

        return of_evaluate(streams, data, model, engine, asked)
    by, keep = options.get("by"), options.get("keep_forecasts")

    def lines(done: Evaluation) -> list[str]:
        return shown(done.report, by) + gates(done)

    if engine is not None:
        work_there = partial(on_spark.evaluation, streams, master, data, model, asked)
        return _ended(scored(streams, options, SCHEMA, "the scores", work_there, lines))
    if keep is not None and options.get("if_exists") == "skip" and Place(keep, None, tuple(WRITERS)).is_there():
        if options.get("output") is None:
            return left_alone(streams, keep, SCHEMA)
        asked["keep_forecasts"] = None
        streams.say([f"{keep} is there already and stays as it is"])
    made = partial(_evaluated, streams, data, model, asked)
    return _ended(scored(streams, options, SCHEMA, "the scores", made, lines, keep, by=by))


def _evaluated(streams: Streams, data: list[str], model: str | None, asked: dict[str, Any]) -> Evaluation:
    from rnncli.workflows.evaluate import Scoring
    from rnncli.workflows.evaluate import evaluated as work

    given = {"start" if name == "from_" else name: asked[name] for name in OF_SCORES if name in asked}
    said: dict[str, Any] = {name: value for name, value in given.items() if name in Scoring.__annotations__}
    gates = {name: value for name, value in given.items() if name not in said}
    options: Any = {**gates, **columns_of(asked), **kept_so(asked)}  # type: ignore[arg-type]
    return work(data, model, Scoring(**said), options, streams, in_parts=True)


def _ended(done: Evaluation | None) -> int:
    """The exit code. GateFailed where a gate was not passed."""
    if done is None:
        return 0
    done.refuse()
    return SKIPPED if done.skipped else 0


def kept_so(options: ScoredOptions) -> KeepingOptions:
    """How a file of forecasts is written."""
    names = ("if_exists", "lock_wait", "out_separator", "out_decimal", "digits")
    said = {name: options.get(name) for name in names}
    return said | {"if_exists": None if said["if_exists"] == "skip" else said["if_exists"]}  # type: ignore[return-value]


def gates(done: Evaluation) -> list[str]:
    """A line for each gate."""
    lines = [f"gate {'passed' if gate.passed else 'failed'}: {gate.gate} ({gate.reason})" for gate in done.gates]
    return ["", *lines] if lines else []


def shown(report: Tabled, by: str | None) -> list[str]:
    """The report as text: what was scored, every table, and what must be known of them."""
    tables = [["", *_shown(one)] for one in report.tables(by)]
    remarks = report.remarks()
    return [report.headline(), *chain.from_iterable(tables), *(["", *remarks] if remarks else [])]


def _shown(one: ScoreTable) -> list[str]:
    """A table, with as many columns as fit in a line where others may be left out."""
    header, rows = list(one.header), [[_cell(cell) for cell in row] for row in one.rows]
    width = fitting(header, rows) if one.cut else len(header)
    more = ["--json and -o hold the other metrics too"] if width < len(header) else []
    told = [*([one.title] if one.title else [])], [*([one.remark] if one.remark else []), *more]
    return [*told[0], *table(header[:width], [row[:width] for row in rows]), *told[1]]


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else number(cell)
