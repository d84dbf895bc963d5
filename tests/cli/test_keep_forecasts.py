"""Forecasts that evaluate keeps: what is in the file, and that it is scored again as it was."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import rnncli
from rnncli import files

Run = Callable[..., subprocess.CompletedProcess[str]]
TINY = ("--horizon", 6, "--hidden", 4, "--layers", 1, "--steps", 4, "--members", 1, "--batch", 16)
SPAN = ("--horizon", 4, "--from", "2014-06-01", "--until", "2015-06-01", "--stride", 2)
OF_A_MODEL = ("in_sample", "refitted", "drift", "beyond_trained_from", "notes")  # what saved forecasts do not know


@pytest.fixture(scope="module")
def ragged(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Employment by month, of which a series ends in 2014, one lacks a value, and one begins in 2015."""
    path = tmp_path_factory.mktemp("ragged") / "jobs.csv"
    lines = []
    for line in (sample_data / "us_employment.csv").read_text().splitlines():
        name, month, value = line.split(",")
        ended = name == "government" and month >= "2014-11"
        begun = name != "construction" or month >= "2015-03"
        if not ended and begun:
            lines.append(f"{name},{month}," + ("" if (name, month) == ("nonfarm", "2015-04-01") else value))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def model(ragged: Path, run_rnncli: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    done = run_rnncli("train", ragged, "--as-of", "2013-12-01", "-o", path, *TINY)
    assert done.returncode == 0, done.stderr
    return path


def _scores(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode in (0, 7), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return {name: value for name, value in found.items() if name not in OF_A_MODEL}


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "arrow"])
def test_kept_forecasts_score_again_as_they_did(
    run_rnncli: Run, ragged: Path, model: Path, tmp_path: Path, suffix: str
) -> None:
    kept = tmp_path / f"kept.{suffix}"
    said = ("--must-beat", "naive", "--json", "--by", "series")
    digits = ("--digits", 17)
    first = run_rnncli("evaluate", ragged, "-m", model, *SPAN, "--keep-forecasts", kept, *said, *digits)
    again = run_rnncli("evaluate", ragged, "--forecasts", kept, "--as-of", "2015-06-01", *said)
    one, other = _scores(first), _scores(again)
    for row in (*one["by_series"], *other["by_series"]):
        del row["in_sample"]
    assert one == other
    assert [window["forecasts"] for window in one["windows"]] == [20, 20, 20, 20, 21]


def test_a_workbook_has_the_forecasts_to_its_fifteen_digits(
    run_rnncli: Run, ragged: Path, model: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.xlsx"
    one = _scores(run_rnncli("evaluate", ragged, "-m", model, *SPAN, "--keep-forecasts", kept, "--json"))
    other = _scores(run_rnncli("evaluate", ragged, "--forecasts", kept, "--as-of", "2015-06-01", "--json"))
    assert one["windows"] == other["windows"]
    assert one["scores"]["model"] == pytest.approx(other["scores"]["model"])


def test_base_and_a_model_that_is_trained_once_more_score_again_as_they_did(
    run_rnncli: Run, sample_data: Path, model: Path, tmp_path: Path
) -> None:
    data = sample_data / "us_employment.csv"
    for who in ((), ("-m", model)):
        kept = tmp_path / "kept.parquet"
        done = run_rnncli("evaluate", data, *who, "--from", "2013-01-01", "--keep-forecasts", kept, "--json")
        assert json.loads(done.stdout)["refitted"] is bool(who)
        assert _scores(done) == _scores(run_rnncli("evaluate", data, "--forecasts", kept, "--json"))


def test_each_row_has_its_origin_and_what_came(run_rnncli: Run, ragged: Path, model: Path, tmp_path: Path) -> None:
    kept, said = tmp_path / "kept.csv", tmp_path / "said.csv"
    done = run_rnncli("evaluate", ragged, "-m", model, *SPAN, "--keep-forecasts", kept)
    assert f"kept {101 * 4} rows of forecasts in {kept}" in done.stderr
    with kept.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:6] == ["sector", "month", "origin", "step", "actual", "forecast"]
    assert list(rows[0])[6:] == [f"q0.{k}" for k in range(1, 10)]
    lines = [line.split(",") for line in ragged.read_text().splitlines()]
    known = {(name, month): value for name, month, value in lines}
    assert all(row["actual"] == known[row["sector"], row["month"]] for row in rows)
    assert {row["month"] for row in rows if not row["actual"]} == {"2015-04-01"}
    assert min(row["month"] for row in rows) == "2014-07-01"
    ended = [(row["origin"], row["step"], row["month"]) for row in rows if row["sector"] == "government"]
    assert ended == [("2014-06-01", str(k), f"2014-{6 + k:02}-01") for k in (1, 2, 3, 4)]
    assert "construction" not in {row["sector"] for row in rows}
    run_rnncli("predict", ragged, "-m", model, "--as-of", "2014-12-01", "--horizon", 4, "-o", said)
    with said.open(newline="") as file:
        told = {(row["sector"], row["month"]): row["forecast"] for row in csv.DictReader(file)}
    mine = [row for row in rows if row["origin"] == "2014-12-01"]
    assert len(mine) == 20 * 4
    assert all(row["forecast"] == told[row["sector"], row["month"]] for row in mine)


