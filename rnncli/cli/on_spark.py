"""Commands whose work Spark does: what of their options it takes, and how they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rnncli.cli.streams import SKIPPED, Streams
from rnncli.cli.written import left_alone
from rnncli.errors import OutputExists, UsageError
from rnncli.options import table
from rnncli.options.types import ColumnOptions, columns_of

if TYPE_CHECKING:
    from rnncli.workflows.check import Checked
    from rnncli.workflows.evaluate import Evaluation

SCHEMA = "rnncli.predict/1"
NOT_READ = ("sheet", "query", "wide", "strict", "max_rows", "max_bytes", "max_columns")  # Spark reads
READ = frozenset(ColumnOptions.__annotations__) - {*NOT_READ}
OF_PREDICT = READ | {"output", "horizon", "quantiles", "point", "if_exists", "max_age", "now"}
OF_EVALUATE = READ | {"output", "out_format", "out_separator", "out_decimal", "digits", "if_exists", "lock_wait"}
OF_EVALUATE |= {"windows", "from_", "until", "stride", "horizon", "refit", "fail_if", "must_beat", "alpha"}
OF_CHECK = (READ | {"horizon"}) - {"on_bad_series"}


def refuse_idle(engine: str | None, master: str | None) -> None:
    """UsageError where a master is named, and nothing runs there."""
    if engine is None and master is not None:
        raise UsageError("--master says where Spark runs, and it does not", hint="add --engine spark")


def refuse_untaken(options: Mapping[str, Any], taken: Iterable[str]) -> None:
    """UsageError for an option that means nothing where Spark does the work."""
    for option in table.given(options):
        if option.name not in taken:
            raise UsageError(f"--{option.key} is not for --engine spark", hint="leave one of the two out")


def predict(streams: Streams, master: str | None, data: list[str], model: str | None, options: dict[str, Any]) -> int:
    """Forecast the next rows of every series in DATA into a folder of Parquet."""
    refuse_untaken(options, OF_PREDICT)
    output, existing = options.pop("output", None), options.pop("if_exists", None)
    if output in (None, "-", "/dev/stdout"):
        raise UsageError("--engine spark writes a folder of Parquet, and none is named", hint="add -o DIR")
    if existing == "append":
        raise UsageError("--if-exists append is not for --engine spark", hint="leave it out, or say replace")
    from rnncli.registry import BASE
    from rnncli.spark import runs

    asked: Any = {**options, "point": options.get("point") or "median", "history": None}
    engine = runs.Engine(master, streams.verbose)
    try:
        done = runs.predict(
            engine, data, model or BASE, output, asked, streams, replace=existing not in ("error", "skip")
        )
    except OutputExists:
        if existing != "skip":
            raise
        return left_alone(streams, output, SCHEMA)
    skipped = f"; {done.skipped:,} series are skipped" if done.skipped else ""
    streams.say([f"wrote {done.rows:,} rows ({done.series:,} series) to {output}{skipped}"])
    counts = {"series": done.series, "rows": done.rows, "n_skipped": done.skipped}
    reasons = [{"id": name, "reason": reason} for name, reason in done.reasons]
    streams.result(
        lambda: (
            {"schema": SCHEMA, "output": output, "written": True}
            | counts
            | {"skipped": reasons, "notes": list(done.notes)}
        )
    )
    return SKIPPED if done.skipped else 0


def evaluation(
    streams: Streams, master: str | None, data: list[str], model: str | None, options: dict[str, Any]
) -> Evaluation:
    """The scores of a model on DATA."""
    refuse_untaken(options, OF_EVALUATE)
    from rnncli.registry import BASE
    from rnncli.spark import runs
    from rnncli.tasks.task import Backtest

    asked = {name: options.get(name) for name in ("windows", "stride", "horizon")}
    wanted = Backtest(**asked, refit=options.get("refit", True), start=options.get("from_"), until=options.get("until"))
    gates: Any = {name: options.get(name) or () for name in ("fail_if", "must_beat")} | {"alpha": options.get("alpha")}
    engine = runs.Engine(master, streams.verbose)
    return runs.evaluate(engine, data, model or BASE, wanted, gates, columns_of(options))


def checked(
    streams: Streams, master: str | None, data: list[str], model: str | None, options: dict[str, Any]
) -> Checked:
    """What is wrong with DATA."""
    refuse_untaken(options, OF_CHECK)
    from rnncli.spark import runs

    engine = runs.Engine(master, streams.verbose)
    return runs.check(engine, data, model, options.get("horizon"), columns_of(options))
