"""A repaired copy: nothing is invented, what it says was done was done, and doing it twice changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import rnncli
from rnncli.data.load import load_panel
from rnncli.errors import InputRefused, OutputExists, UsageError

HOURS = [f"2024-01-01 {hour:02}:00" for hour in range(24)]
Damage = Callable[[list[str]], list[str]]


def fixed(path: Path, copy: Path, **options: object) -> dict[str, int]:
    """What was done, by the finding it is about."""
    done = rnncli.check(path, fix=copy, **options)  # type: ignore[arg-type]
    assert done.fixed is not None
    return {action.id: action.count for action in done.fixed.actions}


def write(path: Path, lines: list[str], header: str = "id,ds,y") -> Path:
    path.write_text("".join(f"{line}\n" for line in (header, *lines)))
    return path


def sound() -> list[str]:
    return [f"{name},{hour},{place + 1}" for name in ("007", "a b") for place, hour in enumerate(HOURS)]


DAMAGES: dict[str, Damage] = {
    "unsorted": lambda lines: random.Random(1).sample(lines, len(lines)),
    "duplicate-equal": lambda lines: [*lines, lines[3], lines[9]],
    "duplicate-conflicting": lambda lines: [*lines[:6], lines[5].rpartition(",")[0] + ",99", *lines[6:]],
    "gap": lambda lines: [*lines[:5], *lines[8:]],
    "non-finite": lambda lines: [*lines[:5], lines[5].rpartition(",")[0] + ",-inf", *lines[6:]],
    "time-unreadable": lambda lines: [*lines[:5], "007,noon,3", *lines[5:]],
    "time-missing": lambda lines: [*lines[:5], "007,,3", *lines[5:]],
    "id-missing": lambda lines: [*lines[:5], f",{HOURS[0]},3", *lines[5:]],
}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", DAMAGES)
def test_what_was_wrong_is_repaired_and_said(tmp_path: Path, name: str, suffix: str) -> None:
    path, copy = write(tmp_path / "a.csv", DAMAGES[name](sound())), tmp_path / f"b.{suffix}"
    assert name in fixed(path, copy)
    again = rnncli.check(copy)
    assert name not in {finding.id for finding in again.findings}
    assert again
    assert load_panel(copy).panel.ids == ("007", "a b")


@pytest.mark.parametrize(
    "name", [name for name in DAMAGES if name not in ("duplicate-conflicting", "gap", "non-finite")]
)
def test_where_nothing_is_lost_the_copy_is_the_sound_table(tmp_path: Path, name: str) -> None:
    fixed(write(tmp_path / "a.csv", DAMAGES[name](sound())), tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text().splitlines()[1:] in (sound(), sorted(sound(), reverse=True), _swapped())


def _swapped() -> list[str]:
    """The same series in the other order: they come as they first appear."""
    return sound()[24:] + sound()[:24]


@given(
    st.lists(st.sampled_from(sorted(DAMAGES)), max_size=4),
    st.sampled_from(["csv", "parquet"]),
    st.sampled_from(["", "Z", "+05:30"]),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_repairing_twice_changes_nothing(tmp_path: Path, damages: list[str], suffix: str, zone: str) -> None:
    lines = [line.replace(":00,", f":00{zone},") for line in sound()]
    for name in damages:
        lines = DAMAGES[name](lines)
    if zone:
        lines = [line for line in lines if zone in line or "noon" in line or ",," in line]
    path, first, second = (tmp_path / name for name in ("a.csv", f"b.{suffix}", f"c.{suffix}"))
    fixed(write(path, lines), first)
    assert fixed(first, second) == {}
    assert first.read_bytes() == second.read_bytes()


def test_values_and_texts_stay_as_they_were_written(tmp_path: Path) -> None:
    lines = [f"{hour},{place}.50,note {place},0{place}" for place, hour in enumerate(HOURS)]
    path = write(tmp_path / "a.csv", lines[::-1], "when,sales,remark,code")
    fixed(path, tmp_path / "b.csv", target="sales")
    assert (tmp_path / "b.csv").read_text() == "".join(f"{line}\n" for line in ("when,sales,remark,code", *lines))


def test_times_keep_their_zone(tmp_path: Path) -> None:
    days = np.arange("2024-03-01", "2024-05-01", dtype="datetime64[D]").astype("datetime64[us]")
    times = pa.array(days).cast(pa.timestamp("us", "Europe/Berlin"))
    table = pa.table({"ds": times, "y": np.arange(float(len(days)))})
    parquet.write_table(table.take(pa.array(np.arange(len(days))[::-1])), tmp_path / "a.parquet")
    fixed(tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert parquet.read_table(tmp_path / "b.parquet").column("ds").combine_chunks().equals(times)


def test_steps_that_are_added_are_on_the_clock_of_the_zone(tmp_path: Path) -> None:
    days = [f"2024-03-{day:02}T00:00+01:00,{day}" for day in range(20, 32)]
    days += [f"2024-04-{day:02}T00:00+02:00,{day}" for day in (1, 2, 5, 6)]
    fixed(write(tmp_path / "a.csv", days, "ds,y"), tmp_path / "b.csv", zone="Europe/Berlin")
    lines = (tmp_path / "b.csv").read_text().splitlines()
    assert lines[-4:-2] == ["2024-04-03T00:00+02:00,", "2024-04-04T00:00+02:00,"]


def test_a_wide_table_stays_wide(tmp_path: Path) -> None:
    lines = [f"{hour},{place},{'inf' if place == 4 else place}" for place, hour in enumerate(HOURS) if place != 9]
    done = fixed(write(tmp_path / "a.csv", lines, "ds,north,south"), tmp_path / "b.csv", wide=True)
    assert done == {"gap": 1, "non-finite": 1}
    written = (tmp_path / "b.csv").read_text().splitlines()
    assert (written[0], written[5], written[10]) == ("ds,north,south", f"{HOURS[4]},4,", f"{HOURS[9]},,")


def test_ids_that_a_spreadsheet_would_run_are_escaped_and_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [line.replace("a b", "=b") for line in sound()])
    assert fixed(path, tmp_path / "b.csv") == {"id-escaped": 1}
    assert "\n'=b," in (tmp_path / "b.csv").read_text()
    assert fixed(path, tmp_path / "c.csv", csv_raw=True) == {}
    assert "\n=b," in (tmp_path / "c.csv").read_text()
    assert fixed(path, tmp_path / "d.parquet") == {}


def test_a_copy_never_replaces_what_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", sound())
    before = path.read_bytes()
    with pytest.raises(UsageError, match="would replace"):
        rnncli.check(path, fix=path)
    with pytest.raises(UsageError, match="suffix"):
        rnncli.check(path, fix=tmp_path / "b.txt")
    (tmp_path / "c.csv").write_text("mine")
    with pytest.raises(OutputExists):
        rnncli.check(path, fix=tmp_path / "c.csv", if_exists="error")
    assert (path.read_bytes(), (tmp_path / "c.csv").read_text()) == (before, "mine")


def test_what_no_row_can_be_told_from_is_not_copied(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["a,,1", "a,,2"])
    with pytest.raises(InputRefused, match="no row can be told"):
        rnncli.check(path, fix=tmp_path / "b.csv", time="ds", id="id", target="y")
    assert not (tmp_path / "b.csv").exists()
