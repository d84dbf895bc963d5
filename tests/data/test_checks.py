"""What is wrong with data is found, counted and placed; what is right is left in peace; training and checks agree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

import rnncli
from rnncli.data.checks.finding import Finding
from rnncli.data.load import load_panel
from rnncli.errors import InputRefused, RnncliError
from rnncli.registry import CHECKS
from rnncli.spec import ColumnChoices

sys.path.insert(0, str(Path(__file__).parents[1] / "faults" / "hostile"))

import binaries  # of tests/faults

Write = Callable[..., Path]
DAY = np.timedelta64(1, "D")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A CSV file of lines below a header."""

    def made(lines: Sequence[str], header: str = "ds,y") -> Path:
        path = tmp_path / "data.csv"
        path.write_text("".join(f"{line}\n" for line in (header, *lines)))
        return path

    return made


def days(values: Sequence[object], start: str = "2024-01-01") -> list[str]:
    first = np.datetime64(start)
    return [f"{first + place * DAY},{value}" for place, value in enumerate(values)]


def wave(rows: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, rows)
    return np.round(100 + 10 * np.sin(np.arange(rows) * 2 * np.pi / 7) + noise, 3)


def findings(path: Path, **options: Any) -> dict[str, Finding]:
    return {finding.id: finding for finding in rnncli.check(path, **options).findings}


def only(path: Path, name: str, **options: Any) -> Finding:
    """The one finding there is."""
    found = findings(path, **options)
    assert list(found) == [name]
    return found[name]


def place(finding: Finding, number: int = 0) -> str:
    return (finding.examples[number].where or "").rpartition("data.csv")[2]


# Clean data


@pytest.mark.parametrize(
    ("name", "options", "allowed"),
    [
        ("co2_weekly.csv", {}, {"missing"}),
        ("us_employment.csv", {}, set()),
        ("sea_temperature.csv.gz", {}, {"gap"}),
        ("bike_rentals.parquet", {"target": "rentals"}, {"gap", "clock-change"}),
        ("bike_rentals.parquet", {"target": "rentals", "past": ["temperature", "humidity"]}, {"gap", "clock-change"}),
    ],
)
def test_sound_data_have_no_errors(sample_data: Path, name: str, options: dict[str, Any], allowed: set[str]) -> None:
    assert set(findings(sample_data / name, **options)) == allowed


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_seasons_are_nothing_to_warn_of(write: Write, seed: int) -> None:
    assert findings(write(days(wave(300, seed)))) == {}


def test_a_random_walk_is_nothing_to_warn_of(write: Write) -> None:
    walk = 1000 + np.random.default_rng(1).normal(0, 3, 500).cumsum()
    assert findings(write(days(walk))) == {}


# Each finding


def test_rows_without_a_time_are_counted(write: Write) -> None:
    lines = days(wave(20))
    lines[3], lines[7] = ",1", ",2"
    found = findings(write(lines))["time-missing"]
    assert (found.severity, found.count, place(found), place(found, 1)) == ("error", 2, ":5", ":9")


def test_times_that_cannot_be_read_are_counted(write: Write) -> None:
    lines = days(wave(20))
    lines[3], lines[7] = "yesterday,1", "2024-02-30,2"
    found = findings(write(lines))["time-unreadable"]
    assert (found.severity, found.count, place(found), place(found, 1)) == ("error", 2, ":5", ":9")


def test_times_with_and_without_a_zone_are_counted(write: Write) -> None:
    lines = [f"2024-01-{day:02}T00:00{'' if day in (4, 9) else 'Z'},{day}" for day in range(1, 20)]
    found = findings(write(lines))["zone-mixed"]
    assert (found.severity, found.count, place(found)) == ("error", 2, ":5")


def test_ids_that_are_missing_or_harmful_are_counted(write: Write) -> None:
    lines = [f"{name},{line}" for name in ("a", "b") for line in days(wave(20))]
    lines[2], lines[25] = lines[2][1:], lines[25].replace("b", "b\x07", 1)
    found = findings(write(lines, "id,ds,y"))
    assert (found["id-missing"].count, place(found["id-missing"])) == (1, ":4")
    assert (found["id-unusable"].count, place(found["id-unusable"])) == (1, ":27")


