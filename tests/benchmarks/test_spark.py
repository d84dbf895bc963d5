"""What Spark costs beside plain predict, on as many series as RNNCLI_BENCHMARK_SERIES says (1,000,000)."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rnncli.errors import MissingDependency
from rnncli.spark.session import needs_java, needs_pyspark

SERIES, ROWS, HORIZON = int(os.environ.get("RNNCLI_BENCHMARK_SERIES", "1000000")), 24, 6
AT_ONCE = 100_000


def many(path: Path, series: int) -> Path:
    """Monthly series of a year's wave, each of its own size."""
    rng, months = np.random.default_rng(0), np.arange(ROWS)
    times = (np.datetime64("2022-01", "M") + months).astype("datetime64[us]")
    writer: Any = None
    for begin in range(0, series, AT_ONCE):
        count = min(AT_ONCE, series - begin)
        level = rng.lognormal(3, 1, (count, 1))
        values = level * (1 + 0.3 * np.sin(2 * np.pi * months / 12) + rng.normal(0, 0.1, (count, ROWS)))
        ids = np.repeat([f"{begin + s:07d}" for s in range(count)], ROWS)
        table = pa.table({"unique_id": ids, "ds": np.tile(times, count), "y": values.ravel()})
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()
    return path


@pytest.mark.benchmark
def test_spark_takes_a_fifth_and_a_minute_more_than_predict(run_rnncli: Any, start_rnncli: Any, tmp_path: Path) -> None:
    try:
        needs_pyspark()
        needs_java()
    except MissingDependency as error:
        pytest.skip(f"{error.message} ({error.hint})")
    data, model = many(tmp_path / "many.parquet", SERIES), tmp_path / "m.safetensors"
    few = many(tmp_path / "few.parquet", 1_000)
    train = ("train", few, "--horizon", HORIZON, "--steps", 20, "--threads", 1, "-o", model)
    assert run_rnncli(*train).returncode == 0
    plain = timed(start_rnncli, data, model, tmp_path / "plain.parquet")
    spark = timed(start_rnncli, data, model, tmp_path / "by_spark", "--engine", "spark", "--master", "local[2]")
    print(f"{SERIES:,} series of {ROWS} rows: plain {plain:.0f} s, Spark local[2] {spark:.0f} s")  # noqa: T201
    assert digest(tmp_path / "by_spark") == digest(tmp_path / "plain.parquet")
    assert spark < 1.2 * plain + 60


def timed(run: Any, data: Path, model: Path, output: Path, *more: str) -> float:
    """Seconds of a command."""
    begun = time.monotonic()
    done: subprocess.CompletedProcess[str] = run("predict", data, "-m", model, "-o", output, *more)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - begun


def digest(path: Path) -> tuple[int, int]:
    """The number of rows, and a sum over them that changes with any bit of any, whatever their order."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    rows, total = 0, 0
    for file in files:
        for batch in parquet.ParquetFile(file).iter_batches(1 << 18):
            texts = np.array(batch.column(0).to_pylist()).astype(np.int64)
            mixed = texts.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            for place in range(1, batch.num_columns):
                column = batch.column(place)
                bits = np.frombuffer(column.buffers()[1], np.uint64, batch.num_rows, 8 * column.offset)
                mixed = (mixed ^ bits) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(place)
            rows, total = rows + batch.num_rows, (total + int(mixed.sum(dtype=np.uint64))) % (1 << 64)
    return rows, total
