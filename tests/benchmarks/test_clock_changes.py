"""What the wall clock's grid brings about clock changes, beside the UTC grid, on the same rows and with one training each.

`RNNCLI_ZONED` names Parquet tables with times in a zone, `PATH=CHANGE,CHANGE...` separated by colons, a CHANGE being a
date. For each change a model is trained on the rows up to a day before it, and scored from the origins of the nine days
from there on, two days ahead each: the first horizons cross the change, the others have it in the rows before them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

import rnncli

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]

TABLES = [entry.split("=") for entry in os.environ.get("RNNCLI_ZONED", "").split(":") if entry]
WINDOWS, DAYS, STEPS = 9, 2, 120
SCORED = ("model", "seasonal naive", "exponential smoothing")
METRICS = ("mase", "wql")
Scores = dict[str, dict[str, float]]


@pytest.mark.parametrize(("path", "changes"), TABLES)
def test_forecasts_about_clock_changes_gain_from_the_wall_clock(
    path: str, changes: str, say: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = [scores(Path(path), change, tmp_path) for change in changes.split(",")]
    for module in ("tasks.forecast.plan", "evaluation.run"):
        monkeypatch.setattr(f"rnncli.{module}.follows", lambda *_: False)  # seasons in steps of UTC
    before = [scores(Path(path), change, tmp_path) for change in changes.split(",")]
    for name in SCORED:
        for metric in METRICS:
            one, other = (np.mean([found[name][metric] for found in every]) for every in (before, after))
            each = ", ".join(
                f"{b[name][metric]:.3f} -> {a[name][metric]:.3f}" for b, a in zip(before, after, strict=True)
            )
            say(f"{Path(path).stem}, {name}, {metric}: {other / one:.2f} ({one:.3f} -> {other:.3f}; {each})")
    ratio = np.mean([a["model"]["mase"] / b["model"]["mase"] for b, a in zip(before, after, strict=True)])
    assert ratio < 1


def scores(path: Path, change: str, folder: Path) -> Scores:
    """The scores from the origins about one change."""
    table = parquet.read_table(path, columns=["unique_id", "ds", "y"])
    day = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo(table.schema.field("ds").type.tz))
    begin, first, last = day - timedelta(days=364), day - timedelta(days=1), day + timedelta(days=WINDOWS - 2 + DAYS)
    times = table["ds"]
    past, whole = folder / "past.parquet", folder / "whole.parquet"
    parquet.write_table(table.filter(pc.and_(pc.greater_equal(times, begin), pc.less(times, first))), past)
    parquet.write_table(table.filter(pc.and_(pc.greater_equal(times, begin), pc.less(times, last))), whole)
    steps_a_day = round(timedelta(days=1) / min(pc.unique(pc.subtract(times[1:50], times[:49])).to_pylist()))
    options = {"target": "y", "horizon": DAYS * steps_a_day, "steps": STEPS, "members": 1}
    model = rnncli.train(past, **options)
    found = rnncli.evaluate(whole, model, windows=WINDOWS, stride=steps_a_day, refit=False)
    return found.to_json()["scores"]