def _forms() -> Iterator[tuple[str, str, tuple[object, ...]]]:
    days = [f"2024-01-{day:02}" for day in range(1, 29)]
    yield "one series", "day,y\n" + "".join(f"{day},{k % 7 + 1}.5\n" for k, day in enumerate(days)), ()
    wide = "day,a,b\n" + "".join(f"{day},{k % 7 + 1},{k % 5 + 3}\n" for k, day in enumerate(days))
    yield "wide", wide, ("--wide",)
    counted = "n,y\n" + "".join(f"{100 + k},{k % 7 + 1}.5\n" for k in range(28))
    yield "whole numbers", counted, ("--time", "n")
    clock = "d,c,y\n" + "".join(f"2024-01-0{1 + k // 24},{k % 24:02}:00,{k % 7 + 1}.5\n" for k in range(28))
    yield "date and time of day", clock, ("--time", "d,c")
    zoned = "t,y\n" + "".join(f"2024-03-31T{k:02}:00:00Z,{k % 7 + 1}.5\n" for k in range(24))
    yield "zone", zoned, ("--zone", "Europe/Berlin")
    styled = "t;y\n" + "".join(f"{k + 1:02}.01.2024;{k % 7 + 1},5\n" for k in range(28))
    yield "written otherwise", styled, ("--time-format", "%d.%m.%Y", "--decimal", ",")
    ids = "id,day,y\n" + "".join(
        f"{name},{day},{k % 7 + 1}.5\n" for name in ("=1+1", "'x") for k, day in enumerate(days)
    )
    yield "ids that a spreadsheet would run", ids, ()


@pytest.mark.parametrize(("text", "said"), [form[1:] for form in _forms()], ids=[form[0] for form in _forms()])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_data_of_every_form_are_told_apart_again(
    run_rnncli: Run, tmp_path: Path, text: str, said: tuple[object, ...], suffix: str
) -> None:
    data, kept = tmp_path / "data.csv", tmp_path / f"kept.{suffix}"
    data.write_text(text)
    span = ("--horizon", 3, "--windows", 3, "--stride", 2, "--digits", 17)
    done = run_rnncli("evaluate", data, *said, *span, "--keep-forecasts", kept, "--json")
    assert _scores(done) == _scores(run_rnncli("evaluate", data, *said, "--forecasts", kept, "--json"))


