"""`rnncli evaluate`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.table import fitting, number, table
from rnncli.cli.written import file_of
from rnncli.errors import UsageError
from rnncli.files import locked, refuse_existing
from rnncli.options.types import ColumnOptions

if TYPE_CHECKING:
    from rnncli.evaluation.report import Report
    from rnncli.workflows.evaluate import Evaluation

_FORMATS = ("json", "csv", "jsonl", "parquet")
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
    by: str | None = None,
    output: str | None = None,
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
    """Score a model beside the naive forecasts."""
    path = file_of(output, _FORMATS)
    _check(model, forecasts, {"--windows": windows, "--stride": stride, "--horizon": horizon})
    from rnncli.workflows.evaluate import evaluate as work

    with locked(path, lock_wait or 0.0):
        if path is not None and if_exists in ("error", "skip") and Path(path).exists():
            return _existing(streams, path, if_exists)
        done = work(
            data,
            model,
            forecasts=forecasts,
            windows=windows or 1,
            stride=stride,
            horizon=horizon,
            refit=refit,
            device=device,
            threads=threads,
            fail_if=fail_if or (),
            must_beat=must_beat or (),
            alpha=alpha,
            on_event=streams,
            **columns,
        )
        lines = shown(done.report, by_series=by is not None) + gates(done)
        if path is not None:
            done.write(path, by_series=by is not None)
            streams.say([*lines, f"wrote the scores to {path}"])
    text = "" if path is not None else "".join(f"{line}\n" for line in lines)
    streams.result(partial(done.to_json, by_series=by is not None), text.encode(errors="backslashreplace"))
    done.refuse(fail_on_drift=fail_on_drift)
    return SKIPPED if done.skipped else 0


def _existing(streams: Streams, path: str, if_exists: str) -> int:
    """There is a file already, and it stays."""
    if if_exists == "error":
        refuse_existing(path)
    streams.say([f"{path} is there already and stays as it is"])
    streams.result(lambda: {"schema": "rnncli.evaluate/1", "output": path, "written": False})
    return 0


def gates(done: Evaluation) -> list[str]:
    """A line for each gate."""
    lines = [f"gate {'passed' if gate.passed else 'failed'}: {gate.gate} ({gate.reason})" for gate in done.gates]
    return ["", *lines] if lines else []


def _check(model: str | None, forecasts: str | None, of_a_model: dict[str, int | None]) -> None:
    if (model is None) == (forecasts is None):
        both = "both a model and saved forecasts" if model is not None else "neither a model nor saved forecasts"
        raise UsageError(f"{both} were given", hint=_ONE)
    given = [name for name, value in of_a_model.items() if value is not None]
    if forecasts is not None and given:
        raise UsageError(
            f"{given[0]} is for a model; saved forecasts are scored as they are", hint=f"leave {given[0]} out"
        )


def shown(report: Report, *, by_series: bool) -> list[str]:
    """The scores as text: a row for each metric, a column for each forecaster."""
    told = ["in-sample: training has seen rows that are scored here"] if report.in_sample else []
    told += [note for note in report.notes if not note.startswith("in-sample")]
    return [
        headline(report),
        "",
        *overall(report),
        *(["", *each_series(report)] if by_series else []),
        *(["", *told] if told else []),
    ]


def headline(report: Report) -> str:
    """What was scored."""
    count = len(report.windows)
    made = sum(window.forecasts for window in report.windows)
    values = sum(window.values for window in report.windows)
    skipped = sum(window.skipped for window in report.windows)
    left_out = f", {skipped:,} skipped as too short" if skipped else ""
    return (
        f"{len(report.ids):,} series, {count} window{'s' * (count != 1)} of {report.horizon} steps:"
        f" {made:,} forecast{'s' * (made != 1)}, {values:,} value{'s' * (values != 1)}{left_out}"
    )


def overall(report: Report) -> list[str]:
    """Every metric of every forecaster, and how much better than the seasonal naive forecast the first one is."""
    model = next(iter(report.scores))
    skill = report.skill.get(model, {})
    mark = " (in-sample)" if report.in_sample else ""
    header = ["metric", model + mark, *list(report.scores)[1:], "skill"]
    rows = [
        [metric, *(number(scores.overall[metric]) for scores in report.scores.values()), number(skill.get(metric))]
        for metric in report.metrics
    ]
    return [*table(header, rows), "skill: 1 - score / the seasonal naive's score; above 0 is better than it"]


def each_series(report: Report) -> list[str]:
    """A row for each series and forecaster, as many metrics as fit."""
    header = ["series", "forecaster", *report.metrics]
    rows = [_row(row, report.metrics) for row in report.series_rows()]
    width = fitting(header, rows)
    more = ["--json and -o hold the other metrics too"] if width < len(header) else []
    return [*table(header[:width], [row[:width] for row in rows]), *more]


def _row(row: dict[str, Any], metrics: tuple[str, ...]) -> list[str]:
    mark = " (in-sample)" if row["in_sample"] else ""
    return [str(row["id"]), row["forecaster"] + mark, *(number(row[metric]) for metric in metrics)]
