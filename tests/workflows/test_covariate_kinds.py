"""Covariates are numbers, flags and categories, in CSV and in Parquet; what training never saw is a known case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli import model as models
from rnncli.events import Noted

QUICK: dict[str, Any] = {
    "steps": 3,
    "hidden": 4,
    "layers": 1,
    "batch": 4,
    "threads": 1,
    "horizon": 4,
    "keep_covariates": True,
}
ROLES: dict[str, Any] = {"past": ["heat"], "future": ["open", "sky"], "static": ["kind", "size"]}
NAMED: dict[str, Any] = {"target": "sold", "id": "shop", "time": "day"}
DAYS, AHEAD = 50, 4


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Three shops with a covariate of every type in every role that suits it."""
    rng = np.random.default_rng(2)
    parts = []
    for shop, kind, size in (("a", "mall", 2.5), ("b", "street", 1.0), ("c", "mall", 4.0)):
        rows = DAYS + AHEAD
        known = np.arange(rows) < DAYS
        columns = {
            "shop": shop,
            "day": pd.date_range("2024-01-01", periods=rows),
            "sold": pd.Series(20 + rng.normal(0, 1, rows)).where(known),
            "heat": pd.Series(rng.normal(20, 5, rows)).where(known),
            "open": rng.random(rows) < 0.8,
            "sky": rng.choice(["sun", "rain", "snow"], rows, p=[0.6, 0.3, 0.1]),
            "kind": kind,
            "size": size,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def model(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kinds") / "kinds.safetensors"
    rnncli.train(table, output=path, **NAMED, **ROLES, **QUICK)
    return path


def told(data: Any, model: Path) -> tuple[np.ndarray, list[str]]:
    """The quantiles forecast, and the lines that came with them."""
    lines: list[object] = []
    forecast = rnncli.predict(data, model, on_event=lines.append)
    return forecast.table.quantiles, [line.text for line in lines if isinstance(line, Noted)]


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "true.csv": lambda table, path: table.assign(open=table.open.map({True: "true", False: "false"})).to_csv(
        path, index=False
    ),
    "True.csv": lambda table, path: table.to_csv(path, index=False),
    "1.csv": lambda table, path: table.assign(open=table.open.astype(int)).to_csv(path, index=False),
    "strings.parquet": lambda table, path: table.to_parquet(path),
    "dictionary.parquet": lambda table, path: table.astype({"sky": "category", "kind": "category"}).to_parquet(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_model_takes_each_way_of_writing_its_covariates(
    name: str, table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    WRITERS[name](table, tmp_path / name)
    found, notes = told(tmp_path / name, model)
    np.testing.assert_array_equal(found, told(table, model)[0])
    assert not [note for note in notes if "drift" in note or "categories" in note]


@pytest.mark.parametrize("name", WRITERS)
def test_training_takes_each_way_of_writing_covariates(name: str, table: pd.DataFrame, tmp_path: Path) -> None:
    WRITERS[name](table, tmp_path / name)
    spec = rnncli.train(tmp_path / name, **NAMED, **ROLES, **QUICK).model.spec
    assert spec.categories == {"sky": ("rain", "snow", "sun"), "kind": ("mall", "street")}
    assert [covariate.name for covariate in spec.covariates] == ["heat", "open", "sky", "kind", "size"]


def test_a_column_of_true_and_false_is_no_target(table: pd.DataFrame, tmp_path: Path) -> None:
    table[["shop", "day", "sold", "open"]].to_csv(tmp_path / "s.csv", index=False)
    assert rnncli.train(tmp_path / "s.csv", **QUICK).columns.target == "sold"


def test_what_is_neither_true_nor_false_is_refused_with_its_place(
    table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    lines = WRITERS["true.csv"](table, tmp_path / "s.csv") or (tmp_path / "s.csv").read_text().splitlines()
    at = next(place for place, line in enumerate(lines) if ",true," in line and place > 10)
    lines[at] = lines[at].replace(",true,", ",perhaps,")
    (tmp_path / "s.csv").write_text("\n".join([*lines[:1], *lines[1:10] * 300, *lines[10:]]))
    with pytest.raises(rnncli.InputRefused, match="'perhaps' in column 'open' is neither true nor false") as error:
        rnncli.predict(tmp_path / "s.csv", model)
    assert error.value.where == f"{tmp_path / 's.csv'}:{at + 1 + 299 * 9}:5"


def test_a_category_that_training_did_not_have_is_noted_and_forecast(table: pd.DataFrame, model: Path) -> None:
    late = table.day > "2024-02-15"
    found, notes = told(table.assign(sky=table.sky.where(~late | (table.shop == "c"), "fog")), model)
    assert np.isfinite(found).all()
    assert (
        "column 'sky' has categories that training did not have: 'fog' (2 series); they count as the average one"
        in notes
    )
    np.testing.assert_array_equal(found[2], told(table, model)[0][2])


def test_a_static_category_that_training_did_not_have_is_noted(table: pd.DataFrame, model: Path) -> None:
    found, notes = told(table.assign(kind=table.kind.where(table.shop != "a", "kiosk")), model)
    assert np.isfinite(found).all()
    assert any("column 'kind'" in note and "'kiosk' (1 series)" in note for note in notes)


def test_an_unseen_category_enters_as_the_average_of_those_that_training_saw(table: pd.DataFrame, model: Path) -> None:
    from rnncli.tasks.forecast.features import encoded

    spec = models.load(model).spec
    sky = next(covariate for covariate in spec.covariates if covariate.name == "sky")
    codes = table.sky[table.sold.notna()].map({name: float(i) for i, name in enumerate(sky.categories)})
    seen = encoded(codes.to_numpy()[:, None], (sky,), (sky,))
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-12)
    assert not encoded(np.array([[-1.0], [np.nan]]), (sky,), (sky,)).any()


def test_an_empty_cell_is_no_category(table: pd.DataFrame, tmp_path: Path) -> None:
    table.assign(sky=table.sky.where(table.index % 7 > 0)).to_csv(tmp_path / "s.csv", index=False)
    spec = rnncli.train(tmp_path / "s.csv", **NAMED, **ROLES, **QUICK).model.spec
    assert spec.categories["sky"] == ("rain", "snow", "sun")


def test_rare_categories_of_many_are_one_and_new_ones_are_not_noted(table: pd.DataFrame, tmp_path: Path) -> None:
    many = table.assign(sky=[f"sky {place % 70}" for place in range(len(table))])
    training = rnncli.train(many, output=tmp_path / "m", **NAMED, **ROLES, **QUICK)
    assert len(training.model.spec.categories["sky"]) == 64
    _, notes = told(many.assign(sky="sky 99"), tmp_path / "m")
    assert not [note for note in notes if "categories" in note]


def test_a_static_value_holds_in_every_row_if_one_row_has_it(table: pd.DataFrame, model: Path) -> None:
    once = table.assign(size=table["size"].where(table.day == "2024-02-01"))
    np.testing.assert_array_equal(told(once, model)[0], told(table, model)[0])


def test_a_series_without_a_static_value_is_noted_and_forecast(table: pd.DataFrame, model: Path) -> None:
    found, notes = told(table.assign(size=table["size"].where(table.shop != "b")), model)
    assert np.isfinite(found).all()
    assert any("1 series have no value of the static column 'size' (the first: 'b')" in note for note in notes)


def test_rows_that_wait_for_their_target_are_no_drift(table: pd.DataFrame, model: Path) -> None:
    assert not [note for note in told(table, model)[1] if "drift" in note]
    assert rnncli.predict(table, model, fail_on_drift=True).series == 3
    assert "drift" not in {finding.id for finding in rnncli.check(table, model).findings}