def test_rows_that_contradict_each_other_are_an_error(write: Write) -> None:
    lines = days(wave(20))
    found = findings(write([*lines[:10], "2024-01-10,7", *lines[10:]]))["duplicate-conflicting"]
    assert (found.severity, found.count, place(found)) == ("error", 1, ":12")
    assert "and 7" in found.examples[0].says


def test_rows_that_repeat_others_are_a_warning(write: Write) -> None:
    lines = days(wave(20))
    found = findings(write([*lines, *lines[:3]]))["duplicate-equal"]
    assert (found.severity, found.count) == ("warning", 3)


def test_rows_in_disorder_are_told(write: Write) -> None:
    assert only(write(days(wave(20))[::-1]), "unsorted").severity == "warning"


def test_series_of_different_steps_are_an_error(write: Write) -> None:
    monthly = [f"m,20{year}-{month:02}-01,{month}" for year in (20, 21, 22) for month in range(1, 13)]
    lines = [f"a{name},{line}" for name in range(3) for line in days(wave(90))]
    found = findings(write([*lines, *monthly], "id,ds,y"))["frequency-mixed"]
    assert (found.severity, found.count, found.examples[0].series) == ("error", 1, "m")


def test_rows_between_the_steps_are_counted(write: Write) -> None:
    lines = [f"2024-01-{day:02} 00:00,{day}" for day in range(1, 29)]
    lines[4], lines[8] = "2024-01-05 00:17,5", "2024-01-09 03:00,9"
    found = findings(write(lines))["frequency-irregular"]
    assert (found.severity, found.count) == ("error", 2)


def test_absent_steps_are_counted(write: Write) -> None:
    lines = days(wave(40))
    found = only(write([*lines[:10], *lines[13:20], *lines[21:]]), "gap")
    assert (found.severity, found.count, place(found)) == ("warning", 4, ":11")
    assert found.examples[0].says == "then 3 steps absent"


def test_a_wrong_year_is_an_error(write: Write) -> None:
    lines = days(wave(40))
    assert findings(write([*lines, "9024-02-10,5"]))["gap-huge"].severity == "error"


def test_offsets_that_nobody_explains_are_a_warning(write: Write) -> None:
    lines = [f"2024-{month:02}-01T00:00+0{1 + (4 <= month <= 10)}:00,{month}" for month in range(1, 13)]
    assert "zone-offsets" in findings(write(lines))


def test_hours_that_do_not_exist_or_come_twice_are_counted(write: Write) -> None:
    hours = [f"2024-03-31 {hour:02}:00,{hour}" for hour in range(24) if hour != 3]
    found = findings(write(hours), zone="Europe/Berlin")["hour-skipped"]
    assert (found.count, place(found)) == (1, ":4")
    autumn = [f"2024-10-27 {hour:02}:00,{hour}" for hour in (0, 1, 2, 2, *range(3, 24))]
    assert findings(write(autumn), zone="Europe/Berlin")["hour-twice"].count == 2


def test_a_clock_that_is_put_forward_is_recognised(write: Write) -> None:
    start = np.datetime64("2024-03-29T00:00")
    hours = [start + np.timedelta64(hour, "h") for hour in range(120)]
    lines = [f"{hour},{place % 24}" for place, hour in enumerate(hours) if str(hour) != "2024-03-31T02:00"]
    found = findings(write(lines))["clock-change"]
    assert (found.severity, found.examples[0].time) == ("warning", "2024-03-31 02:00:00")


def test_infinite_values_are_counted(write: Write) -> None:
    values: list[Any] = list(wave(20))
    values[5], values[9] = "inf", "1e200"
    found = findings(write(days(values)))["non-finite"]
    assert (found.severity, found.count, place(found), place(found, 1)) == ("error", 2, ":7", ":11")


@pytest.mark.parametrize("wrong", [1e4, -500.0])
def test_a_value_far_from_its_neighbours_is_found(write: Write, wrong: float) -> None:
    values = wave(200)
    values[77] = wrong
    found = only(write(days(values)), "outlier")
    assert (found.severity, found.count, place(found)) == ("warning", 1, ":79")


