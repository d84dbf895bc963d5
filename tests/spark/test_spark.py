"""Spark on this machine: what comes out is what the plain functions say, whatever happens to its tasks."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import rnncli
import rnncli.spark
from rnncli.cli import check as check_command
from rnncli.cli import evaluate as evaluate_command
from rnncli.cli import predict as predict_command
from rnncli.cli.streams import Streams
from rnncli.errors import InputRefused, MissingDependency, OutputExists, UsageError
from rnncli.spark import forecasts, session
from rnncli.spark.crossing import told

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"
)


def in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([("shop", "ascending"), ("day", "ascending")]).combine_chunks()


@pytest.fixture(scope="module")
def lake(sales: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sales in a folder of Parquet files that cut series, their rows in no order."""
    folder = tmp_path_factory.mktemp("lake") / "sales"
    folder.mkdir()
    mixed = sales.take(pa.array([(row * 397) % len(sales) for row in range(len(sales))]))
    for part in range(3):
        parquet.write_table(mixed.slice(part * 500, 500), folder / f"part-{part}.parquet")
    return folder


@pytest.fixture(scope="module")
def frame(spark: Any, lake: Path) -> Any:
    return spark.read.parquet(str(lake))


@pytest.fixture
def quiet() -> Iterator[Streams]:
    said = {"json": False, "quiet": True, "verbose": False, "debug": False}
    with Streams("predict", **said, log_file=None, log_format=None, timeout=None) as streams:
        yield streams


def test_the_forecast_is_that_of_predict_bit_for_bit(frame: Any, sales: pa.Table, model: Path) -> None:
    made = rnncli.spark.predict(frame, model, quantiles=[0.1, 0.9], point="mean")
    plain = rnncli.predict(sales, model, quantiles=[0.1, 0.9], point="mean").to_arrow()
    assert in_order(made.frame.toArrow()).equals(in_order(plain))
    assert made.skipped.count() == 0
    made.release()


