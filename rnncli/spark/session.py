"""pyspark and a session of it, or one clear error; what Spark itself says goes nowhere near stdout."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rnncli.errors import MissingDependency, UsageError

JAVA = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # ids are text, as they are written: 007
}


def needs_pyspark() -> None:
    """MissingDependency where pyspark is not installed."""
    if find_spec("pyspark") is None:
        raise MissingDependency("--engine spark needs the package pyspark", hint="pip install 'rnncli[spark]'")


def needs_java() -> None:
    """MissingDependency where there is no Java, or one that is too old."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    hint = f"install a JDK {JAVA} (openjdk-{JAVA}-jre-headless), or set JAVA_HOME to one"
    says = ""
    if found is not None:
        with suppress(OSError):
            says = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = _VERSION.search(says)
    if version is None:
        raise MissingDependency(f"--engine spark needs Java {JAVA}, and there is none", hint=hint)
    if int(version[1]) < JAVA:
        raise MissingDependency(f"--engine spark needs Java {JAVA}, and this is Java {version[1]}", hint=hint)


@contextmanager
def session(master: str | None, *, loud: bool = False) -> Iterator[Any]:
    """A session at `master`, or where Spark's own settings say, else on this machine, which ends with the block; or the
    one that there is.

    Unless it is `loud`, what the JVM and its workers print goes nowhere. MissingDependency without pyspark or Java,
    UsageError where it does not begin.
    """
    needs_pyspark()
    needs_java()
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        with _without_warnings():
            yield active
        return
    handlers = {number: signal.getsignal(number) for name in _SIGNALS if (number := getattr(signal, name, None))}
    with _streams_apart(loud=loud):
        begun = _begun(master)
    for number, handler in handlers.items():  # pyspark takes SIGINT
        if handler is not None:
            signal.signal(number, handler)
    try:
        with _without_warnings():
            yield begun
    finally:
        with suppress(Exception):
            begun.stop()


@contextmanager
def _without_warnings() -> Iterator[None]:
    """pyspark warns of versions of pandas, which nothing here is made with."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pyspark")
        yield


def _begun(master: str | None) -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("rnncli")
    if master is None or master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = builder if master is None else builder.master(master)
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        where = "" if master is None else master
        says = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(f"Spark did not start: {says[0]}", where=where, hint="-v shows what it says itself") from error


@contextmanager
def _streams_apart(*, loud: bool) -> Iterator[None]:
    """While a process is started, stdout and stderr are nothing, or stderr where it may be `loud`."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    other = os.dup(2) if loud else os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(other, 1)
        os.dup2(other, 2)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
        for descriptor in (*kept, other):
            os.close(descriptor)
