"""Every cell on two public forecasting tasks by the program's own commands, nothing said but the horizon and the cell.

A line for each has its scores, and the CPU seconds of training two networks and of predicting with them, in a process
that cannot import PyTorch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

import rnncli
from rnncli.registry import CELLS

REAL = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here"),
]
HORIZONS = {"hospital": 12, "nn5_daily": 56}
WRAPPED = ("dilated:gru", "lstm,dilated:gru", "dilated:fir")
RNNCLI = (sys.executable, "-m", "rnncli")
ALONE = (
    "import runpy, sys; sys.modules.update(torch=None, pandas=None); runpy.run_module('rnncli', run_name='__main__')"
)


@pytest.mark.parametrize("cell", [*CELLS, *WRAPPED])
@pytest.mark.parametrize("task", HORIZONS)
def test_a_cell_is_better_than_the_seasonal_naive_forecast(
    task: str, cell: str, cpu_seconds: Callable[[object], float], tmp_path: Path, say: Callable[[str], None]
) -> None:
    whole, before, model = (tmp_path / name for name in ("whole.parquet", "before.parquet", "m.safetensors"))
    table = parquet.read_table(REAL / f"{task}.parquet")
    parquet.write_table(table.drop_columns("split"), whole)
    parquet.write_table(table.filter(pc.equal(table["split"], "train")).drop_columns("split"), before)
    train = cpu_seconds((*RNNCLI, "train", before, "--horizon", HORIZONS[task], "--cell", cell, "-o", model, "-q"))
    out = ("-o", tmp_path / "forecast.parquet", "-q")
    predict = cpu_seconds((sys.executable, "-c", ALONE, "predict", before, "-m", model, *out))
    found = rnncli.evaluate(whole, model, windows=1).report
    assert not found.in_sample
    skill, wql = found.skill["model"], float(found.scores["model"].overall["wql"])
    mase = f"MASE {1 - float(skill['mase']):.3f} of the seasonal naive's"
    say(f"{task} {cell}: {mase}, WQL {wql:.4f}, train {train:.0f} CPU s, predict {predict:.1f} CPU s")
    assert min(float(skill["mase"]), float(skill["wql"])) > 0