def test_a_task_that_dies_is_run_again_and_no_row_comes_twice(
    frame: Any, sales: pa.Table, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = tmp_path / "died"

    class Dying(forecasts.EachSeries):  # defined here, so that the workers get its code and not its name
        def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in forecasts.EachSeries.__call__(self, batches):
                yield batch
                if not died.exists():
                    died.touch()
                    os._exit(1)

    monkeypatch.setattr(forecasts, "EachSeries", Dying)
    made = rnncli.spark.predict(frame, model)
    found = made.frame.toArrow()
    assert died.exists()
    assert in_order(found).equals(in_order(rnncli.predict(sales, model).to_arrow()))
    made.release()


def test_series_that_are_skipped_come_back_as_a_table_with_their_reasons(
    frame: Any, sales: pa.Table, model: Path
) -> None:
    from pyspark.sql.functions import col, lit, when

    bad = frame.withColumn("sold", when(col("shop") == "003", lit(math.inf)).otherwise(col("sold")))
    made = rnncli.spark.predict(bad, model, on_bad_series="skip")
    skipped = made.skipped.collect()
    assert [row["id"] for row in skipped] == ["003"]
    assert "infinite" in skipped[0]["reason"]
    others = sales.filter(pa.compute.not_equal(sales["shop"], "003"))
    assert in_order(made.frame.toArrow()).equals(in_order(rnncli.predict(others, model).to_arrow()))
    assert (
        any("missing" in row["note"] or "absent" in row["note"] for row in made.notes.collect())
        or not made.notes.count()
    )
    made.release()
    refused = rnncli.spark.predict(bad, model)
    with pytest.raises(InputRefused, match="infinite"), told():
        refused.frame.count()
    refused.release()


def test_the_scores_are_those_of_evaluate(frame: Any, sales: pa.Table, model: Path) -> None:
    found = rnncli.spark.evaluate(frame, model, windows=2, must_beat=["naive"], fail_if=["mase>100"])
    plain = rnncli.evaluate(sales, model, windows=2, must_beat=["naive"], fail_if=["mase>100"])
    assert found.report.to_json() == plain.report.to_json()
    assert found.gates == plain.gates
    with pytest.raises(UsageError, match="training rows"):
        rnncli.spark.evaluate(frame, model, windows=6)


def test_the_findings_are_those_of_check(frame: Any, sales: pa.Table, model: Path) -> None:
    for beside in (None, model):
        found, plain = rnncli.spark.check(frame, beside, id="shop"), rnncli.check(sales, beside, id="shop")
        assert (found.rows, found.series) == (plain.rows, plain.series)
        counts = {(one.id, one.severity, one.what, one.count) for one in found.findings}
        same = [one for one in plain.findings if one.id not in ("unsorted", "drift")]
        assert counts == {(one.id, one.severity, one.what, one.count) for one in same}


def test_the_command_writes_a_folder_that_a_later_run_replaces(
    spark: Any,
    lake: Path,
    sales: pa.Table,
    model: Path,
    tmp_path: Path,
    quiet: Streams,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "forecast"
    for _ in range(2):
        assert predict_command.predict(quiet, [str(lake)], str(model), str(out), engine="spark") == 0
    files = [file for file in out.iterdir() if file.suffix == ".parquet"]
    found = pa.concat_tables([parquet.read_table(file) for file in files])
    assert in_order(found).equals(in_order(rnncli.predict(sales, model).to_arrow()))
    assert (out / "_SUCCESS").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["forecast"]
    assert capfd.readouterr().out == ""


def test_the_command_reads_csv_as_predict_does(
    spark: Any, sales: pa.Table, model: Path, tmp_path: Path, quiet: Streams
) -> None:
    data, out = tmp_path / "sales.csv", tmp_path / "out"
    csv.write_csv(sales, data)
    assert predict_command.predict(quiet, [str(data)], str(model), str(out), engine="spark", horizon=3) == 0
    found = pa.concat_tables([parquet.read_table(file) for file in out.glob("*.parquet")])
    assert in_order(found).equals(in_order(rnncli.predict(data, model, horizon=3).to_arrow()))


def test_what_is_skipped_is_the_exit_code_and_a_table_that_readers_pass_over(
    spark: Any, sales: pa.Table, model: Path, tmp_path: Path, quiet: Streams
) -> None:
    sold = pa.compute.if_else(pa.compute.equal(sales["shop"], "007"), math.inf, sales["sold"])
    bad = sales.set_column(2, "sold", sold)
    parquet.write_table(bad, tmp_path / "bad.parquet")
    out = tmp_path / "out"
    data = [str(tmp_path / "bad.parquet")]
    assert predict_command.predict(quiet, data, str(model), str(out), engine="spark", on_bad_series="skip") == 3
    noticed = parquet.read_table(out / "_noticed").to_pylist()
    assert [row["id"] for row in noticed if row["kind"] == "skipped"] == ["007"]
    assert "007" not in spark.read.parquet(str(out)).select("shop").distinct().toArrow()["shop"].to_pylist()
    with pytest.raises(InputRefused, match="infinite"):
        predict_command.predict(quiet, data, str(model), str(tmp_path / "none"), engine="spark")
    assert not (tmp_path / "none").exists()


def test_nothing_that_is_read_or_is_not_ours_is_replaced(
    spark: Any, lake: Path, model: Path, tmp_path: Path, quiet: Streams
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    for output in (lake, lake / "forecast", lake.parent):
        with pytest.raises(UsageError, match="reads this"):
            predict_command.predict(quiet, [str(lake)], str(model), str(output), engine="spark")
    with pytest.raises(UsageError, match="no forecast"):
        predict_command.predict(quiet, [str(lake)], str(model), str(theirs), engine="spark")
    with pytest.raises(OutputExists):
        predict_command.predict(quiet, [str(lake)], str(model), str(theirs), engine="spark", if_exists="error")
    assert (theirs / "notes.txt").read_text() == "mine"


def test_the_other_commands_print_what_they_print_without_spark(
    spark: Any, lake: Path, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = {"json": False, "quiet": False, "verbose": False, "debug": False}
    data, rest = [str(lake)], {"log_file": None, "log_format": None, "timeout": None}
    printed = []
    for engine in ({"engine": "spark"}, {}):
        with Streams("evaluate", **said, **rest) as streams:
            evaluate_command.evaluate(streams, data, str(model), windows=2, **engine)
        with Streams("check", **said, **rest) as streams:
            check_command.check(streams, data, str(model), **engine)
        printed.append([line for line in capfd.readouterr().out.splitlines() if line and not line.startswith(" ")])
    assert printed[0][:2] == printed[1][:2]
    assert [line for line in printed[0] if "skill" in line] == [line for line in printed[1] if "skill" in line]


def test_what_spark_cannot_do_is_refused_before_it_begins(model: Path, quiet: Streams, tmp_path: Path) -> None:
    run = predict_command.predict
    with pytest.raises(UsageError, match="--state is not for --engine spark"):
        run(quiet, ["x"], str(model), str(tmp_path / "o"), engine="spark", state=str(tmp_path / "s"))
    with pytest.raises(UsageError, match="folder of Parquet"):
        run(quiet, ["x"], str(model), engine="spark")
    with pytest.raises(UsageError, match="fitted to all series"):
        run(quiet, ["x"], None, str(tmp_path / "o"), engine="spark")
    with pytest.raises(UsageError, match="--master"):
        run(quiet, ["x"], str(model), master="local")


def test_without_pyspark_the_error_is_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency) as refused:
        session.needs_pyspark()
    assert refused.value.exit_code == 2
    assert refused.value.hint == "pip install 'rnncli[spark]'"


@pytest.mark.parametrize(
    ("says", "named"), [('openjdk version "11.0.2"', "Java 11"), ('java version "1.8.0"', "Java 8")]
)
def test_an_old_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, named: str) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingDependency, match=f"needs Java 17, and this is {named}"):
        session.needs_java()


def test_without_java_the_hint_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingDependency, match="needs Java 17, and there is none") as refused:
        session.needs_java()
    assert "JDK 17" in refused.value.hint
