"""What fuzzing and hostile runs have found, each as the smallest case."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rnncli.data.load import load_panel
from rnncli.data.zones import zone_info
from rnncli.errors import InputRefused

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("zone", ["Z", "+01:00", "-0530"])
def test_a_date_with_a_zone_and_no_clock_is_no_time(tmp_path: Path, zone: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"ds,y\n2024-01-01{zone},1\n2024-01-02{zone},2\n")
    with pytest.raises(InputRefused):
        load_panel(path)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b" \r\n", b"\x0b"])
def test_a_file_of_nothing_but_a_byte_order_mark_or_blanks_is_empty(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="empty"):
        load_panel(path)


@pytest.mark.parametrize("zone", ["+99:39", "-24:00"])
def test_a_zone_more_than_a_day_away_is_refused(zone: str) -> None:
    with pytest.raises(InputRefused, match="no time zone"):
        zone_info(zone)


def test_a_seed_that_no_generator_takes_is_refused(run_rnncli: Run, sample_data: Path, tmp_path: Path) -> None:
    done = run_rnncli("train", sample_data / "co2_weekly.csv", "-o", tmp_path / "m", "--seed", "9" * 30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --seed must be a whole number")


def test_a_forecast_beyond_the_last_year_that_can_be_written_is_refused(run_rnncli: Run, tmp_path: Path) -> None:
    data, model = tmp_path / "years.csv", tmp_path / "m.safetensors"
    data.write_text("ds,y\n" + "".join(f"01.01.{9960 + year},{year % 5}\n" for year in range(39)))
    sizes = ("--horizon", 3, "--hidden", 4, "--layers", 1, "--steps", 2, "--time-format", "%d.%m.%Y")
    trained = run_rnncli("train", data, "-o", model, *sizes)
    assert trained.returncode == 0, trained.stderr
    done = run_rnncli("predict", data, "-m", model)
    assert (done.returncode, done.stdout) == (4, "")
    assert "cannot be written in the form" in done.stderr
