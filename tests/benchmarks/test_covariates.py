"""What is known ahead is worth: WQL of one model with it and without it, from the same origins."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

import rnncli

REAL = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here"),
]
SEEDS = (0, 1)


@dataclass(frozen=True)
class Task:
    """Real data, what is known ahead in them, and from where they are forecast: `windows` origins, a horizon apart,
    the last a horizon before `end`.
    """

    file: str
    future: tuple[str, ...]
    horizon: int
    windows: int
    end: str | None = None


TASKS = {
    "bike sharing": Task(
        "bike_sharing_hour", ("temp", "hum", "windspeed", "weathersit", "workingday", "holiday"), 24, 28
    ),
    "Walmart stores": Task("walmart_stores", ("holiday",), 8, 6),
    "Victorian demand": Task("vic_elec", ("temperature", "holiday"), 48, 28, "2014-10-20"),
}


def wql(task: Task, folder: Path, future: tuple[str, ...], seed: int) -> float:
    """WQL from all origins, by a model that saw the rows before the first of them."""
    table = parquet.read_table(REAL / f"{task.file}.parquet")
    if task.end is not None:
        end = pa.scalar(task.end).cast(pa.timestamp("us")).cast(table.schema.field("ds").type)
        table = table.filter(pc.less(table["ds"], end))
    days = table["ds"].unique().sort()
    first = days[len(days) - task.windows * task.horizon]
    before, whole, model = folder / "before.parquet", folder / "whole.parquet", folder / "m.safetensors"
    parquet.write_table(table.filter(pc.less(table["ds"], first)), before)
    parquet.write_table(table, whole)
    rnncli.train(before, output=model, target="y", future=list(future), horizon=task.horizon, seed=seed, fresh=True)
    found = rnncli.evaluate(whole, model, windows=task.windows)
    assert not found.report.in_sample
    return float(found.report.scores["model"].overall["wql"])


@pytest.mark.parametrize("name", TASKS)
def test_what_is_known_ahead_lowers_the_loss(name: str, tmp_path: Path, say: Callable[[str], None]) -> None:
    task, ratios = TASKS[name], []
    for seed in SEEDS:
        known, alone = (wql(task, tmp_path, future, seed) for future in (task.future, ()))
        ratios.append(known / alone)
        say(f"{name}, seed {seed}: WQL {known:.4f} with {', '.join(task.future)}, {alone:.4f} without")
    say(f"{name}: WQL with what is known ahead is {statistics.median(ratios):.3f} of that without it")
    assert statistics.median(ratios) < 1
