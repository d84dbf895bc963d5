"""A frame of Spark dealt out series by series, to a function of Arrow tables that its workers run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from rnncli.data.whole_series import whole_series
from rnncli.errors import InputRefused, UsageError
from rnncli.spark.crossing import telling
from rnncli.spark.session import needs_pyspark

BYTES, UNKNOWN = 16 << 20, 1 << 60  # of a partition, as files have them; what Spark says where it knows no size
SAMPLE = 10_000  # rows from which columns are told
AT_ONCE = 1_000  # series
ROWS = 1 << 20  # of them, from which on fewer series go together
Work = Callable[[pa.Table], Iterable[pa.RecordBatch]]


def checked_frame(frame: Any) -> Any:
    """The frame. UsageError where it is none of Spark's."""
    needs_pyspark()
    if not hasattr(frame, "mapInArrow") or not hasattr(frame, "sparkSession"):
        raise UsageError(f"this takes a DataFrame of Spark, not {type(frame).__name__}", hint="rnncli.predict takes it")
    if not hasattr(frame.sparkSession, "_jsc"):
        hint = "a session that pyspark starts itself, or that spark-submit gives, has one"
        raise UsageError("a session of Spark Connect has no way to deal out a model", hint=hint)
    return frame


def sample(frame: Any) -> pa.Table:
    """Some rows. InputRefused if there are none."""
    rows = frame.limit(SAMPLE).toArrow()
    if not rows.num_rows:
        raise InputRefused("there are no rows", where="the frame", hint="is a filter too narrow?")
    return rows


def dealt_out(frame: Any, keys: tuple[str, ...], times: tuple[str, ...], columns: Iterable[str]) -> Any:
    """The frame with all rows of a series in one partition, one after the other, by time."""
    chosen = frame.select(*map(_named, dict.fromkeys((*keys, *times, *columns))))
    together = chosen.repartition(_partitions(frame), *map(_named, keys)) if keys else chosen.repartition(1)
    return together.sortWithinPartitions(*map(_named, (*keys, *times)))


def _partitions(frame: Any) -> int:
    """In how many partitions series are dealt out: two a core, or more where there is much to read. A table that is
    cached keeps their number, and every one costs a worker's start.
    """
    plan = frame._jdf.queryExecution().optimizedPlan()  # noqa: SLF001  # Python is not told of sizes
    size = int(str(plan.stats().sizeInBytes()))
    session = frame.sparkSession
    most = int(session.conf.get("spark.sql.shuffle.partitions")) if size >= UNKNOWN else -(-size // BYTES)
    return max(2 * int(session.sparkContext.defaultParallelism), most)


def _named(column: str) -> Any:
    from pyspark.sql.functions import col

    return col("`" + column.replace("`", "``") + "`")


class EachSeries:
    """What workers run: whole series of a partition, so many `at_once`, through `work` with the model that was
    broadcast.
    """

    def __init__(self, broadcast: Any, work: Callable[..., Iterable[pa.RecordBatch]], keys: tuple[str, ...]) -> None:
        self._broadcast, self._work, self._keys = broadcast, work, keys

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches of a partition, as `work` makes them of its series."""
        with telling():
            tables = (pa.Table.from_batches([batch]) for batch in batches)
            for table in whole_series(tables, self._keys, ROWS, AT_ONCE):
                yield from self._work(table, self._broadcast.value)


def rows_of_json(frame: Any, each: EachSeries) -> list[dict[str, Any]]:
    """What `each` makes of a frame: a column `part` of JSON, read."""
    made = frame.mapInArrow(each, "part string").toArrow()
    return [json.loads(text) for text in made.column("part").to_pylist()]
