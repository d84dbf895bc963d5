"""What counts as drift: another unit, another level, values that stop; not what real series do when they go on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import rnncli
from rnncli.data.panel import Panel
from rnncli.data.statistics import Drift, drift, summarise

Build = Callable[..., Panel]
Run = Callable[..., subprocess.CompletedProcess[str]]
TINY: dict[str, Any] = {"hidden": 4, "layers": 1, "steps": 2, "members": 1, "threads": 1, "horizon": 12}
FILES = {
    "co2_weekly.csv": ("week", None, "co2"),
    "bike_rentals.parquet": ("time", None, "rentals"),
    "sea_temperature.csv.gz": ("time", None, "temperature"),
    "us_employment.csv": ("month", "sector", "employees"),
}


def since(trained: Panel, now: Panel, groups: dict[str, np.ndarray] | None = None, length: int = 7) -> Drift:
    """The drift of a panel from one that was trained on."""
    cutoffs = dict(zip(trained.ids, trained.ends().tolist(), strict=True))
    return drift(summarise(trained, length), now, cutoffs, groups or {}, {})


def noise(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 10, rows)


def test_statistics_are_those_of_each_series(build: Build) -> None:
    given = [np.arange(11.0), np.full(11, 3.0), np.array([np.nan, 1, 2, 3, 100, *[2] * 6])]
    found = summarise(build(*given), 4)
    assert found.center[:, 0].tolist() == [5, 3, 2]
    assert found.spread[0, 0] == pytest.approx(np.abs(given[0] - 5).mean())
    assert found.row[0, 0] == pytest.approx(5 / found.spread[0, 0])
    assert found.block[0, 0] == pytest.approx((np.arange(7, 11).mean() - 5) / found.spread[0, 0])
    assert found.missing[:, 0].tolist() == pytest.approx([0, 0, 1 / 11])


# Real series


@pytest.fixture(scope="module", params=list(FILES))
def real(request: pytest.FixtureRequest, sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A file of the sample data: its table, the first four fifths of each series, the target, a model of those."""
    time, name, target = FILES[request.param]
    path = sample_data / request.param
    table = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    table = table.select([column for column in (time, name, target) if column is not None])
    place = np.arange(len(table)) % 120 / 120 if name else np.arange(len(table)) / len(table)
    early = table.filter(pa.array(place < 0.8))
    model = tmp_path_factory.mktemp("drift") / "m.safetensors"
    rnncli.train(early, output=model, time=time, target=target, **TINY | ({"id": name} if name else {}))
    return table, early, target, model


def times(table: pa.Table, target: str, factor: float) -> pa.Table:
    """The table with its target multiplied."""
    values = pa.array([None if value is None else value * factor for value in table[target].to_pylist()], pa.float64())
    return table.set_column(table.column_names.index(target), target, values)


def test_real_series_that_go_on_have_not_drifted(real: Any) -> None:
    table, _, _, model = real
    found = rnncli.predict(table, model).drift
    assert not found.has_drifted
    assert found.new_rows > 100


def test_the_rows_of_the_training_have_not_drifted(real: Any) -> None:
    _, early, _, model = real
    found = rnncli.predict(early, model).drift
    assert not found.has_drifted
    assert found.new_rows == 0
    assert all(column.drifted == () for column in found.columns)


@pytest.mark.parametrize("factor", [10.0, 1000.0])
def test_a_history_in_another_unit_has_drifted_without_a_new_row(real: Any, factor: float) -> None:
    _, early, target, model = real
    found = rnncli.predict(times(early, target, factor), model).drift
    assert (found.has_drifted, found.new_rows) == (True, 0)


def test_a_history_in_another_unit_has_drifted_whatever_its_few_new_rows_are(sample_data: Path, tmp_path: Path) -> None:
    """Ten times the rentals of a night are the rentals of a usual day."""
    table = parquet.read_table(sample_data / "bike_rentals.parquet").select(["time", "rentals"])
    night = next(row for row, value in enumerate(table["time"].to_pylist()) if str(value) == "2012-08-07 03:00:00")
    rnncli.train(table[:night], output=tmp_path / "m.safetensors", **TINY)
    for new in (1, 2, 3):
        found = rnncli.predict(times(table[: night + new], "rentals", 10.0), tmp_path / "m.safetensors").drift
        assert (found.has_drifted, found.new_rows) == (True, new)


# Columns, groups and series


def test_a_level_that_shifts_is_drift_and_one_that_stays_is_not(build: Build) -> None:
    usual, later = noise(200), noise(14, 1)
    trained = build(usual)
    assert not since(trained, build(np.append(usual, later))).has_drifted
    (column,) = since(trained, build(np.append(usual, later + 60))).columns
    assert column.has_drifted
    assert column.drifted == ("s0",)
    assert "1 of 1 series have left the range of the training ('s0'; " in str(column)


def test_no_more_than_a_fifth_of_the_series_may_leave_their_range(build: Build) -> None:
    usual = [noise(100, seed) for seed in range(10)]
    for moved, drifted in ((1, False), (2, True)):
        now = [np.append(values, np.full(7, 150.0 if place < moved else 100.0)) for place, values in enumerate(usual)]
        found = since(build(*usual), build(*now))
        assert len(found.columns[0].drifted) == moved
        assert found.has_drifted is drifted


