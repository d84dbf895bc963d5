"""`rnncli evaluate`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Unpack

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import fitting, number, table
from rnncli.cli.written import Place, refuse_unwritten, stays
from rnncli.errors import UsageError
from rnncli.options.types import ColumnOptions, WrittenOptions
from rnncli.registry import WRITERS

if TYPE_CHECKING:
    from rnncli.evaluation.shown import Cell, ScoreTable, Tabled
    from rnncli.workflows.evaluate import Evaluation

FORMATS = ("json", *WRITERS)
_ONE = "give -m MODEL, or --forecasts FILE"


def evaluate(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    forecasts: str | None = None,
    windows: int | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    trained_on: list[str] | None = None,
    group: str | None = None,
    by: str | None = None,
    plot: str | None = None,
    output: str | None = None,
    out_format: str | None = None,
    out_separator: str | None = None,
    out_decimal: str | None = None,
    digits: int | None = None,
    if_exists: str | None = None,
    fail_if: list[str] | None = None,
    must_beat: list[str] | None = None,
    alpha: float | None = None,
    fail_on_drift: bool = False,
    device: str | None = None,
    threads: int | None = None,
    lock_wait: float | None = None,
    **columns: Unpack[ColumnOptions],
) -> int:
    """Score a model beside what is simpler."""
    place = Place(output, out_format, FORMATS, existing=if_exists)
    path = place.checked()
    writing: WrittenOptions = {"out_separator": out_separator, "out_decimal": out_decimal, "digits": digits}
    refuse_unwritten(path, "-o", {"out_format": out_format, **writing})
    _check(model, forecasts, {"--windows": windows, "--stride": stride, "--horizon": horizon})
    from rnncli.evaluation.shown import refuse_other_grouping
    from rnncli.workflows.evaluate import evaluate as work
    from rnncli.workflows.options import style_of

    style = asdict(style_of(writing))
    sink = None if path is None else place.sink
    with nullcontext() if sink is None else sink.held(lock_wait or 0.0):
        if sink is not None and stays(sink, if_exists):
            return left_alone(streams, sink.name, "rnncli.evaluate/1")
        done = work(
            data,
            model,
            forecasts=forecasts,
            windows=windows or 1,
            stride=stride,
            horizon=horizon,
            refit=refit,
            trained_on=trained_on,
            group=group,
            plot=plot,
            device=device,
            threads=threads,
            fail_if=fail_if or (),
            must_beat=must_beat or (),
            alpha=alpha,
            fail_on_drift=fail_on_drift,
            on_event=streams,
            **columns,
        )
        refuse_other_grouping(done.report, by)
        lines = shown(done.report, by) + gates(done)
        if path is not None:
            done.write(path, by=by, format=out_format, **style)
            streams.say([*lines, f"wrote the scores to {path}"])
    text = "" if path is not None else "".join(f"{line}\n" for line in lines)
    streams.result(partial(done.to_json, by=by), text.encode(errors="backslashreplace"))
    done.refuse()
    return SKIPPED if done.skipped else 0


def left_alone(streams: Streams, path: str, schema: str) -> int:
    """There is a file already, and it stays."""
    streams.say([f"{path} is there already and stays as it is"])
    streams.result(lambda: {"schema": schema, "output": path, "written": False})
    return 0


def gates(done: Evaluation) -> list[str]:
    """A line for each gate."""
    lines = [f"gate {'passed' if gate.passed else 'failed'}: {gate.gate} ({gate.reason})" for gate in done.gates]
    return ["", *lines] if lines else []


def _check(model: str | None, forecasts: str | None, of_a_model: dict[str, int | None]) -> None:
    if model is not None and forecasts is not None:
        raise UsageError("both a model and saved forecasts were given", hint=_ONE)
    given = [name for name, value in of_a_model.items() if value is not None]
    if forecasts is not None and given:
        raise UsageError(
            f"{given[0]} is for a model; saved forecasts are scored as they are", hint=f"leave {given[0]} out"
        )


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
