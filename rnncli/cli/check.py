"""`rnncli check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Unpack

from rnncli.cli import on_spark
from rnncli.cli.streams import Streams
from rnncli.cli.terminal import width, wrapped
from rnncli.cli.written import Place, left_alone, refuse_unwritten
from rnncli.errors import InputRefused, OutputExists
from rnncli.options.types import ReadingOptions
from rnncli.outline import counted
from rnncli.registry import WRITERS

if TYPE_CHECKING:
    from rnncli.data.checks.finding import Finding
    from rnncli.workflows.check import Checked

_INDENT = " " * 9


def check(
    streams: Streams,
    data: list[str],
    model: str | None = None,
    horizon: int | None = None,
    fix: str | None = None,
    csv_raw: bool = False,
    out_format: str | None = None,
    out_separator: str | None = None,
    out_decimal: str | None = None,
    if_exists: str | None = None,
    lock_wait: float | None = None,
    engine: str | None = None,
    master: str | None = None,
    **options: Unpack[ReadingOptions],
) -> int:
    """Say what is wrong with DATA, before anything is trained.

    Exits with 4 where there are errors: what training refuses (or predict, with -m MODEL), and leaks. Warnings are
    for people to look at.
    """
    on_spark.refuse_idle(engine, master)
    if engine is not None:
        asked: dict[str, Any] = {
            "fix": fix,
            "csv_raw": csv_raw,
            "out_format": out_format,
            "out_separator": out_separator,
        }
        asked |= {"out_decimal": out_decimal, "if_exists": if_exists}
        asked |= {"lock_wait": lock_wait, "horizon": horizon}
        return _told(streams, on_spark.checked(streams, master, data, model, {**asked, **options}))
    path = Place(fix, out_format, tuple(WRITERS), existing=if_exists).checked()
    marks = {"out_separator": out_separator, "out_decimal": out_decimal}
    refuse_unwritten(path, "--fix", {"out_format": out_format, **marks})
    from rnncli.workflows.check import check as work

    try:
        done = work(
            data,
            model,
            fix=path,
            horizon=horizon,
            if_exists="error" if if_exists in ("error", "skip") else "replace",
            lock_wait=lock_wait,
            csv_raw=csv_raw,
            out_format=out_format,
            **marks,
            on_event=streams,
            **options,
        )
    except OutputExists:
        if if_exists != "skip":
            raise
        return left_alone(streams, str(path), "rnncli.check/1", within="fixed")
    return _told(streams, done)


def _told(streams: Streams, done: Checked) -> int:
    """The result, and the exit code."""
    text = "" if streams.quiet and not done.findings else "".join(f"{line}\n" for line in shown(done))
    streams.result(done.to_json, text.encode(errors="backslashreplace"))
    mended = done.fixed is not None and not done.fixed.errors
    return 0 if done or mended else InputRefused.exit_code


def shown(done: Checked) -> Iterator[str]:
    """The findings, worst first, what was repaired, and the sum of it."""
    for finding in done.findings:
        yield from _finding(finding)
        yield ""
    if done.fixed is not None:
        yield f"wrote {done.fixed.rows:,} rows to {done.fixed.output}, of {done.fixed.rows_before:,}:"
        yield from (f"  {action}" for action in done.fixed.actions)
        yield from () if done.fixed.actions else ("  nothing was to be done",)
        yield from (f"  {done.fixed.errors} errors are left in it",) if done.fixed.errors else ()
        yield ""
    counts = [(done.count(severity), severity) for severity in ("error", "warning", "note")]
    found = ", ".join(f"{count} {severity}{'s' * (count != 1)}" for count, severity in counts if count)
    yield f"{found or 'nothing is wrong'} in {done.rows:,} rows of {counted(done.series, done.units)}"


def _finding(finding: Finding) -> Iterator[str]:
    columns = width(1)
    yield from wrapped(f"{finding.severity:<8} {finding.id} ({finding.count:,}): {finding.what}", columns, _INDENT)
    for example in finding.examples:
        yield f"{_INDENT}{example}"
    yield from wrapped(f"{_INDENT}-> {finding.remedy}", columns, f"{_INDENT}   ")