def test_one_series_in_another_unit_is_enough_among_many(build: Build) -> None:
    usual = [noise(100, seed) for seed in range(50)]
    found = since(build(*usual), build(usual[0] * 10, *usual[1:]))
    assert found.has_drifted
    assert found.columns[0].drifted == ("s0",)


def test_values_that_stop_are_drift_and_gaps_as_before_are_not(build: Build) -> None:
    usual, holes = noise(200), np.arange(200) % 3 == 0
    trained = build(np.where(holes, np.nan, usual))
    assert not since(trained, build(np.append(np.where(holes, np.nan, usual), [np.nan, 100, 100] * 3))).has_drifted
    (column,) = since(trained, build(np.append(usual, np.full(6, np.nan)))).columns
    assert column.has_drifted
    assert "100% of its recent values are missing, 34% were" in str(column)


def test_every_column_is_told_by_its_name(build: Build) -> None:
    target, rain = noise(200), noise(200, 1)
    trained = build(np.stack([target, rain], axis=1), channels=("y", "rain"))
    now = build(np.stack([target, rain * 25.4], axis=1), channels=("y", "rain"))
    assert [(column.name, column.has_drifted) for column in since(trained, now).columns] == [
        ("y", False),
        ("rain", True),
    ]


def test_groups_are_told_apart(build: Build) -> None:
    usual = [noise(100, seed) for seed in range(4)]
    groups = {"kind=a": np.array([True, True, False, False]), "kind=b": np.array([False, False, True, True])}
    found = since(build(*usual), build(usual[0] * 10, *usual[1:]), groups)
    assert found.groups["kind=a"][0].drifted == ("s0",)
    assert (found.groups["kind=b"][0].has_drifted, found.groups["kind=b"][0].compared) == (False, 2)
    assert found.to_json()["groups"]["kind=b"][0]["drifted"] is False


def test_series_that_training_never_saw_are_counted_and_not_compared(build: Build) -> None:
    usual = noise(100)
    now = replace(build(usual, usual * 1000), ids=("s0", "newcomer"))
    found = since(build(usual), now)
    assert (found.new_series, found.has_drifted, found.columns[0].compared) == (1, False, 1)
    alone = since(build(usual), replace(build(usual * 1000), ids=("newcomer",)))
    assert str(alone.columns[0]) == "column 'y' has no values to compare"


def test_a_series_that_never_changed_has_drifted_once_it_does(build: Build) -> None:
    trained = build(np.full(50, 5.0))
    assert not since(trained, build(np.full(60, 5.0))).has_drifted
    assert since(trained, build(np.append(np.full(50, 5.0), np.full(7, 6.0)))).has_drifted


def test_a_series_without_a_value_is_compared_with_nothing(build: Build) -> None:
    found = since(build(np.full(50, np.nan)), build(np.append(np.full(50, np.nan), np.ones(7))))
    assert (found.has_drifted, found.columns[0].compared) == (False, 0)


def test_noise_that_goes_on_is_seldom_called_drift(build: Build) -> None:
    alarms = sum(
        since(build(values[:200]), build(values)).has_drifted for values in (noise(214, seed) for seed in range(200))
    )
    assert alarms <= 4


# The command line


def test_groups_of_a_static_column_are_in_the_document(run_rnncli: Run, sample_data: Path, tmp_path: Path) -> None:
    header, *lines = (sample_data / "us_employment.csv").read_text().splitlines()
    rows = [(line, "service" if "service" in line else "other") for line in lines]
    data, later = tmp_path / "data.csv", tmp_path / "later.csv"
    data.write_text("\n".join([f"{header},kind", *(f"{line},{kind}" for line, kind in rows), ""]))
    later.write_text(
        "\n".join([f"{header},kind", *(f"{line}{'0' * (kind == 'service')},{kind}" for line, kind in rows), ""])
    )
    model = tmp_path / "m.safetensors"
    rnncli.train(data, output=model, static=("kind",), keep_covariates=True, **TINY)
    document = rnncli.predict(later, model).to_json()["drift"]
    assert {name: columns[0]["drifted"] for name, columns in document["groups"].items()} == {
        "kind=other": False,
        "kind=service": True,
    }
    refused = run_rnncli("predict", later, "-m", model, "--fail-on-drift")
    assert (refused.returncode, refused.stdout) == (7, "")
    assert "the data have drifted since training: column 'employees'" in refused.stderr
    assert "hint: look at these series" in refused.stderr


@pytest.mark.parametrize(("name", "code"), [("format1", 7), ("format2", 0)])
def test_a_model_of_the_first_format_has_nothing_to_compare_with(
    run_rnncli: Run, root: Path, sample_data: Path, tmp_path: Path, name: str, code: int
) -> None:
    model = shutil.copy(root / "tests" / "golden" / f"{name}.safetensors", tmp_path / "m.safetensors")
    output = tmp_path / "f.csv"
    command = ("predict", sample_data / "us_employment.csv", "-m", model, "-o", output)
    done = run_rnncli(*command, "--fail-on-drift")
    assert (done.returncode, output.exists()) == (code, code == 0)
    said = "error: the model has no statistics of its training to compare with\nhint: train it again\n"
    assert done.stderr.endswith(said) == (code == 7)
    assert run_rnncli(*command).returncode == 0
