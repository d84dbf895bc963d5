"""Several targets in one table: each is a series of its own, as if the table had been melted by hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnncli

Run = Callable[..., subprocess.CompletedProcess[str]]
DAYS, HORIZON = 60, 4
TARGETS = ["high", "low", "oil"]
QUICK = ["--steps", "3", "--hidden", "4", "--horizon", str(HORIZON)]
NUMBERS = ["forecast", "q0.1", "q0.5", "q0.9"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two plants with three measures a day, of which one has holes, and a covariate that they share."""
    rng = np.random.default_rng(3)
    days, parts = np.arange(DAYS), []
    for plant in ("a/b", "north"):
        high = 30 + 5 * np.sin(days / 7 * 2 * np.pi) + rng.normal(0, 1, DAYS)
        low = 3 + np.cos(days / 7 * 2 * np.pi) + rng.normal(0, 0.2, DAYS)
        oil = np.where(days % 11 == 4, np.nan, 200 + days + rng.normal(0, 2, DAYS))
        day = pd.date_range("2024-01-01", periods=DAYS).strftime("%Y-%m-%d")
        load = (days % 5).astype(float)
        parts.append(pd.DataFrame({"plant": plant, "day": day, "high": high, "low": low, "oil": oil, "load": load}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def melted(table: pd.DataFrame) -> pd.DataFrame:
    """The same, one row a plant, day and measure, series in the same order."""
    kept = ["plant", "day", "load"]
    long = table.melt(id_vars=kept, value_vars=TARGETS, var_name="target", value_name="y")
    return long.sort_values(["plant", "day"], kind="stable", ignore_index=True)


def written(table: pd.DataFrame, path: Path) -> Path:
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path, index=False)
    return path


def done(run: Run, *arguments: object) -> subprocess.CompletedProcess[str]:
    found = run(*arguments)
    assert found.returncode == 0, found.stderr
    return found


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"plant": str})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("covariate", [[], ["--past", "load", "--keep-covariates"]])
def test_the_forecast_is_that_of_the_table_melted_by_hand(
    run_rnncli: Run,
    table: pd.DataFrame,
    melted: pd.DataFrame,
    tmp_path: Path,
    suffix: str,
    named: bool,
    covariate: list[str],
) -> None:
    if not named:
        table = table[table.plant == "north"].drop(columns="plant")
        melted = melted[melted.plant == "north"].drop(columns="plant")
    one, other = written(table, tmp_path / f"one.{suffix}"), written(melted, tmp_path / f"other.{suffix}")
    ids = ["--id", "plant"] if named else []
    several = [*ids, "--target", ",".join(TARGETS)]
    trained = done(run_rnncli, "train", one, *several, *covariate, *QUICK, "-o", tmp_path / "one.safetensors")
    assert "targets 'high', 'low', 'oil'" in trained.stderr
    by_hand = ["--id", "plant,target" if named else "target", "--target", "y"]
    done(run_rnncli, "train", other, *by_hand, *covariate, *QUICK, "-o", tmp_path / "other.safetensors")
    for name, data in (("one", one), ("other", other)):
        done(run_rnncli, "predict", data, "-m", tmp_path / f"{name}.safetensors", "-o", tmp_path / f"{name}-f.csv")
    found = read(tmp_path / "one-f.csv")
    assert list(found.columns)[: 4 if named else 3] == [*(["plant"] if named else []), "target", "day", "forecast"]
    assert found.target.tolist()[::HORIZON] == TARGETS * (2 if named else 1)
    pd.testing.assert_frame_equal(found, read(tmp_path / "other-f.csv"))


