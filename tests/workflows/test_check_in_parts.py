"""Large Parquet data are checked some series at a time, and what is found is what is found in all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.data import limits, parts
from rnncli.data.checks import covariates, in_parts, run
from rnncli.errors import InputRefused
from rnncli.workflows.check import Checked

HOUR = np.timedelta64(1, "h")
SERIES, ROWS = 30, 60
Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def columns(series: int = SERIES, rows: int = ROWS) -> dict[str, Any]:
    """Hours of so many series, of which the first stand by no means first in the alphabet."""
    place = np.arange(series * rows)
    y = np.round(20 + 5 * np.sin(2 * np.pi * place / 24) + np.cos(place * 1.7) + place // rows, 2)
    ids = np.repeat([f"s{(number * 7) % series:03}" for number in range(series)], rows)
    return {"unique_id": ids, "ds": np.datetime64("2024-01-01", "us") + (place % rows) * HOUR, "y": y}


def without(found: dict[str, Any], gone: Any) -> dict[str, Any]:
    return {name: np.delete(column, gone) for name, column in found.items()}


def changed(found: dict[str, Any], places: Any, value: Any, name: str = "y") -> dict[str, Any]:
    return found | {name: np.where(np.isin(np.arange(len(found[name])), places), value, found[name])}


def twice(found: dict[str, Any], places: list[int], by: float) -> dict[str, Any]:
    """The rows with some of them a second time, right behind the first, with so much more."""
    for place in reversed(places):
        more = {name: column[place] for name, column in found.items()} | {"y": found["y"][place] + by}
        found = {name: np.insert(column, place + 1, more[name]) for name, column in found.items()}
    return found


def backwards(found: dict[str, Any]) -> dict[str, Any]:
    order = np.arange(len(found["y"]))
    for place in (200, 700, 710, 1500):
        order[[place, place + 1]] = order[[place + 1, place]]
    return {name: column[order] for name, column in found.items()}


def wide_gaps(found: dict[str, Any]) -> dict[str, Any]:
    return without(found, np.concatenate([np.arange(70, 75), np.arange(640, 660), np.arange(900, 903), [1300]]))


def jump(found: dict[str, Any]) -> dict[str, Any]:
    rows = np.concatenate([np.arange(330, 360), np.arange(1590, 1620)])
    return found | {"y": np.where(np.isin(np.arange(len(found["y"])), rows), found["y"] * 1_000, found["y"])}


def far(found: dict[str, Any]) -> dict[str, Any]:
    values = found["y"].copy()
    values[[100, 700, 1500, 1700]] = [1e4, 1e6, 3e5, 2e4]
    return found | {"y": values}


def all_before_spring(found: dict[str, Any]) -> dict[str, Any]:
    """Days in which the clock is put forward, whose hour is left out everywhere."""
    times = np.datetime64("2024-03-29", "us") + (np.arange(len(found["y"])) % ROWS) * HOUR
    return without(found | {"ds": times}, np.flatnonzero(times == np.datetime64("2024-03-31T02:00")))


FAULTS: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda found: found, set()),
    "gap": (wide_gaps, {"gap"}),
    "twice": (lambda found: twice(found, [3, 650, 1500, 1700], 0.0), {"duplicate-equal"}),
    "contradicting": (lambda found: twice(found, [650, 1500], 1.0), {"duplicate-conflicting"}),
    "backwards": (backwards, {"unsorted"}),
    "infinite": (lambda found: changed(found, [9, 800, 801, 1600], np.inf), {"non-finite"}),
    "far": (far, {"outlier"}),
    "unit": (jump, {"unit-jump"}),
    "constant": (lambda found: changed(found, [*range(60), *range(900, 1080)], 4.0), {"constant"}),
    "missing": (
        lambda found: changed(found, [*range(240, 300), *range(610, 655), *range(1010, 1020), 1799], np.nan),
        {"nothing-observed", "mostly-missing", "trailing-missing", "missing"},
    ),
    "nothing at all": (lambda found: changed(found, range(SERIES * ROWS), np.nan), {"nothing-observed"}),
    "short": (lambda found: without(found, [*range(62, 120), *range(603, 660), *range(1205, 1260)]), {"short"}),
    "clock": (all_before_spring, {"clock-change"}),
    "two steps": (
        lambda found: found | {"ds": found["ds"] + np.arange(SERIES * ROWS) // 900 * (found["ds"] - found["ds"][0])},
        {"frequency-mixed"},
    ),
    "off the grid": (
        lambda found: found | {"ds": found["ds"] + (np.arange(SERIES * ROWS) == 1000) * np.timedelta64(7, "m")},
        {"frequency-irregular"},
    ),
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FROM", 1)
    monkeypatch.setattr(parts, "PART", 300)
    monkeypatch.setattr(covariates, "ROWS", 200)
    monkeypatch.setattr(in_parts, "ROWS", 200)


@pytest.fixture
def in_one(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nothing may be read as one."""

    def refused(*_: Any) -> None:
        raise AssertionError("the data were read as one")

    return lambda: monkeypatch.setattr(run, "_read", refused)


@pytest.fixture(scope="module")
def model() -> Any:
    return rnncli.train(pa.table(columns()), horizon=6, steps=2).model


