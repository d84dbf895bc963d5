"""What the wall clock's grid brings about clock changes, beside the UTC grid: same rows, one training on each.

For each change a model is trained on the year up to a day before it, and scored from there on, at every midnight and
noon of nine days, two days ahead each: the first horizons cross the change, the others have it in the rows before them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
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

CHANGES = {
    "pedestrian": ("2016-04-03", "2016-10-02"),
    "vic_elec": ("2013-04-07", "2013-10-06", "2014-04-06", "2014-10-05"),
}
DAYS, AHEAD, STEPS = 9, 2, 120
SCORED = ("model", "seasonal naive", "exponential smoothing")
METRICS = ("mase", "wql")
Scores = dict[str, dict[str, float]]


@pytest.mark.parametrize("name", CHANGES)
def test_forecasts_about_clock_changes_gain_from_the_wall_clock(
    name: str, say: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, changes = REAL / f"{name}.parquet", CHANGES[name]
    after = [scores(path, change, tmp_path) for change in changes]
    for module in ("tasks.forecast.plan", "evaluation.run"):
        monkeypatch.setattr(f"rnncli.{module}.follows", lambda *_: False)  # seasons in steps of UTC
    before = [scores(path, change, tmp_path) for change in changes]
    ratios = {}
    for scored in SCORED:
        for metric in METRICS:
            pairs = [(b[scored][metric], a[scored][metric]) for b, a in zip(before, after, strict=True)]
            one, other = np.mean(pairs, axis=0)
            ratios[scored, metric] = other / one
            each = ", ".join(f"{b:.3f} -> {a:.3f}" for b, a in pairs)
            say(f"{name}, {scored}, {metric}: {other / one:.2f} ({one:.3f} -> {other:.3f}; {each})")
    assert ratios["model", "mase"] < 1
    assert ratios["model", "wql"] < 1


def scores(path: Path, change: str, folder: Path) -> Scores:
    """The scores from the origins about one change."""
    table = parquet.read_table(path, columns=["unique_id", "ds", "y"])
    day = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo(table.schema.field("ds").type.tz))
    begin, last = day - timedelta(days=364), day + timedelta(days=DAYS - 1.5 + AHEAD)
    first = day - timedelta(days=1, hours=1)  # before the first origin, whichever way the clock goes
    times = table["ds"]
    past, whole = folder / "past.parquet", folder / "whole.parquet"
    parquet.write_table(table.filter(pc.and_(pc.greater_equal(times, begin), pc.less(times, first))), past)
    parquet.write_table(table.filter(pc.and_(pc.greater_equal(times, begin), pc.less(times, last))), whole)
    steps_a_day = round(timedelta(days=1) / min(pc.unique(pc.subtract(times[1:50], times[:49])).to_pylist()))
    options = {"target": "y", "horizon": AHEAD * steps_a_day, "steps": STEPS, "members": 1}
    model = rnncli.train(past, **options)
    found = rnncli.evaluate(whole, model, windows=2 * DAYS, stride=steps_a_day // 2, refit=False)
    return found.to_json()["scores"]
