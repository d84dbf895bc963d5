"""What is known ahead: from the same table or one of its own, too short, contradictory, or with holes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli.workflows.events import Noted

QUICK: dict[str, Any] = {"steps": 3, "hidden": 4, "layers": 1, "batch": 4, "threads": 1}
DAYS = 60
AHEAD = 5


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two daily shops; of the last five days only what is known ahead is known."""
    rng = np.random.default_rng(1)
    parts = []
    for shop in ("a", "b"):
        promo = rng.integers(0, 2, DAYS + AHEAD)
        sold = pd.Series(20 + 5 * promo + rng.normal(0, 1, DAYS + AHEAD)).where(np.arange(DAYS + AHEAD) < DAYS)
        day = pd.date_range("2024-01-01", periods=DAYS + AHEAD).date
        sky = np.where(rng.random(DAYS + AHEAD) < 0.5, "sun", "rain")
        parts.append(pd.DataFrame({"shop": shop, "day": day, "sold": sold, "promo": promo, "sky": sky}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def model(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shops") / "shops.safetensors"
    rnncli.train(table, output=path, target="sold", id="shop", future=["promo", "sky"], horizon=AHEAD, **QUICK)
    return path


@pytest.fixture(scope="module")
def history(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.sold.notna()]


@pytest.fixture(scope="module")
def later(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.sold.isna()].drop(columns="sold")


def told(data: Any, model: Path, **options: Any) -> tuple[rnncli.Forecast, list[str]]:
    """A forecast, and the lines that came with it."""
    lines: list[object] = []
    forecast = rnncli.predict(data, model, on_event=lines.append, **options)
    return forecast, [line.text for line in lines if isinstance(line, Noted)]


def test_too_few_rows_ahead_name_the_series_and_the_missing_dates(history: pd.DataFrame, model: Path) -> None:
    with pytest.raises(rnncli.InputRefused) as error:
        rnncli.predict(history, model)
    assert error.value.where == "series 'a'"
    assert "missing for 5 of the 5 rows to forecast: 2024-03-01, 2024-03-02, 2024-03-03 and 2 more" in str(error.value)
    assert "(and 1 more series)" in str(error.value)
    assert "--future-data" in error.value.hint


def test_a_date_that_is_left_out_in_the_middle_is_missing(table: pd.DataFrame, model: Path) -> None:
    with pytest.raises(rnncli.InputRefused, match=r"missing for 1 of the 5 rows to forecast: 2024-03-03$"):
        rnncli.predict(table[(table.day.astype(str) != "2024-03-03") | (table.shop == "b")], model)


def test_a_shorter_horizon_needs_fewer_rows(table: pd.DataFrame, model: Path) -> None:
    short = table[table.day.astype(str) < "2024-03-03"]
    assert rnncli.predict(short, model, horizon=2).rows == 4


def test_only_series_that_lack_rows_are_skipped(table: pd.DataFrame, model: Path) -> None:
    forecast = rnncli.predict(table[table.sold.notna() | (table.shop == "b")], model, on_bad_series="skip")
    assert forecast.table.ids == ("b",)
    assert [error.series for error in forecast.skipped] == ["a"]


def test_dates_are_written_as_the_data_write_them(tmp_path: Path) -> None:
    days = [f"{day:02}.01.2024" for day in range(1, 31)]
    lines = [f"{day},{20 + place % 7},{place % 2}" for place, day in enumerate(days)]
    data = tmp_path / "s.csv"
    data.write_text("\n".join(["day,sold,promo", *lines]))
    rnncli.train(data, output=tmp_path / "m", target="sold", future=["promo"], horizon=2, **QUICK)
    with pytest.raises(rnncli.InputRefused, match=r"31\.01\.2024, 01\.02\.2024$"):
        rnncli.predict(data, tmp_path / "m")


def test_a_missing_value_beside_others_is_noted_and_counts_as_the_average(table: pd.DataFrame, model: Path) -> None:
    day = table.day.astype(str) == "2024-03-02"
    forecast, notes = told(table.assign(promo=table.promo.where(~day)), model)
    average, _ = told(table.assign(promo=table.promo.where(~day, table.promo[table.sold.notna()].mean())), model)
    assert any("'promo' has no value in 2 of the rows to forecast (2 series)" in note for note in notes)
    np.testing.assert_allclose(forecast.table.quantiles, average.table.quantiles, rtol=1e-6)


def test_a_check_with_a_model_finds_what_predict_would_refuse(table: pd.DataFrame, model: Path) -> None:
    holed = table[(table.day.astype(str) != "2024-03-03") | (table.shop == "b")]
    assert "future-ends-early" in {
        finding.id for finding in rnncli.check(holed, model).findings if finding.severity == "error"
    }
    assert "future-ends-early" not in {finding.id for finding in rnncli.check(table, model).findings}
