"""Sales of some shops, a model of their first weeks, and one session of Spark where there can be one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli.errors import MissingDependency
from rnncli.spark.session import needs_java, needs_pyspark

SHOPS, DAYS, LEARNT = 24, 60, 45
BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001 as the data have it


@pytest.fixture(scope="session")
def sales() -> pa.Table:
    """Daily sales of shops of different age, some values missing: ids are texts such as 007."""
    rng = np.random.default_rng(5)
    ids, times, values = [], [], []
    for shop in range(SHOPS):
        days = np.arange(DAYS - 30 - shop % 20, DAYS)
        level = 20 + 10 * rng.random() * (1 + np.sin(days * 2 * np.pi / 7)) + rng.normal(0, 1, len(days))
        level[::17] = np.nan
        ids += [f"{shop:03d}"] * len(days)
        times += [BEGIN + timedelta(int(day)) for day in days]
        values += level.tolist()
    known = [None if np.isnan(value) else value for value in values]
    return pa.table({"shop": ids, "day": pa.array(times, pa.timestamp("us")), "sold": pa.array(known, pa.float64())})


@pytest.fixture(scope="session")
def model(sales: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the first weeks, hardly trained, that forecasts 5 days."""
    path = tmp_path_factory.mktemp("spark") / "sales.safetensors"
    early = sales.filter(pa.compute.less(sales["day"], BEGIN + timedelta(LEARNT)))
    rnncli.train(early, output=path, id="shop", horizon=5, steps=4, threads=1)
    return path


def why_not() -> str:
    """Why no Spark can run here; "" where it can."""
    try:
        needs_pyspark()
        needs_java()
    except MissingDependency as error:
        return f"{error.message} ({error.hint})"
    return ""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session on this machine, of which each task may fail four times."""
    if why_not():
        pytest.skip(why_not())
    from pyspark.sql import SparkSession

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master("local[2,4]").appName("tests of rnncli")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "37",  # no series ends where a batch does
        "spark.local.dir": str(tmp_path_factory.mktemp("local")),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    begun = builder.getOrCreate()
    yield begun
    begun.stop()
