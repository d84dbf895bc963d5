"""Say what is wrong with data before anything is trained, and write a repaired copy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, Unpack, cast

from rnncli.data.checks.finding import Finding
from rnncli.data.checks.fix import Action, repair
from rnncli.data.checks.run import look
from rnncli.data.checks.seen import Seen
from rnncli.data.sinks.sink import Into, Sink, sink_of
from rnncli.data.targets import ids_of_rows
from rnncli.data.writers import csv
from rnncli.data.writers.results import DIGITS, Style, of_table
from rnncli.errors import InputRefused, UsageError
from rnncli.events import Listener, Noted, unheard
from rnncli.options import table
from rnncli.options.types import (
    ColumnOptions,
    Model,
    ReadingOptions,
    TrainOptions,
    WritingOptions,
    WrittenOptions,
    columns_of,
)
from rnncli.outline import Outline, counted, shown
from rnncli.spec import ColumnChoices
from rnncli.tasks.task import Task
from rnncli.workflows.arguments import public
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices, style_of
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.train import task_of

SCHEMA = "rnncli.check/1"
OUTLINED = 5  # findings
SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Fixed:
    """The repaired copy: its file, what was done to make it, and how many errors are left in it."""

    output: str
    bytes: int
    rows_before: int
    rows: int
    actions: tuple[Action, ...]
    errors: int = 0

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        done = [{"id": action.id, "count": action.count, "what": action.what} for action in self.actions]
        return {
            "output": self.output,
            "written": True,
            "bytes": self.bytes,
            "rows_before": self.rows_before,
            "rows": self.rows,
            "actions": done,
            "errors": self.errors,
        }


@shown
@dataclass(frozen=True)
class Checked:
    """What was found, errors first; rows and series (or other `units`) that could be read; the repaired copy, if one
    was asked for.
    """

    findings: tuple[Finding, ...]
    rows: int
    series: int
    fixed: Fixed | None = None
    units: str = "series"

    def __bool__(self) -> bool:
        """Whether training would take the data."""
        return not self.count("error")

    def count(self, severity: str) -> int:
        """The number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def outline(self) -> Outline:
        """Whether training would take the data, and the worst that was found."""
        counts = [_count(self.count(severity), severity) for severity in SEVERITIES]
        rest = len(self.findings) - OUTLINED
        facts = [
            ("data", f"{self.rows:,} rows of {counted(self.series, self.units)}"),
            ("found", f"{', '.join(counts)}; training {'takes' if self else 'refuses'} them"),
            *(
                (finding.severity, f"{finding.id} ({finding.count:,}): {finding.what}")
                for finding in self.findings[:OUTLINED]
            ),
            *([] if self.fixed is None else [("repaired", f"{self.fixed.output}, {self.fixed.rows:,} rows")]),
        ]
        return Outline("Checked", facts, more=f"... {rest:,} more findings" if rest > 0 else "")

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return {
            "schema": SCHEMA,
            "rows": self.rows,
            "series": self.series,
            **{f"{severity}s": self.count(severity) for severity in SEVERITIES},
            "findings": [finding.to_json() for finding in self.findings],
            "fixed": None if self.fixed is None else self.fixed.to_json(),
        }


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"


class CheckOptions(ReadingOptions, WritingOptions, total=False):
    """What is labelled, and how a copy is written: see `check`."""

    if_exists: Literal["append", "replace", "error"] | None
    lock_wait: float | None


