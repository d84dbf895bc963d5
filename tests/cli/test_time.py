"""Clocks: forecasts as of a moment, data that are late, daylight saving, and environments that know no time at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli

Run = Callable[..., subprocess.CompletedProcess[str]]
SIZES = {"hidden": 4, "layers": 1, "steps": 2, "members": 1, "batch": 16}
TINY = tuple(part for name, size in SIZES.items() for part in (f"--{name}", size))


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    """A model that hardly learnt from these data."""

    def train(data: Path, **more: Any) -> Path:
        model = tmp_path / f"{data.stem}.safetensors"
        rnncli.train(data, output=model, **({"horizon": 6} | SIZES | more))
        return model

    return train


def forecast(run: Run, data: Path, model: Path, *more: object) -> str:
    done = run("predict", data, "-m", model, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def usual(run_rnncli: Run, weekly: Path, small_model: Path) -> str:
    """What the small model forecasts."""
    return forecast(run_rnncli, weekly, small_model)


def wave(rows: int) -> np.ndarray:
    return np.round(50 + 10 * np.sin(np.arange(rows) * 2 * np.pi / 24), 4)


def table(path: Path, times: list[str], header: str = "ds,y") -> Path:
    path.write_text(
        "".join(f"{line}\n" for line in (header, *(f"{t},{v}" for t, v in zip(times, wave(len(times)), strict=True))))
    )
    return path


# As of


@pytest.mark.parametrize("moment", ["1990-05-05", "1990-05-11 23:59", "1990-05-05T00:00Z"])
def test_a_forecast_as_of_a_moment_is_that_of_the_file_as_it_was(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path, moment: str
) -> None:
    early = tmp_path / "early.csv"
    early.write_text(
        "".join(line for line in weekly.read_text().splitlines(keepends=True) if line < "1990-05-06" or line[0] == "w")
    )
    assert forecast(run_rnncli, weekly, small_model, "--as-of", moment) == forecast(run_rnncli, early, small_model)


def test_what_is_known_ahead_is_seen_and_nothing_else(
    run_rnncli: Run, trained: Callable[..., Path], tmp_path: Path
) -> None:
    data, early = tmp_path / "data.csv", tmp_path / "early.csv"
    rows = [(f"2024-{1 + day // 28:02}-{1 + day % 28:02}", value, day % 7 < 5) for day, value in enumerate(wave(56))]
    rows = [(f"{np.datetime64('2024-01-01') + day}", value, open_) for day, (_, value, open_) in enumerate(rows)]
    data.write_text("ds,y,open\n" + "".join(f"{t},{v},{int(o)}\n" for t, v, o in rows))
    early.write_text("ds,y,open\n" + "".join(f"{t},{v if t <= '2024-02-10' else ''},{int(o)}\n" for t, v, o in rows))
    model = trained(data, future=["open"], keep_covariates=True)
    assert forecast(run_rnncli, data, model, "--as-of", "2024-02-10") == forecast(run_rnncli, early, model)


def test_whole_numbers_are_moments_too(run_rnncli: Run, trained: Callable[..., Path], tmp_path: Path) -> None:
    data = table(tmp_path / "data.csv", [str(step) for step in range(80)])
    early = table(tmp_path / "early.csv", [str(step) for step in range(61)])
    model = trained(data)
    assert forecast(run_rnncli, data, model, "--as-of", "60") == forecast(run_rnncli, early, model)


@pytest.mark.parametrize("moment", ["2024-01-04T04:00Z", "2024-01-03T23:59-05:00", "2024-01-04T05:30+01:00"])
def test_a_moment_in_another_zone_is_the_same_moment(
    run_rnncli: Run, trained: Callable[..., Path], tmp_path: Path, moment: str
) -> None:
    start = np.datetime64("2024-01-01T00:00")
    hours = [f"{start + np.timedelta64(hour, 'h')}-05:00" for hour in range(96)]
    data, early = table(tmp_path / "data.csv", hours), table(tmp_path / "early.csv", hours[:72])
    model = trained(data)
    assert forecast(run_rnncli, data, model, "--as-of", moment) == forecast(run_rnncli, early, model)


# Late data


def test_late_data_end_with_6_and_write_nothing(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    late = ("predict", weekly, "-m", small_model, "-o", output, "--max-age", "8d")
    last = weekly.read_text().splitlines()[-1].split(",")[0]
    on_time, too_late = (str(np.datetime64(last) + days) for days in (8, 9))
    done = run_rnncli(*late, "--now", too_late)
    assert (done.returncode, done.stdout, output.exists()) == (6, "", False)
    assert f"its last observation, of {last}, is 9 days old, and at most 8 days are allowed" in done.stderr
    assert run_rnncli(*late, "--now", on_time).returncode == 0


@pytest.mark.parametrize(
    ("now", "said"),
    [("2012-12-22", "4,011 days"), ("2012-12-22 18:00", "4,012 days"), ("2002-01-06 12:00", "8.5 days")],
)
def test_an_age_is_told_in_days_without_what_nobody_reads(
    run_rnncli: Run, weekly: Path, small_model: Path, now: str, said: str
) -> None:
    done = run_rnncli("predict", weekly, "-m", small_model, "--max-age", "3d", "--now", now)
    assert done.returncode == 6
    assert f" is {said} old, and at most 3 days are allowed" in done.stderr


def test_a_moment_that_is_none_is_said_with_its_option_and_its_origin(
    run_rnncli: Run, environment: dict[str, str], weekly: Path, small_model: Path
) -> None:
    command = ("predict", weekly, "-m", small_model, "--max-age", "3d")
    done = run_rnncli(*command, env=environment | {"RNNCLI_NOW": "2012-13-01"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: --now: '2012-13-01' is not a time that exists\n" in done.stderr
    assert done.stderr.endswith("; --now is from RNNCLI_NOW\n")


def test_the_age_is_counted_in_the_zone_of_the_data(
    run_rnncli: Run, trained: Callable[..., Path], tmp_path: Path
) -> None:
    start = np.datetime64("2024-01-01T00:00")
    data = table(tmp_path / "data.csv", [f"{start + np.timedelta64(hour, 'h')}-05:00" for hour in range(72)])
    model = trained(data)
    late = ("predict", data, "-m", model, "--max-age", "2h")  # the last row is of 2024-01-04T04:00Z
    assert run_rnncli(*late, "--now", "2024-01-04T06:00Z").returncode == 0
    assert run_rnncli(*late, "--now", "2024-01-04T06:01Z").returncode == 6


def test_a_clock_that_is_wrong_changes_no_forecast(run_rnncli: Run, weekly: Path, small_model: Path) -> None:
    usual = forecast(run_rnncli, weekly, small_model)
    for now in ("1970-01-01", "2038-01-19 03:14:08", "2024-03-31 02:30"):
        assert forecast(run_rnncli, weekly, small_model, "--now", now) == usual
    assert forecast(run_rnncli, weekly, small_model, "--now", "1970-01-01", "--max-age", "1d") == usual


# What is there already, and what is bad


def test_a_file_that_is_there_is_replaced_left_or_refused(
    run_rnncli: Run, weekly: Path, small_model: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    command = ("predict", weekly, "-m", small_model, "-o", output, "--if-exists")
    output.write_text("mine")
    assert run_rnncli(*command, "skip").returncode == 0
    assert run_rnncli(*command, "error").returncode == 2
    assert output.read_text() == "mine"
    assert run_rnncli(*command, "replace").returncode == 0
    assert output.read_text().startswith("week,forecast,")


def test_bad_series_are_left_out_where_that_is_asked_for(
    run_rnncli: Run, trained: Callable[..., Path], tmp_path: Path
) -> None:
    days = [f"{np.datetime64('2024-01-01') + day}" for day in range(60)]
    good = [f"a,{day},{value}" for day, value in zip(days, wave(60), strict=True)]
    data, bad, worst = tmp_path / "data.csv", tmp_path / "bad.csv", tmp_path / "worst.csv"
    data.write_text("\n".join(["id,ds,y", *good, ""]))
    bad.write_text("\n".join(["id,ds,y", *good, "b,2024-01-01,1", "b,2024-01-02,inf", ""]))
    worst.write_text("id,ds,y\nb,2024-01-01,1\nb,2024-01-02,inf\n")
    model = trained(data, id="id")
    refused = run_rnncli("predict", bad, "-m", model)
    assert (refused.returncode, refused.stdout) == (4, "")
    skipped = run_rnncli("predict", bad, "-m", model, "--on-bad-series", "skip")
    assert (skipped.returncode, skipped.stdout) == (3, forecast(run_rnncli, data, model))
    assert "series 'b' is skipped" in skipped.stderr
    assert run_rnncli("predict", worst, "-m", model, "--on-bad-series", "skip").returncode == 4
    again = run_rnncli("train", bad, "--horizon", 3, "-o", tmp_path / "n.safetensors", *TINY, "--on-bad-series", "skip")
    assert again.returncode == 3


# Daylight saving


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_hours_go_on_over_a_change_of_the_clock(
    run_rnncli: Run, trained: Callable[..., Path], tmp_path: Path, zone: str
) -> None:
    data, output, model = tmp_path / "data.parquet", tmp_path / "out.parquet", None
    for change in ("2024-03-10", "2024-03-31", "2024-10-27", "2024-11-03"):
        begin = np.datetime64(f"{change}T00:00") - np.timedelta64(100, "h")
        hours = (begin + np.arange(100) * np.timedelta64(1, "h")).astype("datetime64[us]")
        times = pa.array(hours).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))
        parquet.write_table(pa.table({"ds": times, "y": wave(100)}), data)
        model = model or trained(data, horizon=24)
        forecast(run_rnncli, data, model, "-o", output)
        found = parquet.read_table(output).column("ds").combine_chunks()
        assert found.type.tz == zone
        made = found.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
        assert made == [int(hours[-1].astype(np.int64)) + step * 3_600_000_000 for step in range(1, 25)]


@pytest.mark.parametrize(
    ("zone", "spring", "autumn", "winter", "summer"),
    [
        ("Europe/Berlin", "2024-03-31", "2024-10-27", "+01:00", "+02:00"),
        ("America/New_York", "2024-03-10", "2024-11-03", "-05:00", "-04:00"),
    ],
)
def test_days_stay_on_midnight_over_a_change_of_the_clock(
    run_rnncli: Run,
    trained: Callable[..., Path],
    tmp_path: Path,
    zone: str,
    spring: str,
    autumn: str,
    winter: str,
    summer: str,
) -> None:
    model = None
    for change in (spring, autumn):
        days = [str(np.datetime64(change) + day) for day in range(-57, 4)]
        midnights = [f"{day}T00:00:00{summer if spring < day <= autumn else winter}" for day in days]
        data = table(tmp_path / f"{change}.csv", midnights[:57])
        model = model or trained(data, zone=zone, horizon=4)
        lines = forecast(run_rnncli, data, model).splitlines()[1:]
        assert [line.split(",")[0] for line in lines] == midnights[57:]


# Where it runs


def test_an_empty_environment_changes_no_byte(root: Path, weekly: Path, small_model: Path, usual: str) -> None:
    command = [sys.executable, "-m", "rnncli", "predict", str(weekly), "-m", str(small_model)]
    kernels = {name: value for name, value in os.environ.items() if name == "OPENBLAS_CORETYPE"}  # the machine's choice
    done = subprocess.run(command, env=kernels, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, usual)


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_change_no_byte(
    environment: dict[str, str], weekly: Path, small_model: Path, usual: str, closed: str
) -> None:
    command = f"{sys.executable} -m rnncli predict '{weekly}' -m '{small_model}' {closed}"
    done = subprocess.run(["bash", "-c", command], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, usual)


def test_training_knows_no_clock_and_no_place(
    run_rnncli: Run, environment: dict[str, str], weekly: Path, tmp_path: Path
) -> None:
    made = []
    for place, odd in (("one", {}), ("other", {"TZ": "Asia/Tokyo", "LANG": "C", "PYTHONHASHSEED": "3"})):
        (tmp_path / place).mkdir()
        (tmp_path / place / "data.csv").write_bytes(weekly.read_bytes())
        command = ("train", "data.csv", "--horizon", 3, "-o", "m.safetensors", *TINY)
        done = run_rnncli(*command, cwd=tmp_path / place, env=environment | odd)
        assert done.returncode == 0, done.stderr
        made.append((tmp_path / place / "m.safetensors").read_bytes())
    assert made[0] == made[1]
    assert os.fsencode(tmp_path) not in made[0]