def test_python_has_the_same_table_and_scores_it(run_rnncli: Run, ragged: Path, model: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.parquet"
    span: dict[str, Any] = {"horizon": 4, "start": "2014-06-01", "until": "2015-06-01", "stride": 2}
    done = rnncli.evaluate(ragged, model, keep_forecasts=kept, **span)
    assert done.forecasts is not None
    table = done.forecasts.to_arrow()
    assert table.equals(pq.read_table(kept))
    assert (done.forecasts.rows, table.num_rows) == (404, 404)
    assert str(table.schema.field("step").type) == "int64"
    assert table.column("actual").null_count == 2  # April 2015 of one series, from two origins
    assert done.forecasts.to_pandas().columns.tolist() == table.column_names
    again = rnncli.evaluate(ragged, forecasts=done.forecasts, as_of="2015-06-01")
    assert again.report.model_scores == done.report.model_scores
    assert again.forecasts is None
    assert "101 of 4 steps, 404 rows in all" in repr(done.forecasts)
    done.forecasts.write(tmp_path / "other.csv")
    run_rnncli("evaluate", ragged, "-m", model, *SPAN, "--keep-forecasts", tmp_path / "kept.csv")
    assert (tmp_path / "other.csv").read_bytes() == (tmp_path / "kept.csv").read_bytes()


def test_kept_forecasts_are_compared_moved_and_drawn(
    run_rnncli: Run, sample_data: Path, model: Path, tmp_path: Path
) -> None:
    data = sample_data / "us_employment.csv"
    base, mine, last = (tmp_path / name for name in ("base.parquet", "mine.csv", "last.csv"))
    span = ("--horizon", 6, "--from", "2014-01-01")
    first = run_rnncli("evaluate", data, *span, "--keep-forecasts", base, "--json")
    second = run_rnncli("evaluate", data, "-m", model, *span, "--no-refit", "--keep-forecasts", mine, "--json")
    found = json.loads(run_rnncli("compare", base, mine, data, "--json").stdout)
    assert found["scores"]["base"]["mase"] == pytest.approx(json.loads(first.stdout)["scores"]["model"]["mase"])
    assert found["scores"]["mine"]["mase"] == pytest.approx(json.loads(second.stdout)["scores"]["model"]["mase"])
    with_model = json.loads(run_rnncli("compare", base, "-m", model, data, "--no-refit", "--json").stdout)
    assert with_model["scores"]["m"]["mase"] == pytest.approx(found["scores"]["mine"]["mase"])
    run_rnncli("evaluate", data, "-m", model, "--keep-forecasts", last)
    done = run_rnncli("compare", base, last, data)
    assert (done.returncode, done.stderr.splitlines()[-2]) == (
        4,
        "error: base has forecasts from 4 origins of a series, and last from 1",
    )
    moved = run_rnncli("diff", last, last, "--json")
    assert (moved.returncode, json.loads(moved.stdout)["series"]) == (0, 22)
    assert run_rnncli("plot", data, "--forecast", last, "--series", 1).returncode == 0


def test_the_file_is_written_as_other_outputs_are(run_rnncli: Run, ragged: Path, model: Path, tmp_path: Path) -> None:
    kept, scores = tmp_path / "kept.csv", tmp_path / "scores.csv"
    said = ("evaluate", ragged, "-m", model, "--keep-forecasts", kept)
    kept.write_text("mine\n")
    done = run_rnncli(*said, "--if-exists", "error")
    assert (done.returncode, kept.read_text()) == (2, "mine\n")
    done = run_rnncli(*said, "--if-exists", "skip", "--json")
    assert json.loads(done.stdout) == {"schema": "rnncli.evaluate/1", "output": str(kept), "written": False}
    done = run_rnncli(*said, "--if-exists", "skip", "-o", scores)
    assert (done.returncode, kept.read_text(), scores.exists()) == (0, "mine\n", True)
    with files.locked(kept, 0.0):
        assert (run_rnncli(*said).returncode, kept.read_text()) == (75, "mine\n")
    assert run_rnncli(*said, "--out-separator", ";", "--digits", 3).returncode == 0
    assert kept.read_text().startswith("sector;month;origin;step;actual;forecast;q0.1;")


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (("--keep-forecasts", "jobs.csv"), "DATA reads this, and --keep-forecasts would replace it"),
        (("--keep-forecasts", "k.csv", "-o", "k.csv"), "--output and --keep-forecasts would both write this"),
        (("--keep-forecasts", "kept"), "the suffix of 'kept' does not say what to write"),
        (("--keep-forecasts", "s3://b/k.csv"), "--keep-forecasts takes files of this machine, and no URLs"),
        (("--forecasts", "f.csv", "--keep-forecasts", "k.csv"), "--keep-forecasts is for a model"),
        (("--keep-forecasts", "k.csv", "--if-exists", "append"), "--if-exists append is for tables that predict"),
        (("--digits", 3), "--digits says how a file is written, and none is"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_any_work(
    run_rnncli: Run, ragged: Path, said: tuple[object, ...], says: str
) -> None:
    before = ragged.read_bytes()
    done = run_rnncli("evaluate", ragged.name, *said, cwd=ragged.parent)
    assert (done.returncode, done.stdout, ragged.read_bytes()) == (2, "", before)
    assert says in done.stderr


def test_a_column_that_is_called_as_one_of_the_table_is_refused(run_rnncli: Run, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("step,y\n" + "".join(f"{k},{k % 7 + 1}\n" for k in range(40)))
    done = run_rnncli("evaluate", data, "--time", "step", "--horizon", 3, "--keep-forecasts", tmp_path / "k.csv")
    assert (done.returncode, (tmp_path / "k.csv").exists()) == (4, False)
    assert "error: the forecasts would have two columns called 'step'\nhint: rename it in the data" in done.stderr


def test_steps_that_are_none_are_refused_with_their_place(run_rnncli: Run, ragged: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("sector,month,origin,step,actual,forecast,q0.5\nnonfarm,2015-02-01,2015-01-01,0,1,1,1\n")
    done = run_rnncli("evaluate", ragged, "--forecasts", kept)
    assert done.returncode == 4
    assert f"error: {kept}:2: column 'step' is not a whole number from 1 on" in done.stderr
