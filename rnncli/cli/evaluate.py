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


def evaluate(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    forecasts: str | None = None,
    windows: int | None = None,
    from_: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    trained_on: list[str] | None = None,
    group: str | None = None,
    by: str | None = None,
    plot: str | None = None,
    keep_forecasts: str | None = None,
    fail_if: list[str] | None = None,
    must_beat: list[str] | None = None,
    alpha: float | None = None,
    fail_on_drift: bool = False,
    device: str | None = None,
    threads: int | None = None,
    engine: str | None = None,
    master: str | None = None,
    *,
    dry_run: bool = False,
    **options: Unpack[ScoredOptions],
) -> int:
    """Score a model beside what is simpler."""

    def lines(done: Evaluation) -> list[str]:
        return shown(done.report, by) + gates(done)

    on_spark.refuse_idle(engine, master)
    asked: dict[str, Any] = {
        "forecasts": forecasts,
        "windows": windows,
        "from_": from_,
        "until": until,
        "stride": stride,
    }
    asked |= {"horizon": horizon, "refit": refit, "trained_on": trained_on}
    asked |= {"group": group, "by": by, "plot": plot}
    asked |= {"keep_forecasts": keep_forecasts, "fail_if": fail_if, "must_beat": must_beat, "alpha": alpha}
    asked |= {"fail_on_drift": fail_on_drift, "device": device, "threads": threads, **options}
    if dry_run:
        from rnncli.cli.dry_run import of_evaluate

        return of_evaluate(streams, data, model, engine, asked)
    if engine is not None:
        work_there = partial(on_spark.evaluation, streams, master, data, model, asked)
        return _ended(scored(streams, options, SCHEMA, "the scores", work_there, lines))
    from rnncli.workflows.evaluate import evaluate as work

    keep = keep_forecasts
    if keep is not None and options.get("if_exists") == "skip" and Place(keep, None, tuple(WRITERS)).is_there():
        if options.get("output") is None:
            return left_alone(streams, keep, SCHEMA)
        keep = None
        streams.say([f"{keep_forecasts} is there already and stays as it is"])

    def made() -> Evaluation:
        return work(
            data,
            model,
            forecasts=forecasts,
            windows=windows,
            start=from_,
            until=until,
            stride=stride,
            horizon=horizon,
            refit=refit,
            trained_on=trained_on,
            group=group,
            by=by,
            plot=plot,
            keep_forecasts=keep,
            device=device,
            threads=threads,
            fail_if=fail_if or (),
            must_beat=must_beat or (),
            alpha=alpha,
            fail_on_drift=fail_on_drift,
            on_event=streams,
            **columns_of(options),
            **kept_so(options),
        )

    return _ended(scored(streams, options, SCHEMA, "the scores", made, lines, keep_forecasts, by=by))


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