@public
def check(
    data: Any,
    model: Model | None = None,
    *,
    fix: str | os.PathLike[str] | None = None,
    horizon: int | None = None,
    on_event: Listener | None = None,
    **options: Unpack[CheckOptions],
) -> Checked:
    """Look at `data` from all sides; with `model`, also at what has changed since it was trained.

    What has no error finding is taken by `train` (or, with `model`, by `predict`), and what they refuse has one.
    `horizon` is how far future covariates must be known. `fix` is a file (.csv or .parquet) for a repaired copy: rows
    sorted, repeated ones left out, of contradicting ones the last kept, rows added for absent steps, infinite values
    missing; nothing is invented. Raises InputRefused where a file cannot be read at all, UsageError, ModelRefused,
    OutputExists, OutputLocked or StorageFailed.
    """
    tell = on_event or unheard
    columns = columns_of(options)
    _refuse_senseless(columns, fix)
    found = None if model is None else given(model).model
    asked: Mapping[str, Any] = {**options, "horizon": horizon, "fix": fix}
    task = _task(found, asked, data)
    keep_apart("check", {**options, "data": data, "model": model, "fix": fix})
    style, sink = style_of(_writing(options)), None if fix is None else sink_of(fix, _into(options))
    if sink is not None:
        sink.check()
    with nullcontext() if sink is None else sink.held(options.get("lock_wait") or 0.0):
        if sink is not None and options.get("if_exists") == "error":
            sink.refuse_existing()
        looked = task.looked_at(data, column_choices(columns), asked, found)
        findings = sorted(looked.findings, key=lambda finding: SEVERITIES.index(finding.severity))
        if looked.taken:
            tell(Noted(looked.taken))
        fixed = None if sink is None else _fixed(looked.seen, sink, style)
        if fixed is not None and sink is not None:
            read_back = replace(column_choices(columns), format=sink.format, decimal=style.decimal)
            fixed = replace(fixed, errors=_left(looked.seen, fixed.output, read_back, horizon))
    return Checked(tuple(findings), looked.rows, looked.series, fixed, task.units)


def _task(model: Any, options: Mapping[str, Any], data: Any) -> Task[Any]:
    """The task that data are checked for. UsageError for what means nothing for it, or the model settles."""
    if model is not None:
        table.refuse_beside("-m", options, table.of_labels, "model")
    task: Task[Any] = task_of(cast("TrainOptions", options), data) if model is None else model.task
    table.refuse_of_other_task(options, task.name, by_model=model is not None)
    return task


def _refuse_senseless(columns: ColumnOptions, fix: object) -> None:
    if columns.get("on_bad_series") == "skip":
        raise UsageError("a check looks at every series", hint="leave --on-bad-series out")
    if fix is not None and columns.get("as_of") is not None:
        raise UsageError("a repaired copy is of all rows", hint="leave --as-of or --fix out")


def _into(options: CheckOptions) -> Into:
    return Into(options.get("out_format"), existing=options.get("if_exists"))


def _writing(options: CheckOptions) -> WrittenOptions:
    """What was said of how the copy is written: with every digit that there is."""
    known = WritingOptions.__annotations__
    return cast(
        "WrittenOptions", {name: value for name, value in options.items() if name in known} | {"digits": DIGITS}
    )


def _fixed(seen: Seen | None, sink: Sink, style: Style) -> Fixed:
    if seen is None:
        raise InputRefused(
            "no row can be told by series and time, so there is nothing to copy",
            hint="say which columns they are: --time --id --target",
        )
    copy, in_csv = repair(seen, sink.format), sink.format == "csv"
    size = sink.write(of_table(copy.table, copy.plain), style)
    actions = (*copy.actions, *(_escaped(ids_of_rows(seen.rows)) if in_csv and not style.raw else ()))
    return Fixed(sink.name, size, copy.rows_before, copy.table.num_rows, actions)


def _left(seen: Seen, copy: str, choices: ColumnChoices, horizon: int | None) -> int:
    """The number of errors in the copy: it is read as the data were, but for what files have of their own."""
    ids = (seen.columns.id_name,) if seen.columns.by_file else seen.columns.ids
    columns = seen.columns
    named = replace(choices, time=columns.time, clock=columns.clock, id=ids, target=columns.target_columns)
    named = replace(named, separator=None, encoding=None)
    try:
        looked = look(copy, named, seen.trained if not columns.by_file else None, horizon)
    except InputRefused:
        return 1
    return sum(finding.severity == "error" for finding in looked.findings)


def _escaped(ids: list[str]) -> tuple[Action, ...]:
    """What must be said of ids that are written as others: a model would not know them."""
    count = sum(csv.defused(name) != name for name in ids)
    what = "ids that a spreadsheet would run got a ' in front; --csv-raw or a .parquet copy leaves them"
    return (Action("id-escaped", count, what),) if count else ()