@pytest.mark.parametrize("factor", [10, 100, 1000, 0.001])
def test_a_change_of_unit_is_found_where_it_happened(write: Write, factor: float) -> None:
    values = wave(200)
    values[120:] *= factor
    found = findings(write(days(values)))["unit-jump"]
    assert (found.severity, found.count, place(found)) == ("warning", 1, ":122")


def test_series_that_are_short_constant_or_empty_are_named(write: Write) -> None:
    lines = [f"a,{line}" for line in days(wave(40))]
    lines += [f"b,{line}" for line in days(wave(3))]
    lines += [f"c,{line}" for line in days([7] * 40)]
    lines += [f"d,{line}" for line in days([""] * 40)]
    lines += [f"e,{line}" for line in days([5, *[""] * 30, *range(9)])]
    found = findings(write(lines, "id,ds,y"))
    named = {name: [example.series for example in finding.examples] for name, finding in found.items()}
    assert {name: named[name] for name in ("short", "constant", "nothing-observed", "mostly-missing")} == {
        "short": ["b"],
        "constant": ["c"],
        "nothing-observed": ["d"],
        "mostly-missing": ["e"],
    }


def test_series_that_end_in_missing_values_are_named(write: Write) -> None:
    found = findings(write(days([*wave(30), "", ""])))["trailing-missing"]
    assert (found.severity, found.examples[0].says) == ("warning", "2 rows")


def test_a_single_row_is_too_short(write: Write) -> None:
    assert findings(write(["2024-01-01,1"]))["too-short"].severity == "error"


# Covariates


def test_a_covariate_that_is_the_future_target_is_leakage(write: Write) -> None:
    values = wave(120)
    lines = [f"{day},{ahead}" for day, ahead in zip(days(values[:-3]), values[3:], strict=True)]
    found = findings(write(lines, "ds,y,x"), past=["x"])["leakage"]
    assert (found.severity, found.count) == ("error", 1)
    assert "'x'" in str(found.examples[0])


def test_a_future_covariate_that_is_the_target_is_told(write: Write) -> None:
    lines = [f"{line},{line.split(',')[1]}" for line in days(wave(60))]
    assert {"leakage", "target-copy"} & set(findings(write(lines, "ds,y,x"), future=["x"]))


def test_an_honest_covariate_is_no_leakage(write: Write) -> None:
    other = wave(120, seed=5)
    lines = [f"{line},{value}" for line, value in zip(days(wave(120)), other, strict=True)]
    assert findings(write(lines, "ds,y,x"), past=["x"]) == {}


def test_a_static_that_changes_is_an_error(write: Write) -> None:
    lines = [f"{line},{'north' if place < 30 else 'south'}" for place, line in enumerate(days(wave(60)))]
    assert findings(write(lines, "ds,y,x"), static=["x"])["static-changes"].severity == "error"


def test_future_covariates_must_reach_the_horizon(write: Write) -> None:
    values = [*wave(60), *[""] * 3]
    lines = [f"{line},{place % 2}" for place, line in enumerate(days(values))]
    path = write(lines, "ds,y,x")
    assert "future-ends-early" not in findings(path, future=["x"], horizon=3)
    found = findings(path, future=["x"], horizon=7)["future-ends-early"]
    assert found.count == 1


def test_a_covariate_that_never_changes_is_told(write: Write) -> None:
    lines = [f"{line},1" for line in days(wave(60))]
    assert only(write(lines, "ds,y,x"), "covariate-constant", past=["x"]).severity == "warning"


