"""What a run costs that goes on from a state, beside one that reads the whole context again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

RNNCLI = (sys.executable, "-m", "rnncli")
NEW = 24


@pytest.mark.parametrize(("series", "rows", "most"), [(10_000, 300, 0.6), (2_000, 1_200, 0.4)])
def test_a_day_of_new_rows_beside_the_whole_history(
    series: int,
    rows: int,
    most: float,
    hourly: Callable[[int, int], Path],
    cpu_seconds: Callable[[object], float],
    tmp_path: Path,
    say: Callable[[str], None],
) -> None:
    """Hourly series: 24 new rows each with their state, beside plain prediction from all rows."""
    whole, model, state = hourly(series, rows), tmp_path / "model.safetensors", tmp_path / "state.safetensors"
    table = parquet.read_table(whole)
    hours = table.column("ds").to_numpy()
    first, rest = tmp_path / "first.parquet", tmp_path / "rest.parquet"
    cut = hours.min() + (rows - NEW) * (hours[1] - hours[0])
    parquet.write_table(table.filter(hours < cut), first)
    parquet.write_table(table.filter(hours >= cut), rest)
    sizes = ("--horizon", 24, "--hidden", 64, "--layers", 2, "--members", 1, "--steps", 3)
    cpu_seconds((*RNNCLI, "train", hourly(100, rows), *sizes, "-o", model, "-q"))
    out = ("-o", tmp_path / "out.parquet", "-q")
    begun = cpu_seconds((*RNNCLI, "predict", first, "-m", model, "--state", state, *out))
    plain = cpu_seconds((*RNNCLI, "predict", whole, "-m", model, *out))
    going_on = cpu_seconds((*RNNCLI, "predict", rest, "-m", model, "--state", state, *out))
    say(
        f"predict --state with {NEW} new rows of {series:,} series / predict with all {rows:,}: {going_on / plain:.2f}"
        f" ({going_on:.1f} s of CPU; {begun:.1f} s for the first {rows - NEW:,} rows)"
    )
    assert going_on < most * plain
