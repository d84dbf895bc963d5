"""Rows of several targets: which series they are of, where they came from, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.data.known import Known
from rnncli.data.load import load_panel
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, Columns

Lines = Callable[[dict[int, str]], Path]
SMALL: dict[str, Any] = {"horizon": 2, "steps": 1, "members": 1, "hidden": 4}
NAMED: dict[str, Any] = {"id": "shop", "target": "a,b"}
CHOICES = ColumnChoices(id=("shop",), target=("a,b",))
ROWS = 20


@pytest.fixture
def table(tmp_path: Path) -> Lines:
    """A file of two shops, some lines of which are others; the header is line 1."""

    def written(others: dict[int, str]) -> Path:
        lines = ["shop,ds,a,b,p"]
        for shop in ("x", "y/z"):
            lines += [f"{shop},2024-01-{day + 1:02},{day % 7}.5,{100 + day},{day % 3}" for day in range(ROWS)]
        for number, line in others.items():
            lines[number - 1 :] = [line, *lines[number:]] if number <= len(lines) else [line]
        path = tmp_path / "t.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return written


def test_a_series_is_the_id_and_the_target(table: Lines) -> None:
    loaded = load_panel(table({}), CHOICES)
    assert loaded.panel.ids == ("x/a", "x/b", "y\\/z/a", "y\\/z/b")
    assert loaded.panel.target(1).tolist() == [100.0 + day for day in range(ROWS)]
    assert loaded.columns.targets == ("a", "b")
    again = load_panel(table({}), None, Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels))
    assert again.panel.ids == loaded.panel.ids
    assert np.array_equal(again.panel.values, loaded.panel.values)


def test_each_file_is_a_series_of_each_target(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("one", "two"):
        rows = [f"2024-01-{day + 1:02},{day % 7}.5,{100 + day}\n" for day in range(ROWS)]
        (folder / f"{name}.csv").write_text("ds,a,b\n" + "".join(rows))
    model = tmp_path / "m.safetensors"
    rnncli.train(folder, output=model, target=["a", "b"], **SMALL)
    forecast = rnncli.predict(folder, model).to_pandas()
    assert list(forecast.columns[:4]) == ["unique_id", "target", "ds", "forecast"]
    assert forecast[["unique_id", "target"]].to_numpy().tolist()[::2] == [[f, t] for f in ("one", "two") for t in "ab"]
    copied = rnncli.check(folder, target="a,b", fix=tmp_path / "fixed.parquet")
    assert copied
    copy = pd.read_parquet(tmp_path / "fixed.parquet")
    assert copy.unique_id.tolist() == ["one"] * ROWS + ["two"] * ROWS


def test_a_column_whose_name_has_a_comma_is_one_target(tmp_path: Path) -> None:
    rows = [f"2024-01-{day + 1:02},{day}.5,{day}\n" for day in range(9)]
    (tmp_path / "a.csv").write_text('ds,"a,b",c\n' + "".join(rows))
    assert load_panel(tmp_path / "a.csv", ColumnChoices(target=("a,b",))).columns.target == "a,b"
    several = load_panel(tmp_path / "a.csv", ColumnChoices(target=("a,b", "c")))
    assert several.panel.ids == ("a,b", "c")


@pytest.mark.parametrize(
    ("others", "where", "says"),
    [
        ({7: "x,2024-01-06,1.5,many,0"}, ":7:4", "'many' in column 'b'"),
        ({9: "x,2024-01-08,1.5,inf,0"}, ":9", "the value in column 'b' is infinite"),
        ({9: "x,2024-01-08,inf,1,0"}, ":9", "the value in column 'a' is infinite"),
        ({9: "x,2024-01-08,1,1,inf"}, ":9", "the value in column 'p' is infinite"),
        ({9: "x,2024-01-07,6.5,7,0"}, ":9", "series 'x/b' has two different rows at 2024-01-07 (106.0 and 7.0)"),
        ({9: "x,soon,6.5,7,0"}, ":9", "'soon' is not a time"),
        ({9: ",2024-01-08,6.5,7,0"}, ":9", "an id is empty"),
    ],
)
def test_an_error_names_line_and_column(table: Lines, others: dict[int, str], where: str, says: str) -> None:
    choices = ColumnChoices(id=("shop",), target=("a,b",), past=("p",))
    with pytest.raises(InputRefused) as error:
        load_panel(table(others), choices)
    assert error.value.where.endswith(f"t.csv{where}")
    assert says in error.value.message


@pytest.mark.parametrize("choices", [CHOICES, ColumnChoices(wide=True)])
def test_a_row_that_repeats_another_is_counted_once(table: Lines, tmp_path: Path, choices: ColumnChoices) -> None:
    path = table({42: "y/z,2024-01-20,5.5,119,1"})
    if choices.wide:
        path = tmp_path / "w.csv"
        rows = [f"2024-01-{day + 1:02},{day}.5,{day},{day}\n" for day in (*range(ROWS), ROWS - 1)]
        path.write_text("ds,a,b,c\n" + "".join(rows))
    assert "1 rows that repeat another row were dropped" in load_panel(path, choices).notes


def test_a_series_that_is_skipped_leaves_the_other_targets(table: Lines) -> None:
    path = table({9: "x,2024-01-07,6.5,7,0"})
    choices = ColumnChoices(id=("shop",), target=("a,b",), on_bad_series="skip")
    loaded = load_panel(path, choices)
    assert loaded.panel.ids == ("x/a", "y\\/z/a", "y\\/z/b")
    assert [error.series for error in loaded.skipped] == ["x/b"]


def test_a_target_without_any_value_is_refused_by_its_name(tmp_path: Path) -> None:
    columns = {"ds": [f"2024-01-{day + 1:02}" for day in range(9)], "a": [0.5 + day for day in range(9)]}
    parquet.write_table(pa.table(columns | {"b": pa.array([None] * 9, pa.float64())}), tmp_path / "t.parquet")
    with pytest.raises(InputRefused, match="column 'b' has no value"):
        load_panel(tmp_path / "t.parquet", ColumnChoices(target=("a,b",)))
    assert not rnncli.check(tmp_path / "t.parquet", target="a,b")


@pytest.mark.parametrize("role", ["time", "id"])
def test_a_time_or_an_id_that_is_called_target_is_refused(tmp_path: Path, role: str) -> None:
    names = {"time": "shop,target,a,b", "id": "target,ds,a,b"}[role]
    rows = [f"{shop},2024-01-{day + 1:02},{day % 7}.5,{100 + day}\n" for shop in "xy" for day in range(ROWS)]
    (tmp_path / "t.csv").write_text(f"{names}\n" + "".join(rows))
    with pytest.raises(InputRefused, match="a column 'target' tells several targets apart") as error:
        load_panel(tmp_path / "t.csv", ColumnChoices(target=("a,b",)))
    assert error.value.hint == "rename it in the data"


def test_a_target_and_a_covariate_may_be_called_target(tmp_path: Path) -> None:
    rows = [f"2024-01-{day + 1:02},{day % 7}.5,{100 + day},{day % 3}\n" for day in range(ROWS)]
    (tmp_path / "t.csv").write_text("ds,a,target,c\n" + "".join(rows))
    model = tmp_path / "m.safetensors"
    rnncli.train(tmp_path / "t.csv", output=model, target=["a", "target"], **SMALL)
    assert rnncli.predict(tmp_path / "t.csv", model).to_pandas().target.tolist() == ["a", "a", "target", "target"]
    rnncli.train(tmp_path / "t.csv", output=model, target=["a", "c"], past=["target"], keep_covariates=True, **SMALL)
    assert rnncli.predict(tmp_path / "t.csv", model).to_pandas().target.tolist() == ["a", "a", "c", "c"]


def test_check_counts_each_target_by_its_column_and_a_shared_covariate_once(table: Lines) -> None:
    path = table({5: "x,2024-01-04,,103,", 6: "x,2024-01-05,inf,inf,inf"})
    found = {finding.id: finding for finding in rnncli.check(path, past="p", **NAMED).findings}
    assert [example.says for example in found["missing"].examples][:2] == [
        "column 'a': 2 of 40",
        "column 'p': 2 of 40",
    ]
    assert found["non-finite"].count == 3
    assert [example.says for example in found["non-finite"].examples] == [
        "inf in column 'a'",
        "inf in column 'p'",
        "inf in column 'b'",
    ]
    assert {example.where.rpartition(":")[2] for example in found["non-finite"].examples if example.where} == {"6"}


def test_a_covariate_that_knows_one_of_the_targets_is_found(table: Lines) -> None:
    known = pd.read_csv(table({}))
    known["a"] = np.random.default_rng(1).normal(0, 1, len(known))
    known["p"] = known.groupby("shop").a.shift(-2)
    found = {finding.id: finding for finding in rnncli.check(known, past="p", **NAMED).findings}
    assert found["leakage"].count == 1
    assert "column 'p' equals target 'a' 2 steps later" in found["leakage"].examples[0].says


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_repaired_copy_has_each_row_once(table: Lines, tmp_path: Path, form: str) -> None:
    path = table(
        {
            5: "x,2024-01-04,3.5,103,0",
            6: "x,2024-01-04,3.5,103,0",  # again
            8: "x,2024-01-07,6.5,inf,0",  # of which one value is none
            9: "x,2024-01-07,6.5,9,0",  # contradicts it
            12: "x,2024-01-11,3.5,many,1",
        }
    )
    checked = rnncli.check(path, fix=tmp_path / f"copy.{form}", **NAMED)
    assert not checked
    assert checked.fixed is not None
    assert checked.fixed.errors == 0
    assert {action.id: action.count for action in checked.fixed.actions} == {
        "duplicate-equal": 1,
        "duplicate-conflicting": 1,
        "gap": 2,
        "non-finite": 1,
        "number-unreadable": 1,
    }
    copy = pd.read_csv(tmp_path / "copy.csv") if form == "csv" else pd.read_parquet(tmp_path / "copy.parquet")
    assert len(copy) == 2 * ROWS
    assert list(copy.columns) == ["shop", "ds", "a", "b", "p"]
    row = copy[(copy.shop == "x") & (copy.ds.astype(str).str[:10] == "2024-01-11")].iloc[0]
    assert row.a == 3.5
    assert np.isnan(row.b)
    assert rnncli.train(tmp_path / f"copy.{form}", output=tmp_path / "m.safetensors", **NAMED, **SMALL)


def test_check_with_a_model_finds_its_targets_again(table: Lines, tmp_path: Path) -> None:
    path, model = table({}), tmp_path / "m.safetensors"
    rnncli.train(path, output=model, **NAMED, **SMALL)
    assert rnncli.check(path, model)
    grown = tmp_path / "grown.csv"
    grown.write_text(path.read_text().replace("y/z", "new").replace("ds,a,b", "ds,a,c"))
    missing = rnncli.check(grown, model)
    assert [finding.id for finding in missing.findings] == ["column-missing"]
    assert "'b'" in missing.findings[0].examples[0].says
    with pytest.raises(InputRefused, match="there is no column 'b'"):
        rnncli.predict(grown, model)
    found = {finding.id: finding for finding in rnncli.check(grown, model, target="a,c").findings}
    assert found["series-unseen"].count == 3  # x/c, new/a, new/c
    far = tmp_path / "far.csv"
    moved = pd.read_csv(path)
    moved.assign(b=moved.b * 1000).to_csv(far, index=False)
    drifted = next(finding for finding in rnncli.check(far, model).findings if finding.id == "drift")
    assert [example.says[:26] for example in drifted.examples] == ["column 'b': 2 of 2 series "]
    assert [one.name for one in rnncli.predict(far, model).drift.columns if one.has_drifted] == ["b"]


def test_targets_that_a_spreadsheet_would_run_are_scored_from_their_file(tmp_path: Path) -> None:
    rows = [f"x,2024-01-{day + 1:02},{day % 7}.5,{100 + day}\n" for day in range(ROWS)]
    (tmp_path / "t.csv").write_text("shop,ds,=a,-b\n" + "".join(rows))
    (tmp_path / "early.csv").write_text("shop,ds,=a,-b\n" + "".join(rows[:-2]))
    model, named = tmp_path / "m.safetensors", {"id": "shop", "target": ["=a", "-b"]}
    rnncli.train(tmp_path / "early.csv", output=model, **named, **SMALL)
    rnncli.predict(tmp_path / "early.csv", model).write(tmp_path / "f.csv")
    assert "'=a" in (tmp_path / "f.csv").read_text()
    found = rnncli.evaluate(tmp_path / "t.csv", forecasts=tmp_path / "f.csv", **named).report
    assert found.ids == ("x/=a", "x/-b")


def test_percent_signs_are_remembered_for_each_target(tmp_path: Path) -> None:
    rows = [f"2024-01-{day + 1:02},{day % 7}.5%,{100 + day}\n" for day in range(ROWS)]
    path, model = tmp_path / "t.csv", tmp_path / "m.safetensors"
    path.write_text("ds,a,b\n" + "".join(rows))
    rnncli.train(path, output=model, target="a,b", **SMALL)
    assert rnncli.predict(path, model).rows == 4
    path.write_text(path.read_text().replace("%", ""))
    with pytest.raises(InputRefused, match=r"column 'a' is written without a sign, and in training .* with %"):
        rnncli.predict(path, model)


def test_columns_of_one_target_are_written_as_before_and_of_several_come_back() -> None:
    one = Columns(time="ds", id=None, target="y")
    assert not {"targets", "marks"} & set(one.to_json())
    several = Columns(time="ds", id=None, target="a, b", targets=("a", "b"), marks=("", "%"))
    assert Columns.from_json(several.to_json()) == several


def test_wide_and_a_list_of_targets_exclude_each_other(table: Lines) -> None:
    with pytest.raises(UsageError, match="--wide makes every column of numbers a series"):
        load_panel(table({}), ColumnChoices(target=("a,b",), wide=True))


def test_a_chasm_names_the_series_of_its_target(table: Lines) -> None:
    path = table({41: "y/z,9999-01-20,1.5,2,0"})
    with pytest.raises(SeriesRefused) as error:
        load_panel(path, CHOICES)
    assert error.value.series == "y\\/z/a"
