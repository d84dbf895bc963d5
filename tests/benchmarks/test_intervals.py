"""Whether quantiles hold what they promise, from origins that the training had not seen.

At each level l, share(y < q) <= l <= share(y <= q) within a 95 % interval of a bootstrap over origins: the two shares
differ where values are counts. The last `ORIGINS` horizons of every series are kept back from one training.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rnncli
from rnncli.data.load import load_panel
from rnncli.data.panel import Panel

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

ORIGINS, RESAMPLES = 8, 2_000
SAMPLES: dict[str, dict[str, Any]] = {
    "us_employment.csv": {"horizon": 6},
    "co2_weekly.csv": {"horizon": 13},
    "bike_rentals.parquet": {"horizon": 48, "target": "rentals"},
    "sea_temperature.csv.gz": {"horizon": 48},
}
MORE = [Path(path) for path in os.environ.get("RNNCLI_TASKS", "").split(":") if path]  # NAME.HORIZON.parquet


def tasks() -> dict[str, tuple[Path, dict[str, Any]]]:
    """Name, table and options of each."""
    samples = Path(__file__).resolve().parents[2] / "sample_data"
    ours = {name: (samples / name, options) for name, options in SAMPLES.items()}
    return ours | {path.name: (path, {"horizon": int(path.name.split(".")[-2])}) for path in MORE}


@pytest.mark.parametrize("name", tasks())
def test_every_level_holds_what_it_promises(name: str, say: Callable[[str], None], tmp_path: Path) -> None:
    path, options = tasks()[name]
    below, until = shares(path, options, tmp_path)
    levels = np.arange(1, 10) / 10
    lowest, highest = interval(below)[0], interval(until)[1]
    pairs = zip(below.mean(axis=0), until.mean(axis=0), strict=True)
    say(f"{name}: " + ", ".join(f"{level:.1f}: {b:.2f}-{u:.2f}" for level, (b, u) in zip(levels, pairs, strict=True)))
    assert (lowest <= levels).all()
    assert (levels <= highest).all()


def shares(path: Path, options: dict[str, Any], folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shares of values below each quantile, and not above it, from each origin: [origins, levels]."""
    horizon = options["horizon"]
    loaded = load_panel(path, _choices(options))
    panel = loaded.panel
    long = np.flatnonzero(panel.lengths > (ORIGINS + 3) * horizon)
    panel = panel.select(long)
    ends = panel.lengths - ORIGINS * horizon
    model = _trained(panel.cut(ends), options, folder)
    below, until = [], []
    for origin in range(ORIGINS):
        at = ends + origin * horizon
        made = model.quantiles(panel, at)
        rows = panel.offsets[:-1][:, None] + at[:, None] + np.arange(horizon)
        actual = panel.values[rows, 0][..., None]
        seen = ~np.isnan(actual[..., 0])
        below.append((actual < made)[seen].mean(axis=0))
        until.append((actual <= made)[seen].mean(axis=0))
    return np.array(below), np.array(until)


def _choices(options: dict[str, Any]) -> Any:
    from rnncli.workflows.options import column_choices

    return column_choices({name: value for name, value in options.items() if name != "horizon"})


def _trained(panel: Panel, options: dict[str, Any], folder: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    calendar = panel.calendar
    rows = np.arange(panel.offsets[-1])
    series = np.searchsorted(panel.offsets, rows, side="right") - 1
    times = calendar.times(panel.starts[series] + rows - panel.offsets[series], panel.phases[series])
    names = np.array(panel.ids, object)[series]
    table = pa.table({"id": names, "time": pa.array(times, pa.timestamp("us")), "y": panel.values[:, 0]})
    parquet.write_table(table, folder / "past.parquet")
    return rnncli.train(folder / "past.parquet", horizon=options["horizon"], target="y").model


def interval(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """95 % of the means of resampled origins: [2, levels]."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(found), (RESAMPLES, len(found)))
    return np.quantile(found[drawn].mean(axis=1), (0.025, 0.975), axis=0)
