"""What comes with the program, on public tasks that it never saw: no training, the horizon alone is said."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

import rnncli
from rnncli.data.writers.table import ForecastTable
from rnncli.layers.quantiles import pinball

REAL = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here"),
]
RNNCLI = (sys.executable, "-m", "rnncli")
TASKS = {  # horizon, season, and the seasonal naive forecast's MASE and WQL as published for these rows
    "hospital": ("hospital", None, 12, 12, 0.9205, 0.07263),
    "carparts": ("carparts", None, 12, 12, 1.2015, 1.59995),
    "exchange_rate": ("exchange_rate", None, 30, 5, 1.7402, 0.01298),
    "nn5_daily": ("nn5_daily", None, 56, 1, 1.2917, 0.42462),
    "m1_monthly": ("m1", 12, 18, 12, 1.3145, 0.19146),
    "m1_quarterly": ("m1", 4, 8, 4, 2.0775, 0.1495),
    "m1_yearly": ("m1", 1, 6, 1, 4.8943, 0.2093),
}
MUST = 0.77, 0.63


def parted(table: pa.Table, horizon: int) -> tuple[pa.Table, pa.Table]:
    """The rows to forecast from, and those to forecast."""
    if "split" in table.column_names:
        past, future = (table.filter(pc.equal(table["split"], part)) for part in ("train", "test"))
        return past, future
    ids = table["unique_id"].to_numpy(zero_copy_only=False)
    last = np.zeros(len(ids), np.bool_)
    for name in np.unique(ids):
        last[np.flatnonzero(ids == name)[-horizon:]] = True
    return table.filter(pa.array(~last)), table.filter(pa.array(last))


def scored(past: pa.Table, future: pa.Table, season: int, made: ForecastTable) -> tuple[float, float]:
    """MASE, the mean over series, and WQL over all of them."""
    errors, losses, total, middle = [], 0.0, 0.0, made.levels.index(0.5)
    for place, name in enumerate(made.ids):
        y, x = (rows_of(table, name) for table in (past, future))
        said = made.quantiles[place, : len(x)]
        scale = mean(np.abs(y[season:] - y[:-season])) if len(y) > season else math.nan
        error = mean(np.abs(x - said[:, middle]))
        errors += [error / scale] if scale > 0 and not math.isnan(error) else []
        losses += float(np.nansum(pinball(said, x, made.levels, np)))
        total += float(np.nansum(np.abs(x)))
    return mean(np.array(errors)), losses / total


def rows_of(table: pa.Table, name: str) -> np.ndarray:
    rows = table.filter(pc.equal(table["unique_id"].cast("string"), name))["y"]
    return rows.to_numpy(zero_copy_only=False).astype(float)


def mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def test_seven_tasks_without_any_training(
    cpu_seconds: Callable[[object], float], tmp_path: Path, say: Callable[[str], None]
) -> None:
    ratios = []
    for task, (file, group, horizon, season, *naive) in TASKS.items():
        table = parquet.read_table(REAL / f"{file}.parquet")
        table = table if group is None else table.filter(pc.equal(table["m"].cast("int64"), group))
        past, future = parted(table, horizon)
        parquet.write_table(past.select(["unique_id", "ds", "y"]), tmp_path / f"{task}.parquet")
        made = rnncli.predict(tmp_path / f"{task}.parquet", horizon=horizon).table
        mase, wql = scored(past, future, season, made)
        ratios.append((mase / naive[0], wql / naive[1]))
        words = ("predict", tmp_path / f"{task}.parquet", "--horizon", horizon, "-o", tmp_path / "f.csv", "-q")
        used = cpu_seconds((*RNNCLI, *words))
        say(f"{task}: MASE {mase:.3f}, WQL {wql:.4f}, ratios {np.round(ratios[-1], 3)}, {used:.1f} CPU s")
    over = np.exp(np.log(ratios).mean(axis=0))
    say(f"geometric means over the seasonal naive's: MASE {over[0]:.3f}, WQL {over[1]:.3f}")
    assert (over <= MUST).all()
