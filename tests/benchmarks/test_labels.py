"""Default trainings on labelled sequences that are published: nothing is said but the column of labels.

A line for each has the accuracy on the published test sequences, and the CPU seconds of training and predicting.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv, parquet

REAL = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here"),
]
MUST_REACH = {
    "mnist1d": 0.95,
    "JapaneseVowels": 0.975,
    "BasicMotions": 1.0,
    "PickupGestureWiimoteZ": 0.70,
    "digits by rows": 0.975,
    "digits by pixels": 0.95,
    "digits by permuted pixels": 0.93,
}
CHANNELS = {"JapaneseVowels": 12, "BasicMotions": 6, "PickupGestureWiimoteZ": 1}
RNNCLI = (sys.executable, "-m", "rnncli")


@pytest.mark.parametrize("name", MUST_REACH)
def test_labels_are_as_right_as_is_asked(
    name: str, cpu_seconds: Callable[[object], float], tmp_path: Path, say: Callable[[str], None]
) -> None:
    train, test = _split(name)
    paths = {part: tmp_path / f"{part}.parquet" for part in ("train", "test")}
    parquet.write_table(train, paths["train"])
    parquet.write_table(test.drop_columns(["label"]), paths["test"])
    model, said = tmp_path / "m.safetensors", tmp_path / "said.csv"
    trained = cpu_seconds((*RNNCLI, "train", paths["train"], "--label", "label", "-o", model, "-q"))
    predicted = cpu_seconds((*RNNCLI, "predict", paths["test"], "-m", model, "-o", said, "-q"))
    accuracy = _accuracy(test, said)
    say(f"{name}: accuracy {accuracy:.4f}, train {trained:.0f} CPU s, predict {predicted:.1f} CPU s")
    assert accuracy >= MUST_REACH[name]


def _accuracy(test: pa.Table, said: Path) -> float:
    found = csv.read_csv(said)
    got = dict(zip(map(str, found["unique_id"].to_pylist()), map(str, found["label"].to_pylist()), strict=True))
    truth = dict(zip(map(str, test["unique_id"].to_pylist()), map(str, test["label"].to_pylist()), strict=True))
    return float(np.mean([got[name] == label for name, label in truth.items()]))


def _split(name: str) -> tuple[pa.Table, pa.Table]:
    """Sequences to learn from and those to label."""
    if name.startswith("digits"):
        return _digits(name.removeprefix("digits by "))
    if name == "mnist1d":
        table = parquet.read_table(REAL / "mnist1d.parquet")
    else:
        table = parquet.read_table(REAL / "uea_multivariate.parquet")
        channels = [f"x{place}" for place in range(CHANNELS[name])]
        table = table.filter(pc.equal(table["dataset"], name)).select(["unique_id", "t", *channels, "label", "split"])
    parts = (table.filter(pc.equal(table["split"], part)) for part in ("train", "test"))
    first, second = (part.drop_columns(["split"]) for part in parts)
    return first, second


def _digits(form: str) -> tuple[pa.Table, pa.Table]:
    """Images of digits by rows or by pixels; the last fifth of the ids is to be labelled."""
    table = parquet.read_table(REAL / "digits_rows.parquet")
    ids = sorted(set(table["unique_id"].to_pylist()))
    first_of_test = ids[int(len(ids) * 0.8)]
    if form != "rows":
        order = np.arange(64) if form == "pixels" else np.random.default_rng(0).permutation(64)
        pixels = np.stack([table[f"px{place}"].to_numpy() for place in range(8)], axis=1).reshape(-1, 64)[:, order]
        every = {name: np.repeat(table[name].to_numpy()[::8], 64) for name in ("unique_id", "label")}
        table = pa.table(every | {"t": np.tile(np.arange(64), len(pixels)), "x": pixels.ravel()})
    old = pc.less(table["unique_id"], first_of_test)
    return table.filter(old), table.filter(pc.invert(old))