# Since training


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A model of two series with a numeric and a categorical covariate, and its lines."""
    folder = tmp_path_factory.mktemp("model")
    lines = [
        f"{name},{line},{place % 5},{'wet' if place % 3 else 'dry'}"
        for number, name in enumerate("ab")
        for place, line in enumerate(days(wave(120, number)))
    ]
    data = folder / "data.csv"
    data.write_text("\n".join(["id,ds,y,x,sky", *lines, ""]))
    path = folder / "m.safetensors"
    rnncli.train(data, output=path, past=["x", "sky"], horizon=5, keep_covariates=True, steps=2, hidden=4, members=1)
    return path, lines


def test_the_same_data_have_not_changed(model: tuple[Path, list[str]], write: Write) -> None:
    assert findings(write(model[1], "id,ds,y,x,sky"), model=model[0]) == {}


@pytest.mark.parametrize(
    ("header", "edit", "name", "says"),
    [
        ("id,ds,sales,x,sky", None, "column-missing", "column 'y'"),
        ("id,ds,y,X,sky", None, "column-missing", "is it 'X' now?"),
        ("id,ds,y,x,sky", ("3,dry", "much,dry"), "column-retyped", "now it is text"),
        ("id,ds,y,x,sky", ("dry", "foggy"), "category-new", "foggy"),
        ("id,ds,y,x,sky", ("b,", "c,"), "series-unseen", "'c'"),
        ("id,ds,y,x,sky", ("-01,", "-01T00:00Z,"), "zone-mixed", ""),
    ],
)
def test_what_changed_since_training_is_named(
    model: tuple[Path, list[str]], write: Write, header: str, edit: tuple[str, str] | None, name: str, says: str
) -> None:
    lines = [line.replace(*edit) if edit else line for line in model[1]]
    found = findings(write(lines, header), model=model[0])[name]
    assert any(says in str(example) for example in found.examples)


def test_values_that_left_their_range_are_drift(model: tuple[Path, list[str]], write: Write) -> None:
    more = [f"a,{line},1,wet" for line in days(50 * wave(20), "2024-04-30")]
    assert "drift" in findings(write([*model[1], *more], "id,ds,y,x,sky"), model=model[0])


# Agreement


@pytest.mark.parametrize(
    "name",
    [name for name, case in binaries.all_cases().items() if not set(case[2])],
)
def test_what_training_refuses_has_an_error(tmp_path: Path, name: str) -> None:
    file, data, _ = binaries.all_cases()[name]
    path = tmp_path / file
    path.write_bytes(data)
    try:
        done = rnncli.check(path)
    except RnncliError:
        return
    assert not done


LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", ""]),
        st.sampled_from(
            [*(f"2024-01-{day:02}" for day in range(1, 9)), "2024-02-30", "", "9024-01-01", "2024-01-05 01:00"]
        ),
        st.sampled_from(["1", "2.5", "", "inf", "-1e200", "7"]),
    ),
    min_size=1,
    max_size=12,
)


@given(LINES)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_check_finds_an_error_just_where_loading_refuses(tmp_path: Path, lines: list[tuple[str, ...]]) -> None:
    path = tmp_path / "data.csv"
    path.write_text("".join(f"{','.join(line)}\n" for line in [("id", "ds", "y"), *lines]))
    choices = ColumnChoices(time="ds", id=("id",), target=("y",))
    try:
        panel = load_panel(path, choices).panel
        refused = not (panel.lengths >= 2).any()
    except InputRefused:
        refused = True
    try:
        sound = bool(rnncli.check(path, time="ds", id="id", target="y"))
    except InputRefused:
        sound = False
    assert sound is not refused


# The whole


def test_every_check_is_one_function_that_is_there() -> None:
    from rnncli.registry import find

    assert all(callable(find(CHECKS, name, "check")) for name in CHECKS)


def test_a_million_rows_are_looked_at_in_seconds(tmp_path: Path) -> None:
    import time

    rows, series = 1000, 1000
    times = np.tile(np.arange(rows).astype("datetime64[h]").astype("datetime64[us]"), series)
    values = np.concatenate([wave(rows, seed) for seed in range(series)])
    ids = np.repeat([f"s{number}" for number in range(series)], rows)
    path = tmp_path / "large.csv"
    arrow_csv.write_csv(pa.table({"id": ids, "ds": times, "y": values}), path)
    begun = time.process_time()
    done = rnncli.check(path)
    assert time.process_time() - begun < 30
    assert (done.rows, done.series, bool(done)) == (rows * series, series, True)