@pytest.fixture
def model(run_rnncli: Run, table: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    data = written(table, tmp_path / "table.csv")
    done(run_rnncli, "train", data, "--id", "plant", "--target", ",".join(TARGETS), *QUICK, "-o", path)
    return path


def test_python_takes_a_list_a_text_and_a_repeated_flag_alike(
    run_rnncli: Run, table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    quick = {"id": "plant", "steps": 3, "hidden": 4, "horizon": HORIZON}
    said = [TARGETS, ",".join(TARGETS)]
    for place, target in enumerate(said):
        made = rnncli.train(table, output=tmp_path / f"{place}.safetensors", target=target, **quick)
        assert made.model.columns.targets == tuple(TARGETS)
    repeated = [part for name in TARGETS for part in ("--target", name)]
    data, again = tmp_path / "table.csv", tmp_path / "again.safetensors"
    done(run_rnncli, "train", data, "--id", "plant", *repeated, *QUICK, "-o", again)
    assert again.read_bytes() == model.read_bytes()
    forecast = rnncli.predict(table, tmp_path / "0.safetensors").to_pandas()
    assert forecast.equals(rnncli.predict(table, tmp_path / "1.safetensors").to_pandas())


def test_a_model_remembers_its_targets_and_gives_them_back(run_rnncli: Run, model: Path, tmp_path: Path) -> None:
    assert "id plant, targets high, low, oil" in done(run_rnncli, "info", model).stdout
    assert rnncli.info(model).settings["target"] == tuple(TARGETS)
    shown = done(run_rnncli, "config", "show", "predict", "-m", model).stdout
    assert any(line.split()[1:3] == ["target", "high,low,oil"] for line in shown.splitlines() if "target" in line)
    (tmp_path / "c.toml").write_text('id = "plant"\ntarget = ["high", "low", "oil"]\n')
    data, again = tmp_path / "table.csv", tmp_path / "again.safetensors"
    done(run_rnncli, "train", data, "--config", tmp_path / "c.toml", *QUICK, "-o", again)
    assert again.read_bytes() == model.read_bytes()


def test_some_of_the_targets_may_be_asked_for(run_rnncli: Run, model: Path, tmp_path: Path) -> None:
    data = tmp_path / "table.csv"
    every, one = tmp_path / "every.csv", tmp_path / "one.csv"
    done(run_rnncli, "predict", data, "-m", model, "-o", every)
    done(run_rnncli, "predict", data, "-m", model, "--target", "oil", "-o", one)
    expected = read(every).query("target == 'oil'").reset_index(drop=True)
    pd.testing.assert_frame_equal(read(one), expected)


def test_a_hole_in_one_target_leaves_the_others_alone(
    run_rnncli: Run, table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    holed = table.copy()
    holed.loc[[40, 45], "low"] = np.nan
    done(run_rnncli, "predict", tmp_path / "table.csv", "-m", model, "-o", tmp_path / "f.csv")
    done(run_rnncli, "predict", written(holed, tmp_path / "h.csv"), "-m", model, "-o", tmp_path / "g.csv")
    before, after = read(tmp_path / "f.csv"), read(tmp_path / "g.csv")
    moved = (before.forecast != after.forecast).to_numpy()
    changed = ((before.plant == "a/b") & (before.target == "low")).to_numpy()
    assert moved.any()
    assert not moved[~changed].any()


def test_a_state_that_is_fed_in_two_runs_is_the_state_of_one(
    run_rnncli: Run, table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    later = table.groupby("plant").cumcount() >= DAYS - 6
    first, rest = written(table[~later], tmp_path / "first.csv"), written(table[later], tmp_path / "rest.csv")
    one, two = tmp_path / "one.state", tmp_path / "two.state"
    at_once = done(run_rnncli, "predict", tmp_path / "table.csv", "-m", model, "--state", one)
    done(run_rnncli, "predict", first, "-m", model, "--state", two)
    then = done(run_rnncli, "predict", rest, "-m", model, "--state", two)
    assert then.stdout == at_once.stdout
    assert "36 new rows were consumed; 6 of 6 series went on" in then.stderr
    assert one.read_bytes() == two.read_bytes()


def test_every_target_is_scored_as_its_own_series(
    run_rnncli: Run, table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    earlier = written(table[table.groupby("plant").cumcount() < DAYS - HORIZON], tmp_path / "earlier.csv")
    data, targets = tmp_path / "table.csv", ["--id", "plant", "--target", ",".join(TARGETS)]
    by = json.loads(done(run_rnncli, "evaluate", data, "-m", model, "--by", "series", "--refit", "--json").stdout)
    assert "a\\/b/oil" in json.dumps(by).replace("\\\\", "\\")
    for shape in ([], ["--tidy"]):
        done(run_rnncli, "predict", earlier, "-m", model, *shape, "-o", tmp_path / "saved.csv")
        saved = ["--forecasts", tmp_path / "saved.csv", "--json"]
        found = json.loads(done(run_rnncli, "evaluate", data, *targets, *saved).stdout)
        assert found["series"] == 6
    kept = tmp_path / "kept.csv"
    windows = ["--windows", "2", "--refit", "--keep-forecasts", kept, "--json"]
    scores = json.loads(done(run_rnncli, "evaluate", data, "-m", model, *windows).stdout)
    again = json.loads(done(run_rnncli, "evaluate", data, *targets, "--forecasts", kept, "--json").stdout)
    assert again["scores"]["model"] == pytest.approx(scores["scores"]["model"], rel=1e-6)
    moved = done(run_rnncli, "diff", tmp_path / "saved.csv", tmp_path / "saved.csv").stdout
    assert "6 in both" in moved


def test_a_future_table_is_of_the_rows_of_every_target(run_rnncli: Run, table: pd.DataFrame, tmp_path: Path) -> None:
    data, model = written(table, tmp_path / "t.csv"), tmp_path / "m.safetensors"
    ahead = [
        pd.DataFrame({"plant": plant, "day": pd.date_range("2024-03-01", periods=HORIZON).date, "load": 2.0})
        for plant in ("a/b", "north")
    ]
    future = written(pd.concat(ahead), tmp_path / "ahead.csv")
    said = ["--id", "plant", "--target", ",".join(TARGETS), "--future", "load", "--keep-covariates"]
    done(run_rnncli, "train", data, *said, *QUICK, "-o", model)
    found = done(run_rnncli, "predict", data, "-m", model, "--future-data", future)
    assert found.stdout.count("\n") == 1 + 6 * HORIZON
    early = future.read_text() + "north,2024-02-01,2.0\n"
    (tmp_path / "early.csv").write_text(early)
    noted = done(run_rnncli, "predict", data, "-m", model, "--future-data", tmp_path / "early.csv")
    assert "1 rows of the future data are not after their series' last target" in noted.stderr
    in_one = written(pd.concat([table, *ahead]), tmp_path / "in_one.csv")
    assert done(run_rnncli, "predict", in_one, "-m", model).stdout == found.stdout
    future.write_text(future.read_text().replace("2.0", "", 1).replace("2.0", "two", 1))
    refused = run_rnncli("predict", data, "-m", model, "--future-data", future)
    assert refused.returncode == 4
    assert "ahead.csv:3:3: 'two' in column 'load'" in refused.stderr


def test_base_forecasts_several_targets(run_rnncli: Run, table: pd.DataFrame, tmp_path: Path) -> None:
    data = written(table[table.plant == "north"].drop(columns=["plant", "load"]), tmp_path / "t.csv")
    found = done(run_rnncli, "predict", data, "--target", ",".join(TARGETS), "--horizon", "5")
    header, *rows = found.stdout.splitlines()
    assert header.startswith("target,day,forecast,q0.1")
    assert [row.split(",")[0] for row in rows[::5]] == TARGETS
    wide = done(run_rnncli, "predict", data, "--target", ",".join(TARGETS), "--horizon", "5", "--out-wide")
    assert wide.stdout.startswith("day,high,low,oil\n")


def test_a_picture_names_each_series_and_no_other_target(run_rnncli: Run, model: Path, tmp_path: Path) -> None:
    drawn = done(run_rnncli, "plot", tmp_path / "table.csv", "-m", model).stdout
    assert "Forecast of high, low, oil, 4 steps" in drawn
    assert "north/oil\n" in drawn
    done(run_rnncli, "plot", tmp_path / "table.csv", "-m", model, "-o", tmp_path / "p.html")
    assert "north/oil: oil, as it is drawn" in (tmp_path / "p.html").read_text()


@pytest.mark.parametrize(
    ("said", "code", "error"),
    [
        (["--target", "high,lwo"], 4, "there is no column 'lwo'"),
        (["--target", "high,high"], 2, "column 'high' was given two roles"),
        (["--target", "high,low", "--past", "low"], 2, "column 'low' was given two roles"),
        (["--target", "high,low", "--wide"], 2, "--wide makes every column of numbers a series"),
        (["--target", "high,plant"], 4, "t.csv:2:1: 'north' in column 'plant' is not a number"),
    ],
)
def test_what_targets_cannot_be(
    run_rnncli: Run, table: pd.DataFrame, tmp_path: Path, said: list[str], code: int, error: str
) -> None:
    data = written(table[table.plant == "north"], tmp_path / "t.csv")
    refused = run_rnncli("train", data, *said, *QUICK, "-o", tmp_path / "m.safetensors")
    assert refused.returncode == code, refused.stderr
    assert error in refused.stderr


@pytest.mark.parametrize("other", [["--label", "plant"], ["--token", "plant"], ["--frame", "high"]])
def test_other_tasks_refuse_targets(run_rnncli: Run, table: pd.DataFrame, tmp_path: Path, other: list[str]) -> None:
    data = written(table, tmp_path / "t.csv")
    refused = run_rnncli("train", data, *other, "--target", "high,low", "-o", tmp_path / "m.safetensors")
    assert refused.returncode == 2
    assert "--target is for forecasts" in refused.stderr


def test_a_model_of_one_target_takes_one(run_rnncli: Run, table: pd.DataFrame, tmp_path: Path) -> None:
    data, model = written(table, tmp_path / "t.csv"), tmp_path / "m.safetensors"
    done(run_rnncli, "train", data, "--id", "plant", "--target", "low", *QUICK, "-o", model)
    refused = run_rnncli("predict", data, "-m", model, "--target", "high,low")
    assert refused.returncode == 2
    assert "--target names 2 columns, and the model was trained with one target" in refused.stderr