def saved(found: dict[str, Any], path: Path) -> Path:
    arrays = {name: pa.array(column, from_pandas=False) for name, column in found.items()}
    parquet.write_table(pa.table(arrays), path, row_group_size=128)
    return path


def as_one(path: Path, model: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Checked:
    with monkeypatch.context() as here:
        here.setattr(parts, "FROM", 1 << 40)
        return rnncli.check(path, model, **options)


READ_AS_ONE = ("two steps", "off the grid")  # what is wrong there is said of all rows


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("beside", [False, True], ids=["new", "known"])
def test_findings_are_those_of_all(
    name: str, beside: bool, model: Any, tmp_path: Path, in_one: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change, wanted = FAULTS[name]
    path = saved(change(columns()), tmp_path / "data.parquet")
    options = {} if beside else {"id": "unique_id"}
    plain = as_one(path, model if beside else None, monkeypatch, **options)
    if name not in READ_AS_ONE:
        in_one()
    found = rnncli.check(path, model if beside else None, **options)
    assert found.to_json() == plain.to_json()
    if not beside:
        assert wanted <= {finding.id for finding in found.findings}


def test_drift_and_new_series_are_told_as_of_all(
    model: Any, tmp_path: Path, in_one: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = columns()
    found["y"] = np.where(np.arange(SERIES * ROWS) >= 1200, found["y"] * 50, found["y"])
    found["unique_id"] = np.where(np.arange(SERIES * ROWS) // ROWS == 20, "x", found["unique_id"])
    path = saved(found, tmp_path / "data.parquet")
    plain = as_one(path, model, monkeypatch)
    assert {"drift", "series-unseen"} <= {finding.id for finding in plain.findings}
    in_one()
    assert rnncli.check(path, model).to_json() == plain.to_json()


def test_covariates_are_looked_at_as_in_all(
    tmp_path: Path, in_one: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = columns()
    covariates = {"ahead": np.roll(found["y"], -3), "same": found["y"] * 2, "flat": np.full(SERIES * ROWS, 7.0)}
    path = saved(found | covariates, tmp_path / "data.parquet")
    options = {"id": "unique_id", "target": "y", "past": ("ahead", "same", "flat")}
    plain = as_one(path, None, monkeypatch, **options)
    assert {"leakage", "target-copy", "covariate-constant"} <= {finding.id for finding in plain.findings}
    in_one()
    assert rnncli.check(path, **options).to_json() == plain.to_json()


def test_a_future_covariate_that_ends_early_is_told_as_of_all(
    tmp_path: Path, in_one: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = columns()
    place = np.arange(SERIES * ROWS)
    known = np.where(place % ROWS < 40 + place // ROWS % 11, np.cos(place * 0.7), np.nan)
    found = found | {"y": np.where(place % ROWS < 40, found["y"], np.nan), "promo": known}
    path = saved(found, tmp_path / "data.parquet")
    options = {"id": "unique_id", "target": "y", "future": ("promo",), "horizon": 8}
    plain = as_one(path, None, monkeypatch, **options)
    assert "future-ends-early" in {finding.id for finding in plain.findings}
    in_one()
    assert rnncli.check(path, **options).to_json() == plain.to_json()


def test_several_files_are_named_as_in_all(
    tmp_path: Path, in_one: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = far(columns())
    for number, (begin, end) in enumerate(((0, 130), (130, 725), (725, 1800))):
        saved({name: column[begin:end] for name, column in found.items()}, tmp_path / f"p{number}.parquet")
    plain = as_one(tmp_path, None, monkeypatch, id="unique_id")
    places = {str(example.where)[-10:] for finding in plain.findings for example in finding.examples}
    assert places == {"p1.parquet", "p2.parquet"}
    in_one()
    assert rnncli.check(tmp_path, id="unique_id").to_json() == plain.to_json()


def test_what_is_repaired_is_read_as_one(tmp_path: Path) -> None:
    path = saved(wide_gaps(columns()), tmp_path / "data.parquet")
    assert rnncli.check(path, fix=tmp_path / "copy.parquet").fixed


def test_series_that_are_apart_are_checked_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = columns()
    order = np.lexsort((found["unique_id"], found["ds"]))
    path = saved({name: column[order] for name, column in found.items()}, tmp_path / "data.parquet")
    plain = as_one(path, None, monkeypatch)
    assert rnncli.check(path).to_json() == plain.to_json()


def test_what_outgrows_the_memory_is_found_in_parts_all_the_same(
    tmp_path: Path, in_one: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = columns()
    path = saved(twice(found, [650], 1.0), tmp_path / "data.parquet")
    monkeypatch.setattr(limits, "SMALL", 1)
    in_one()
    made = rnncli.check(path, memory=100_000)
    assert [finding.id for finding in made.findings] == ["duplicate-conflicting"]
    order = np.lexsort((found["unique_id"], found["ds"]))
    apart = saved({name: column[order] for name, column in found.items()}, tmp_path / "apart.parquet")
    assert rnncli.check(apart, memory=100_000, cache=str(tmp_path)).findings == ()


def test_nothing_before_a_moment_is_refused_as_of_all(tmp_path: Path) -> None:
    path = saved(columns(), tmp_path / "data.parquet")
    with pytest.raises(InputRefused, match="2020"):
        rnncli.check(path, as_of="2020-01-01")
