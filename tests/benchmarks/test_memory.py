"""What training and predicting hold in memory where seasons, horizons, contexts or counts of series are large."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

RNNCLI = (sys.executable, "-m", "rnncli")
GIGABYTE = 1_000_000_000
WITH_CSV = 1_250_000_000  # a CSV of 900,000 rows is whole in memory when it is written, and takes a third of this

Peak = Callable[[object], int]
Say = Callable[[str], None]


def table(path: Path, rows: int, step: np.timedelta64, season: int, series: int = 1) -> Path:
    """A season and noise, positive."""
    t = np.arange(rows)
    values = 50 + 10 * np.sin(2 * np.pi * t / season) + np.random.default_rng(0).normal(0, 2, (series, rows))
    ids = np.char.zfill(np.arange(series).astype(str), 6)
    times = np.datetime64("2024-01-01", "us") + t * step
    columns = {"unique_id": np.repeat(ids, rows), "ds": np.tile(times, series), "y": values.ravel()}
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("what", "rows", "step", "season", "options"),
    [
        ("season 288", 1_243, np.timedelta64(5, "m"), 288, ("--season", 288, "--steps", 1)),
        ("horizon 2000", 20_000, np.timedelta64(1, "h"), 24, ("--horizon", 2000, "--steps", 2)),
        ("context 5000", 20_000, np.timedelta64(1, "h"), 24, ("--context", 5000, "--steps", 2)),
    ],
)
def test_training_stays_within_a_gigabyte(
    what: str, rows: int, step: np.timedelta64, season: int, options: tuple[object, ...], tmp_path: Path,
    peak_bytes: Peak, say: Say,
) -> None:  # fmt: skip
    data, model = table(tmp_path / "data.parquet", rows, step, season), tmp_path / "m"
    peak = peak_bytes((*RNNCLI, "train", data, "-o", model, *options))
    after = peak_bytes((*RNNCLI, "predict", data, "-m", model, "-o", tmp_path / "out.csv"))
    say(f"{what}: training {peak / 1e6:.0f} MB, a forecast {after / 1e6:.0f} MB")
    assert max(peak, after) < GIGABYTE


def test_a_state_of_many_short_series_is_not_there_several_times(tmp_path: Path, peak_bytes: Peak, say: Say) -> None:
    day = np.timedelta64(1, "D")
    some = table(tmp_path / "some.parquet", 40, day, 7, 2_000)
    many = table(tmp_path / "many.parquet", 12, day, 7, 300_000)
    model, state = tmp_path / "m", tmp_path / "state"
    peak_bytes((*RNNCLI, "train", some, "-o", model, "--horizon", 3, "--steps", 4))
    predict = (*RNNCLI, "predict", many, "-m", model, "--state", state, "-o", tmp_path / "out.csv")
    first, again = peak_bytes(predict), peak_bytes(predict)
    say(f"300,000 series: {first / 1e6:.0f} MB, again {again / 1e6:.0f} MB; the state {state.stat().st_size / 1e6:.0f}")
    assert max(first, again) < WITH_CSV
