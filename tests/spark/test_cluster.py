"""A cluster of Spark on this machine, a master and two workers, of which one is killed in the middle of a forecast."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from rnncli.errors import MissingDependency
from rnncli.spark.session import needs_java, needs_pyspark

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SERIES, ROWS = 40_000, 24


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a class of Spark's deploy package, and ends it and its children with the test."""
    try:
        needs_pyspark()
        needs_java()
    except MissingDependency as error:
        pytest.skip(f"{error.message} ({error.hint})")
    import pyspark

    home = Path(pyspark.__file__).parent
    local = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_HOME": str(home), "SPARK_LOCAL_DIRS": str(tmp_path / "local")}
    python = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(root)}
    with ExitStack() as ending:

        def started(name: str, *arguments: object) -> subprocess.Popen[bytes]:
            log = ending.enter_context((tmp_path / f"{name}-{time.monotonic_ns()}.log").open("wb"))
            command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *map(str, arguments)]
            settings = os.environ | local | python
            process = subprocess.Popen(command, stdout=log, stderr=log, env=settings, start_new_session=True)
            ending.callback(kill, process)
            return process

        yield started


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def test_a_worker_that_is_killed_costs_no_row_and_doubles_none(
    start: Callable[..., subprocess.Popen[bytes]],
    run_rnncli: Any,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    data, model, out = tmp_path / "many.parquet", tmp_path / "m.safetensors", tmp_path / "forecast"
    ids = [f"{s:06d}" for s in range(SERIES) for _ in range(ROWS)]
    values = [float((row * 2_654_435_761) % 97) for row in range(len(ids))]
    parquet.write_table(pa.table({"unique_id": ids, "ds": list(range(ROWS)) * SERIES, "y": values}), data)
    parquet.write_table(parquet.read_table(data).slice(0, 200 * ROWS), tmp_path / "few.parquet")
    trained = run_rnncli("train", tmp_path / "few.parquet", "--horizon", 4, "--steps", 4, "--threads", 1, "-o", model)
    assert trained.returncode == 0, trained.stderr
    port = free_port()
    start("master.Master", "--host", "127.0.0.1", "--port", port, "--webui-port", free_port())
    until(lambda: listening(port), 120, "the master does not listen")
    master = f"spark://127.0.0.1:{port}"
    worker = ("--host", "127.0.0.1", "--cores", 1, "--memory", "1g", "--webui-port", 0)
    workers = [start("worker.Worker", *worker, "--work-dir", tmp_path / f"work{n}", master) for n in range(2)]
    begun = (tmp_path / "work0", tmp_path / "work1")
    command = ["predict", str(data), "-m", str(model), "-o", str(out), "--engine", "spark", "--master", master]
    settings = environment | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with (tmp_path / "predict.log").open("wb") as log:
        run = subprocess.Popen([sys.executable, "-m", "rnncli", *command], env=settings, stdout=log, stderr=log)
    until(lambda: all(list(folder.glob("*/*/stderr")) for folder in begun), 240, "the executors have not begun")
    blocks = tmp_path / "local"
    until(lambda: any(blocks.rglob("*.data")) or run.poll() is not None, 240, "nothing was shuffled")
    assert run.poll() is None, (tmp_path / "predict.log").read_text()
    time.sleep(2)
    kill(workers[0])
    assert run.wait(900) == 0, (tmp_path / "predict.log").read_text()
    plain = tmp_path / "plain.parquet"
    assert run_rnncli("predict", data, "-m", model, "-o", plain).returncode == 0
    found = pa.concat_tables([parquet.read_table(file) for file in out.glob("*.parquet")])
    assert in_order(found).equals(in_order(parquet.read_table(plain)))


def in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([("unique_id", "ascending"), ("ds", "ascending")]).combine_chunks()
