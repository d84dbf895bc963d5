"""`--holidays`: the days are looked up at training, and the model knows them from then on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli.errors import MissingDependency, UsageError
from rnncli.tasks.forecast.holidays import looked_up

QUICK: dict[str, Any] = {"horizon": 7, "hidden": 6, "members": 1, "batch": 8, "threads": 1, "context": 14, "season": 7}
pytest.importorskip("holidays")


def shop(end: str = "2024-06-30") -> pd.DataFrame:
    """A shop that is nearly empty on the holidays of Germany."""
    days = pd.date_range("2022-01-01", end)
    off = np.isin(days.values.astype("datetime64[D]").astype(np.int64), looked_up(("DE",), 2022, 2030).days)
    sold = 50.0 + 5 * (days.day_of_week == 5) - 45 * off + np.random.default_rng(0).normal(0, 1, len(days))
    return pd.DataFrame({"day": days, "sold": sold})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("holidays") / "m.safetensors"
    rnncli.train(shop(), output=path, holidays=["de"], keep_covariates=True, steps=60, learning_rate=0.03, **QUICK)
    return path


def test_a_forecast_knows_the_holiday_that_comes_without_flag_or_library(model: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "shop.csv", tmp_path / "out.csv"
    shop("2024-09-28").to_csv(data, index=False)
    code = (
        "import sys; sys.modules['holidays'] = None; import rnncli;"
        f"rnncli.predict({str(data)!r}, {str(model)!r}, output={str(out)!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    found = pd.read_csv(out, index_col="day")["forecast"]
    unity, others = found["2024-10-03"], found.drop("2024-10-03")
    assert unity < 0.9 * others.min()


def test_info_names_the_region(model: Path) -> None:
    facts = dict(rnncli.info(model).facts)
    assert facts["covariates"] == "holidays DE"


def test_past_the_last_known_year_it_is_told(model: Path) -> None:
    told: list[Any] = []
    late = shop().assign(day=lambda table: table.day + pd.Timedelta(days=26 * 365 + 7))
    rnncli.predict(late, model, on_event=told.append)
    assert any("knows holidays up to 2049-12-31" in event.text for event in told)


def test_holidays_that_do_not_help_are_left_out() -> None:
    table = shop().assign(sold=lambda table: 50 + np.random.default_rng(1).normal(0, 1, len(table)))
    done = rnncli.train(table, holidays=["US-CA"], steps=20, **QUICK)
    found = done.to_json()["covariates"]
    assert (found["names"], found["kept"]) == (["holidays US-CA"], False)
    assert done.model.calendar.holidays is None


@pytest.mark.parametrize(
    ("said", "hint"),
    [("Germany", "DE"), ("united states", "US"), ("?", "two letters"), ("US-CAL", "CA"), ("DEE", "DE")],
)
def test_an_unknown_region_is_refused_with_a_near_match(said: str, hint: str) -> None:
    with pytest.raises(UsageError, match="no holidays are known") as error:
        looked_up((said,), 2024, 2024)
    assert hint in error.value.hint


def test_several_regions_are_one_set_of_days() -> None:
    one, other, both = (set(looked_up(regions, 2024, 2024).days) for regions in (("DE",), ("US",), ("DE", "US")))
    assert both == one | other


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(MissingDependency) as error:
        looked_up(("DE",), 2024, 2024)
    assert error.value.hint == "pip install 'rnncli[holidays]'"


def test_whole_numbers_have_no_holidays() -> None:
    with pytest.raises(rnncli.InputRefused, match="whole numbers"):
        rnncli.train(pd.DataFrame({"t": range(40), "y": np.arange(40.0)}), holidays=["DE"], steps=1)
