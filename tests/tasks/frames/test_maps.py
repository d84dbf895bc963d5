"""Maps beside frames: read on the frames' grid, seen where they are known, and asked for where they are to come."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from pyarrow import csv, parquet

import rnncli
from rnncli.data.frames.load import load_frames, up_to_now
from rnncli.errors import InputRefused, ModelRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, FrameChoices
from rnncli.tasks.frames.examples import Examples
from rnncli.tasks.frames.maps import seen_maps
from rnncli.tasks.frames.patches import unpatched
from rnncli.tasks.frames.plan import frame_spec
from tests.conftest import Run

SIGNING = runpy.run_path(str(Path(__file__).parents[2] / "faults" / "fuzz" / "signing.py"))
ROLES: dict[str, Any] = {"past": ("wind",), "future": ("ahead",), "static": ("hill",)}
SIZE: dict[str, Any] = {
    "horizon": 2,
    "context": 3,
    "hidden": 12,
    "layers": 1,
    "cell": "conv:1:lstm",
    "learning_rate": 0.02,
}
CHOICES = ColumnChoices(id=("id",), time="when", **ROLES)
ROWS, COLUMNS = 4, 5
HILL = np.arange(20, dtype=np.uint8)


def mapped(count: int = 14, steps: int = 8, ahead: int = 2, seed: int = 0) -> pa.Table:
    """Frames each of which is half the one before and what a map said ahead; rows for frames to come have the map."""
    rng, rows = np.random.default_rng(seed), []
    for clip in range(count):
        frame = np.zeros(ROWS * COLUMNS)
        for step in range(steps + ahead):
            news = rng.normal(size=ROWS * COLUMNS)
            frame = frame / 2 + news
            row = {"id": f"s{clip}", "when": datetime(2024, 1, 1) + timedelta(hours=step)}  # noqa: DTZ001
            row |= {"rain": frame.tolist() if step < steps else None}
            row |= {"wind": rng.normal(size=(ROWS, COLUMNS, 2)).tolist(), "ahead": news.tolist()}
            rows.append(row | {"hill": HILL.tobytes() if step == 1 else None})
    return pa.Table.from_pylist(rows)


def loaded(table: pa.Table, **choices: Any) -> Any:
    return load_frames(table, replace(CHOICES, **choices), FrameChoices("rain", "4x5"))


@cache
def model() -> Any:
    return rnncli.train(mapped(), frame="rain", grid="4x5", steps=150, **SIZE, **ROLES)


def test_what_is_known_ahead_is_made_use_of(tmp_path: Path, run_rnncli: Run) -> None:
    parquet.write_table(mapped(seed=1), tmp_path / "others.parquet")
    model().model.save(tmp_path / "m")
    done = run_rnncli("evaluate", tmp_path / "others.parquet", "-m", tmp_path / "m", "--json")
    scores = json.loads(done.stdout)["scores"]
    best = min(found["mse"] for name, found in scores.items() if name != "model")
    assert scores["model"]["mse"] < best / 3
    facts = run_rnncli("info", tmp_path / "m").stdout
    assert "maps up to now 'wind', maps known ahead 'ahead', maps that stay 'hill'" in " ".join(facts.split())


def test_frames_are_forecast_from_the_last_one_on_at_the_times_of_their_maps() -> None:
    table = mapped(seed=2)
    made = rnncli.predict(table, model())
    assert made.to_arrow()["when"].to_pylist()[:2] == table["when"].to_pylist()[8:10]
    news = np.array(table["ahead"].to_pylist()[8]), np.array(table["rain"].to_pylist()[7])
    came = (news[1] / 2 + news[0]).reshape(ROWS, COLUMNS)
    assert np.mean((made.values[0, 0, ..., 0] - came) ** 2) < 0.5 * came.var()
    longer = mapped(seed=2, ahead=4)
    np.testing.assert_array_equal(rnncli.predict(longer, model()).values.shape, made.values.shape)


def test_each_step_sees_the_maps_of_its_frame_and_those_ahead_of_the_next() -> None:
    panel = up_to_now(loaded(mapped())).panel
    spec = frame_spec(panel, "conv:3:lstm", {"horizon": 2, "context": 3})
    assert not spec.mirrored  # a wind has a direction
    series, first = np.array([4]), np.array([2])
    wind, ahead, hill = seen_maps(panel, spec, series, first, 3)
    one, other, still = spec.maps
    flat = replace(spec, shape=(ROWS, COLUMNS, 2))
    true = np.arcsinh((panel.frames(series, first, 3, 1) - one.center) / one.scale)
    np.testing.assert_allclose(unpatched(wind[:, :3, ..., :-1], flat, np), true, rtol=1e-5)
    assert (wind[:, 3, ..., :-1], wind[0, :, 0, 0, -1].tolist()) == (pytest.approx(0), [0, 0, 0, 1])
    true = np.arcsinh((panel.frames(series, first + 1, 4, 2) - other.center) / other.scale)
    np.testing.assert_allclose(unpatched(ahead[..., :-1], spec, np), true, rtol=1e-5)
    true = np.arcsinh((HILL.reshape(ROWS, COLUMNS, 1) - still.center) / still.scale)
    np.testing.assert_allclose(unpatched(hill[..., :-1], spec, np)[0], np.stack([true] * 4), rtol=1e-5)
    whole = Examples(panel, spec, panel.lengths).seen(series, first + 3, 3)
    assert whole.inputs.shape[-1] == spec.inputs == 1 * 1 + 1 + (2 + 1) + (1 + 1) + (1 + 1)


def test_a_map_that_is_missing_ahead_is_named_and_its_sequence_can_be_left_out(tmp_path: Path, run_rnncli: Run) -> None:
    table = pa.concat_tables([mapped(2, ahead=1), mapped(1, seed=5).set_column(0, "id", pa.array(["whole"] * 10))])
    with pytest.raises(InputRefused, match=r"'ahead' are missing for 1 of the 2 frames to come, number 2 \(and 1 more"):
        rnncli.predict(table, model())
    assert rnncli.predict(table, model(), on_bad_series="skip").series == 1
    assert rnncli.predict(table, model(), horizon=1).series == 3
    parquet.write_table(table.drop(["wind"]), tmp_path / "still.parquet")
    model().model.save(tmp_path / "m")
    done = run_rnncli("predict", tmp_path / "still.parquet", "-m", tmp_path / "m")
    assert (done.returncode, "there is no column 'wind'" in done.stderr) == (4, True)


def test_maps_may_be_bytes_as_frames_are_a_byte_a_pixel_lists_or_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 900, (6, 4, 5)).astype("<u2")
    maps = rng.integers(0, 90, (6, 4, 5))
    cells = {"as frames": maps.astype("<u2"), "a byte": maps.astype(np.uint8)}
    kept = [one.tobytes() for one in frames]
    choices = FrameChoices("frame", "4x5", "uint16", 0.5)
    for name, stored in cells.items():
        table = pa.table({"frame": kept, "map": [one.tobytes() for one in stored]})
        panel = load_frames(table, ColumnChoices(past=("map",)), choices).panel
        found = panel.frames(np.array([0]), np.array([0]), 6, 1)[0, ..., 0]
        np.testing.assert_allclose(found, maps * (0.5 if name == "as frames" else 1))
    pixels = maps.reshape(6, -1)
    both = {"p": frames.reshape(6, -1), "q": pixels}
    wide = {f"{name}{place}": one[:, place] for name, one in both.items() for place in range(20)}
    csv.write_csv(pa.table(wide), tmp_path / "wide.csv")
    panel = load_frames(str(tmp_path / "wide.csv"), ColumnChoices(future=("q*",)), FrameChoices("p*", "4x5")).panel
    np.testing.assert_allclose(panel.frames(np.array([0]), np.array([0]), 6, 1)[0].reshape(6, -1), pixels)


def test_what_is_known_ahead_may_stand_in_a_table_of_its_own() -> None:
    table = mapped(3, seed=4)
    ahead = pa.compute.is_null(table["rain"])
    past, later = table.filter(pa.compute.invert(ahead)), table.filter(ahead).select(["id", "when", "ahead"])
    whole = rnncli.predict(table, model()).values
    for data in (past, table):  # which may say the same
        assert np.array_equal(rnncli.predict(data, model(), future_data=later).values, whole)
    other = later.set_column(2, "ahead", pa.array([[1.0] * 20] * len(later)))
    assert not np.array_equal(rnncli.predict(past, model(), future_data=other).values, whole)
    with pytest.raises(SeriesRefused, match="two maps 'ahead' of one time"):
        rnncli.predict(table, model(), future_data=other)
    with pytest.raises(InputRefused, match="'ahead' are missing for 2 of the 2"):
        rnncli.predict(past, model(), future_data=past)
    small = later.set_column(2, "ahead", pa.array([[[1.0] * 4] * 5] * len(later)))
    with pytest.raises(InputRefused, match="5x4, and frames are 4x5"):
        rnncli.predict(past, model(), future_data=small)
    with pytest.raises(InputRefused, match="'ahead'"):
        rnncli.predict(past, model(), future_data=later.drop(["ahead"]))
    alone = rnncli.train(past, frame="rain", grid="4x5", steps=2, **SIZE)
    with pytest.raises(UsageError, match="no maps that are known ahead"):
        rnncli.predict(past, alone, future_data=later)


def test_columns_of_pixels_that_are_all_empty_are_no_frame(tmp_path: Path) -> None:
    lines = ["t,p0,p1,q0,q1", "0,1,2,5,6", "1,3,4,7,8", "2,,,9,10"]
    (tmp_path / "wide.csv").write_text("\n".join(lines) + "\n")
    choices = ColumnChoices(time="t", future=("q*",))
    panel = load_frames(str(tmp_path / "wide.csv"), choices, FrameChoices("p*", "1x2")).panel
    assert panel.observed_ends().tolist() == [2]
    assert panel.frames(np.array([0]), np.array([1]), 2, 1)[0, :, 0, :, 0].tolist() == [[7, 8], [9, 10]]


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ([1.0] * 12, "have 12 numbers each, and frames have 4 x 5 pixels"),
        (bytes(21), "have 21 bytes each, and frames have 4 x 5 pixels"),
        ([[1.0, 2.0]] * 3, "are 3x2, and frames are 4x5"),
        ([np.inf] * 20, "map 'wind': pixel .* is inf"),
        ("a map", "holds values of type string"),
        (None, "there is nothing in column 'wind'"),
    ],
)
def test_a_map_that_is_on_no_such_grid_is_one_clear_error(cell: Any, error: str) -> None:
    rows = [row | {"wind": cell} for row in mapped(2).to_pylist()]
    with pytest.raises(InputRefused, match=error):
        loaded(pa.Table.from_pylist(rows))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("columns", "future"), []),
        (("columns", "past"), ["ahead"]),
        (("frames", "maps"), []),
        (("frames", "maps", 0, "role"), "future"),
        (("frames", "maps", 0, "role"), "target"),
        (("frames", "maps", 0, "channels"), 1),
        (("frames", "maps", 1, "name"), "wind"),
        (("frames", "maps", 1, "scale"), -1.0),
        (("frames", "mirrored"), True),
    ],
)
def test_a_model_whose_maps_contradict_each_other_is_refused(tmp_path: Path, place: Any, value: object) -> None:
    model().model.save(tmp_path / "m")
    document, table, body = SIGNING["opened"]((tmp_path / "m").read_bytes())
    part: Any = document
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    (tmp_path / "forged").write_bytes(SIGNING["signed"](document, table, body))
    with pytest.raises(ModelRefused) as refused:
        rnncli.info(tmp_path / "forged")
    assert refused.value.hint


def test_maps_are_named_once_and_by_the_training_alone() -> None:
    with pytest.raises(UsageError, match="two roles"):
        loaded(mapped(2), past=("wind", "ahead"))
    with pytest.raises(InputRefused, match="sun"):
        loaded(mapped(2), past=("sun",))
    with pytest.raises(UsageError, match="the model says which maps it sees"):
        rnncli.predict(mapped(2), model(), past=("wind",))
    with pytest.raises(UsageError, match="maps beside frames are columns of a table"):
        rnncli.train(np.zeros((9, 4, 5), np.uint8), past=("wind",))
