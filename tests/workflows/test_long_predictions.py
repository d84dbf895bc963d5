"""A long forecast is made while it is written, and its file is the one that a forecast made at once would be."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.data import parts
from rnncli.errors import GateFailed, InputRefused, InputStale
from rnncli.events import Noted, unheard
from rnncli.tasks.forecast import answer
from rnncli.tasks.forecast.long_answer import LongForecast
from rnncli.workflows.dry_run import dry_predict
from rnncli.workflows.predict import predicted

HOUR = np.timedelta64(1, "h")


def table(series: int = 30, rows: int = 60, bad: int | None = None) -> pa.Table:
    """Hours of so many series, of which one may be missing altogether."""
    place = np.arange(series * rows)
    y = np.round(20 + 5 * np.sin(2 * np.pi * place / 24) + place // rows, 2)
    if bad is not None:
        y[bad * rows : (bad + 1) * rows] = np.nan
    ids = [f"s{number:03}" for number in range(series)]
    times = np.datetime64("2024-01-01", "us") + (place % rows) * HOUR
    return pa.table({"unique_id": np.repeat(ids, rows), "ds": times, "y": y})


@pytest.fixture(scope="module")
def model() -> Any:
    return rnncli.train(table(), horizon=6, steps=2).model


@pytest.fixture(scope="module")
def positive() -> Any:
    return rnncli.train(table(), horizon=6, steps=2, min=0.0).model


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FROM", 1)
    monkeypatch.setattr(parts, "PART", 300)
    monkeypatch.setattr(answer, "LONG", 1)


def keep(told: list[str], event: object) -> None:
    """A listener that keeps the lines that are told."""
    if isinstance(event, Noted) and not event.detail:
        told.append(event.text)


def long(data: Path, model: Any, output: Path, told: list[str] | None = None, **options: Any) -> Any:
    """The forecast in a file, made in parts."""

    tell = partial(keep, [] if told is None else told)
    return predicted(data, model, output, tell, options, in_parts=True)  # type: ignore[arg-type]


def saved(data: pa.Table, path: Path) -> Path:
    parquet.write_table(data, path, row_group_size=128)
    return path


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "arrow"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_file_is_the_same(model: Any, tmp_path: Path, suffix: str, threads: int) -> None:
    data = saved(table(), tmp_path / "data.parquet")
    at_once = rnncli.predict(parquet.read_table(data), model, output=tmp_path / f"one.{suffix}")
    made = long(data, model, tmp_path / f"parts.{suffix}", threads=threads)
    assert isinstance(made, LongForecast)
    assert (tmp_path / f"parts.{suffix}").read_bytes() == (tmp_path / f"one.{suffix}").read_bytes()
    assert (made.series, made.rows) == (at_once.series, at_once.rows)


def test_base_forecasts_what_it_has_read_in_parts(tmp_path: Path) -> None:
    data = saved(table(), tmp_path / "data.parquet")
    rnncli.predict(parquet.read_table(data), output=tmp_path / "one.csv")
    assert isinstance(long(data, "base", tmp_path / "parts.csv"), LongForecast)
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_series_that_are_apart_are_forecast_at_once(model: Any, tmp_path: Path) -> None:
    mixed = table().sort_by([("ds", "ascending"), ("unique_id", "ascending")])
    data = saved(mixed, tmp_path / "data.parquet")
    rnncli.predict(mixed, model, output=tmp_path / "one.csv")
    long(data, model, tmp_path / "parts.csv")
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_what_is_noticed_is_told_once_for_all_parts(model: Any, tmp_path: Path) -> None:
    data = table()
    values = data.column("y").to_numpy().copy()
    values[59::120] = np.nan
    data = data.set_column(2, "y", pa.array(values, from_pandas=False))
    told: list[str] = []
    made = long(saved(data, tmp_path / "data.parquet"), model, tmp_path / "f.csv", told)
    whole: list[str] = []
    rnncli.predict(data, model, on_event=partial(keep, whole))
    assert sorted(told) == sorted(whole)
    assert made.notes == ("15 series end in missing values (the first: 's000')",)


def test_a_series_of_which_nothing_can_be_said_stops_it_and_the_old_file_stays(model: Any, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("old")
    data = saved(table(bad=25), tmp_path / "data.parquet")
    with pytest.raises(InputRefused, match="none of the last"):
        long(data, model, tmp_path / "f.csv")
    assert (tmp_path / "f.csv").read_text() == "old"
    made = long(data, model, tmp_path / "f.csv", on_bad_series="skip")
    assert [error.series for error in made.skipped] == ["s025"]
    assert made.series == 29


@pytest.mark.parametrize("reason", ["bounds", "stale", "unseen"])
@pytest.mark.parametrize("skip", [False, True])
def test_what_is_refused_is_counted_over_all_parts(positive: Any, tmp_path: Path, reason: str, skip: bool) -> None:
    model = positive
    data, place = table(), np.arange(1800)
    bad = np.isin(place // 60, range(30) if skip else (4, 5, 17, 29))
    values = np.where(bad, {"bounds": -1.0, "stale": 1.0, "unseen": np.nan}[reason], data.column("y").to_numpy())
    times = np.where(bad, np.timedelta64(0), 40 * HOUR) + data.column("ds").to_numpy()
    data = data.set_column(1, "ds", pa.array(times)).set_column(2, "y", pa.array(values, from_pandas=False))
    path, asked = saved(data, tmp_path / "data.parquet"), {"on_bad_series": "skip" if skip else "fail"}
    if reason == "stale":
        asked |= {"max_age": 72_000.0, "now": "2024-01-05 06:00"}
    with pytest.raises((InputRefused, InputStale), match="29 more" if skip else "3 more series") as plain:
        rnncli.predict(data, model, **asked)
    with pytest.raises(type(plain.value)) as found:
        long(path, model, tmp_path / "f.csv", **asked)
    assert str(found.value).replace(str(path), "") == str(plain.value)
    if reason != "unseen":  # which only a forecast of all tells
        with pytest.raises(type(plain.value), match="29 more" if skip else "3 more series"):
            dry_predict(path, model, None, asked, unheard)  # type: ignore[arg-type]
    assert not (tmp_path / "f.csv").exists()


def test_series_of_the_last_part_that_are_skipped_are_told(model: Any, tmp_path: Path) -> None:
    data = table()
    values = np.where(np.arange(1800) >= 1500, np.inf, data.column("y").to_numpy())
    told: list[str] = []
    path = saved(data.set_column(2, "y", pa.array(values)), tmp_path / "data.parquet")
    made = long(path, model, tmp_path / "f.csv", told, on_bad_series="skip")
    assert [error.series for error in made.skipped] == [f"s{number:03}" for number in range(25, 30)]
    assert sum("is skipped" in line for line in told) == 5


def test_drift_in_a_later_part_writes_nothing(model: Any, tmp_path: Path) -> None:
    data = table()
    values = data.column("y").to_numpy().copy()
    values[1500:] *= 1_000
    path = saved(data.set_column(2, "y", pa.array(values)), tmp_path / "data.parquet")
    with pytest.raises(GateFailed, match="drifted"):
        long(path, model, tmp_path / "f.csv", fail_on_drift=True)
    assert not (tmp_path / "f.csv").exists()
    whole = rnncli.predict(parquet.read_table(path), model)
    made = long(path, model, tmp_path / "f.csv")
    assert made.to_json()["drift"] == whole.to_json()["drift"]


def test_where_all_series_are_stale_it_is_that_which_is_said(model: Any, tmp_path: Path) -> None:
    data = saved(table(), tmp_path / "data.parquet")
    with pytest.raises(InputStale):
        long(data, model, tmp_path / "f.csv", max_age=3_600.0, now="2030-01-01", on_bad_series="skip")


def test_what_is_told_is_told_once_where_series_are_apart(model: Any, tmp_path: Path) -> None:
    data = saved(table().sort_by([("ds", "ascending"), ("unique_id", "ascending")]), tmp_path / "data.parquet")
    told: list[str] = []
    predicted(data, model, tmp_path / "f.csv", partial(keep, told), {"horizon": 12}, in_parts=True)
    assert len(told) == len(set(told)) == 1


@pytest.mark.parametrize("apart", [False, True])
def test_a_dry_run_reads_in_parts_what_predict_does(model: Any, tmp_path: Path, apart: bool) -> None:
    data = table().sort_by([("ds", "ascending"), ("unique_id", "ascending")]) if apart else table()
    found = dry_predict(saved(data, tmp_path / "data.parquet"), model, None, {}, unheard)
    assert (found.series, found.rows) == (30, 1800)


def test_a_dry_run_refuses_drift_as_predict_does(model: Any, tmp_path: Path) -> None:
    data = table()
    values = data.column("y").to_numpy().copy()
    values[1500:] *= 1_000
    path = saved(data.set_column(2, "y", pa.array(values)), tmp_path / "data.parquet")
    with pytest.raises(GateFailed, match="drifted"):
        dry_predict(path, model, None, {"fail_on_drift": True}, unheard)
