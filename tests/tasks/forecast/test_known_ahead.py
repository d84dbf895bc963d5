"""What is known ahead: from the same table or one of its own, too short, contradictory, or with holes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli.events import Noted

QUICK: dict[str, Any] = {"steps": 3, "hidden": 4, "layers": 1, "batch": 4, "threads": 1, "keep_covariates": True}
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
    with pytest.raises(rnncli.InputRefused, match=r"(?m)missing for 1 of the 5 rows to forecast: 2024-03-03$"):
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
    with pytest.raises(rnncli.InputRefused, match=r"(?m)31\.01\.2024, 01\.02\.2024$"):
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


def test_a_table_of_its_own_forecasts_what_rows_in_the_data_do(
    table: pd.DataFrame, history: pd.DataFrame, later: pd.DataFrame, model: Path
) -> None:
    apart, _ = told(history, model, future_data=later.sample(frac=1, random_state=3))
    together, _ = told(table, model)
    np.testing.assert_array_equal(apart.table.quantiles, together.table.quantiles)
    np.testing.assert_array_equal(apart.table.times, together.table.times)


def test_tables_may_be_several_and_each_fill_what_the_others_lack(
    table: pd.DataFrame, history: pd.DataFrame, later: pd.DataFrame, model: Path
) -> None:
    half = later.assign(promo=later.promo.where(later.shop == "a"))
    data = pd.concat([history, table[table.sold.isna()].assign(promo=np.nan)])
    parts, _ = told(data, model, future_data=[half, later[later.shop == "b"]])
    np.testing.assert_array_equal(parts.table.quantiles, rnncli.predict(table, model).table.quantiles)


def test_a_target_in_the_future_table_is_not_looked_at(
    history: pd.DataFrame, later: pd.DataFrame, table: pd.DataFrame, model: Path
) -> None:
    found = rnncli.predict(history, model, future_data=later.assign(sold="not yet"))
    np.testing.assert_array_equal(found.table.quantiles, rnncli.predict(table, model).table.quantiles)


def test_a_contradiction_after_the_last_target_is_refused_with_its_place(
    table: pd.DataFrame, later: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "later.csv"
    later.assign(promo=later.promo.where(later.shop == "a", 1 - later.promo)).to_csv(wrong, index=False)
    with pytest.raises(rnncli.InputRefused) as error:
        rnncli.predict(table, model, future_data=wrong)
    assert error.value.where == f"{wrong}:7"
    assert "series 'b' has two values of 'promo' at 2024-03-01 (0.0 and 1.0)" in str(error.value)
    kept = rnncli.predict(table, model, future_data=wrong, on_bad_series="skip")
    assert kept.table.ids == ("a",)


def test_two_rows_of_a_future_table_must_agree(history: pd.DataFrame, later: pd.DataFrame, model: Path) -> None:
    twice = pd.concat([later, later.assign(sky=later.sky.where(later.shop == "b", "sun"))])
    with pytest.raises(rnncli.InputRefused, match=r"two values of 'sky' at .* \('rain' and 'sun'\)"):
        rnncli.predict(history, model, future_data=twice)
    agreed = rnncli.predict(history, model, future_data=[later, later])
    np.testing.assert_array_equal(
        agreed.table.quantiles, rnncli.predict(history, model, future_data=later).table.quantiles
    )


def test_rows_of_the_past_in_a_future_table_are_noted_and_not_looked_at(
    table: pd.DataFrame, history: pd.DataFrame, model: Path
) -> None:
    expected = table.drop(columns="sold").assign(promo=table.promo.where(table.sold.isna(), 9))
    forecast, notes = told(history, model, future_data=expected)
    assert any(note.startswith("120 rows of the future data are not after") for note in notes)
    np.testing.assert_array_equal(forecast.table.quantiles, rnncli.predict(table, model).table.quantiles)


def test_series_of_a_future_table_that_the_data_lack_are_noted(
    history: pd.DataFrame, later: pd.DataFrame, model: Path
) -> None:
    forecast, notes = told(history[history.shop == "a"], model, future_data=later)
    assert forecast.table.ids == ("a",)
    assert "1 series of the future data are not in the data (the first: 'b')" in notes


def test_a_future_table_that_ends_early_names_the_dates(
    history: pd.DataFrame, later: pd.DataFrame, model: Path
) -> None:
    with pytest.raises(rnncli.InputRefused, match=r"missing for 2 of the 5 rows to forecast: 2024-03-04, 2024-03-05"):
        rnncli.predict(history, model, future_data=later[later.day.astype(str) < "2024-03-04"])


def test_a_future_table_beside_data_seen_as_of_a_day(table: pd.DataFrame, model: Path) -> None:
    ahead = table.drop(columns="sold")
    then = rnncli.predict(table, model, as_of="2024-02-20")
    apart = rnncli.predict(table[table.sold.notna()], model, as_of="2024-02-20", future_data=ahead)
    np.testing.assert_array_equal(apart.table.quantiles, then.table.quantiles)


def test_a_future_table_lacking_a_column_is_refused(history: pd.DataFrame, later: pd.DataFrame, model: Path) -> None:
    with pytest.raises(rnncli.InputRefused, match="there is no column 'sky'"):
        rnncli.predict(history, model, future_data=later.drop(columns="sky"))


def test_an_empty_list_of_future_tables_is_none(table: pd.DataFrame, model: Path) -> None:
    assert rnncli.predict(table, model, future_data=[]).rows == 2 * AHEAD


def test_future_data_for_a_model_without_future_covariates_is_a_mistake(
    history: pd.DataFrame, later: pd.DataFrame, tmp_path: Path
) -> None:
    rnncli.train(history, output=tmp_path / "m", target="sold", id="shop", horizon=2, **QUICK)
    with pytest.raises(rnncli.UsageError, match="--future-data"):
        rnncli.predict(history, tmp_path / "m", future_data=later)


def test_standard_input_is_one_table(model: Path) -> None:
    with pytest.raises(rnncli.UsageError, match="standard input"):
        rnncli.predict("-", model, future_data="-")


def test_the_command_takes_future_data(
    run_rnncli: Any, history: pd.DataFrame, later: pd.DataFrame, table: pd.DataFrame, model: Path, tmp_path: Path
) -> None:
    history.to_csv(tmp_path / "s.csv", index=False)
    files = []
    for shop in ("a", "b"):
        later[later.shop == shop].to_parquet(tmp_path / f"{shop}.parquet")
        files += ["--future-data", tmp_path / f"{shop}.parquet"]
    done = run_rnncli("predict", tmp_path / "s.csv", "-m", model, *files, "-o", tmp_path / "f.parquet")
    assert done.returncode == 0, done.stderr
    found = pd.read_parquet(tmp_path / "f.parquet")
    np.testing.assert_array_equal(found["q0.5"], rnncli.predict(table, model).table.point.ravel())


def test_a_horizon_beyond_the_trained_one_is_flagged_and_needs_its_covariates(
    table: pd.DataFrame, history: pd.DataFrame, model: Path
) -> None:
    with pytest.raises(rnncli.InputRefused, match=r"missing for 3 of the 8 rows to forecast: 2024-03-06"):
        rnncli.predict(table, model, horizon=8)
    cut = table.assign(sold=table.sold.where(table.day.astype(str) < "2024-02-20"))
    forecast, notes = told(cut, model, horizon=8)
    assert any("from step 6 on forecasts are made from forecasts" in note for note in notes)
    assert (forecast.beyond_trained_from, forecast.to_json()["beyond_trained_from"]) == (6, 6)
    moved = cut.assign(promo=cut.promo.where(cut.day.astype(str) != "2024-02-27", 1 - cut.promo))
    other, _ = told(moved, model, horizon=8)
    differs = (other.table.quantiles != forecast.table.quantiles).any(axis=(0, 2))
    assert differs.tolist() == [False] * 7 + [True]


def test_an_evaluation_beyond_the_trained_horizon_is_flagged(table: pd.DataFrame, model: Path) -> None:
    assert rnncli.evaluate(table, model, horizon=8, refit=False).to_json()["beyond_trained_from"] == 6
    assert rnncli.evaluate(table, model, refit=False).to_json()["beyond_trained_from"] is None
