"""A label for each clip of frames: what moves which way, told by layers that see the pixels around each one."""

from __future__ import annotations

import json
import runpy
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import rnncli
from rnncli.errors import InputRefused, ModelRefused, UsageError
from rnncli.events import unheard
from rnncli.registry import TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.labels.head import over_grid
from rnncli.tasks.labels.pictures import pictured, summaries, summed_up
from rnncli.tasks.labels.plan import label_spec
from tests.conftest import Run

SIGNING = runpy.run_path(str(Path(__file__).parents[2] / "faults" / "fuzz" / "signing.py"))
FEW: dict[str, Any] = {"hidden": 4, "steps": 2}
SMALL: dict[str, Any] = {"cell": "conv:3:lstm", "layers": 1, "hidden": 6, "steps": 60, "learning_rate": 0.02}


def moving(count: int = 40, seed: int = 0, side: int = 8, **more: object) -> pa.Table:
    """Clips of a spot that goes up or down: any one frame, and their mean, say nothing of which."""
    rng, rows = np.random.default_rng(seed), []
    for clip in range(count):
        steps = int(rng.integers(4, 7))
        path = (np.arange(steps) + rng.integers(side)) % side
        column = int(rng.integers(side - 1))
        for step, row in enumerate(path if clip % 2 else path[::-1]):
            frame = np.zeros((side, side), np.uint8)
            frame[row, column : column + 2] = 200
            rows.append({"clip": f"{seed}-{clip}", "way": ("up", "down")[clip % 2], "frame": frame.tobytes()} | more)
            rows[-1]["at"] = float(np.argmax(frame.any(axis=0)))
            rows[-1]["step"] = step
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Clips to learn from, others, and a model of the first."""
    folder = tmp_path_factory.mktemp("clips")
    paths = folder / "clips.parquet", folder / "others.parquet", folder / "model.safetensors"
    parquet.write_table(moving(), paths[0])
    parquet.write_table(moving(24, seed=1), paths[1])
    rnncli.train(paths[0], output=paths[2], frame="frame", grid="8x8", label="way", **SMALL)
    return paths


def test_ways_are_told_apart_that_no_single_frame_tells(clips: tuple[Path, Path, Path], run_rnncli: Run) -> None:
    data, others, model = clips
    done = run_rnncli("evaluate", others, "-m", model, "--trained-on", data, "--json")
    report = json.loads(done.stdout)
    assert report["scores"]["model"]["accuracy"] >= 0.9
    assert list(report["scores"]) == ["model", "majority", "logistic regression", "dtw"]
    assert [sum(row) for row in report["confusion"]["model"]] == [12, 12]
    rows = run_rnncli("predict", others, "-m", model).stdout.splitlines()
    assert rows[0] == "clip,label,p_down,p_up"
    numbers = np.array([line.split(",")[2:] for line in rows[1:]], float)
    assert numbers.shape == (24, 2)
    np.testing.assert_allclose(numbers.sum(axis=1), 1)
    assert [line.split(",")[1] for line in rows[1:]] == [("down", "up")[place] for place in numbers.argmax(axis=1)]


def test_a_model_of_clips_is_told_of(clips: tuple[Path, Path, Path], run_rnncli: Run) -> None:
    told = run_rnncli("info", clips[2]).stdout
    assert "frame: 8x8, grid 8x8, one state for 1x1 pixels" in told
    assert "3 frames at a time, each frame" in told
    settings = rnncli.info(str(clips[2])).settings
    assert (settings["frame"], settings["grid"], settings["frame_dtype"], settings["label"]) == (
        "frame",
        "8x8",
        "uint8",
        "way",
    )
    done = run_rnncli("inspect-gradients", clips[1], "-m", clips[2], "--quick")
    assert done.returncode == 0, done.stderr
    assert "a step is a frame, seen 3 at a time" in done.stdout
    assert "pixels on a side" not in done.stdout  # a label is of no one pixel


def test_a_broken_training_goes_on_and_an_unbroken_one_is_up_to_date(tmp_path: Path) -> None:
    def stop(event: object) -> None:
        if getattr(event, "step", 0) == 4:
            raise KeyboardInterrupt

    options = SMALL | {"frame": "frame", "grid": "8x8", "label": "way", "steps": 6}
    whole = rnncli.train(moving(10), output=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        rnncli.train(moving(10), output=tmp_path / "broken", on_event=stop, **options)
    rnncli.train(moving(10), output=tmp_path / "broken", **options)
    assert (tmp_path / "broken").read_bytes() == (tmp_path / "whole").read_bytes()
    assert rnncli.train(moving(10), output=tmp_path / "whole", **options).up_to_date
    assert not whole.up_to_date


def test_pixels_in_columns_and_lists_are_labelled_as_bytes_are(tmp_path: Path, clips: tuple[Path, Path, Path]) -> None:
    table = moving(12, seed=3)
    pixels = np.stack([np.frombuffer(cell, np.uint8) for cell in table["frame"].to_pylist()])
    columns = {f"p{place}": pixels[:, place] for place in range(64)}
    csv.write_csv(pa.table({"clip": table["clip"], "way": table["way"], **columns}), tmp_path / "wide.csv")
    options = SMALL | {"label": "way", "steps": 4, "id": "clip", "grid": "8x8"}
    wide = rnncli.train(tmp_path / "wide.csv", frame="p*", **options)
    made = rnncli.train(table, frame="frame", **options)
    ours, theirs = rnncli.predict(tmp_path / "wide.csv", wide), rnncli.predict(table, made)
    np.testing.assert_allclose(ours.said, theirs.said, atol=1e-5)
    lists = table.set_column(2, "frame", pa.array(pixels.tolist(), pa.list_(pa.uint8())))
    assert np.array_equal(rnncli.predict(lists, made).said, theirs.said)


def test_frames_are_labelled_one_by_one_and_numbers_are_said(tmp_path: Path) -> None:
    table = moving(12)
    steps = rnncli.train(table, frame="frame", grid="8x8", label="at", label_kind="number", per_step=True, **FEW)
    said = rnncli.predict(table, steps).to_arrow()
    assert said.num_rows == table.num_rows
    assert said.column_names[:4] == ["clip", "step", "label", "q0.1"]
    online = rnncli.train(table, frame="frame", grid="8x8", label="way", per_step=True, online=True, **FEW)
    with pytest.raises(UsageError, match="--state is not for frames"):
        rnncli.predict(table, online, state=tmp_path / "state")


def test_what_is_seen_of_a_clip_is_its_frames() -> None:
    task, options = find(TASKS, "labels", "task"), {"frame": "frame", "grid": "8x8", "label": "way"}
    panel = task.load_new(moving(6), ColumnChoices(id=("clip",)), options, unheard).panel
    spec = label_spec(panel, options)
    seen, count = pictured(panel, spec, np.array([2, 3]), np.array([0, 1]), np.array([4, 2]))
    assert spec.pictures is not None
    assert (seen.shape, count.tolist()) == ((2, 4, 8, 8, 3 * 2), [4, 2])
    z = np.arcsinh(panel.frames(np.array([3]), np.array([1]), 2, 1)[0, ..., 0] - spec.pictures.center)
    z = np.arcsinh(np.sinh(z) / spec.pictures.scale)
    for step in range(2):
        np.testing.assert_allclose(seen[1, step, ..., 2], z[step], rtol=1e-4)
    assert not seen[1, 2:, ..., 2:4].any()
    turned, _ = pictured(panel, spec, np.array([2]), np.array([0]), np.array([4]), np.random.default_rng(0))
    assert not np.array_equal(turned, seen[:1])


def test_frames_are_summed_up_by_means_of_parts_deviation_and_largest_value() -> None:
    task, options = find(TASKS, "labels", "task"), {"frame": "frame", "grid": "8x8", "label": "way"}
    panel = task.load_new(moving(4), ColumnChoices(id=("clip",)), options, unheard).panel
    found, frames = summed_up(panel), panel.blocks["frame"].gather(panel.values[:, 1])[..., 0]
    assert found.shape == (len(frames), summaries((8, 8, 1)))
    parts = frames.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    np.testing.assert_allclose(found[:, :16], parts, rtol=1e-6)
    np.testing.assert_allclose(found[:, 16:], np.stack([frames.std((1, 2)), frames.max((1, 2))], 1), rtol=1e-6)


def test_outputs_of_both_directions_stay_apart_over_the_grid() -> None:
    task, options = find(TASKS, "labels", "task"), {"frame": "frame", "grid": "8x8", "label": "way"}
    spec = label_spec(task.load_new(moving(6), ColumnChoices(id=("clip",)), options, unheard).panel, options)
    outputs = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6))
    found = over_grid(outputs, spec, np)
    ahead, back = outputs[..., :3], outputs[..., 3:]
    parts = [part for way in (ahead, back) for part in (way.mean(axis=(2, 3)), way.max(axis=(2, 3)))]
    assert spec.both_ways
    np.testing.assert_allclose(found, np.concatenate(parts, axis=-1))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"grid": "8x8"}, "which column holds the frames is not said"),
        ({"frame": "frame", "grid": "8x8", "channels": ("at",)}, "read from these alone"),
        ({"frame": "way", "grid": "8x8"}, "two roles"),
        ({"frame": "frame", "grid": "8x8", "row_per_sequence": True}, "a row is a frame"),
        ({"frame": "picture", "grid": "8x8"}, "picture"),
        ({"frame": "frame", "grid": "8x9"}, "a grid of 8x9 has 72 bytes"),
        ({"frame": "frame", "grid": "8x8", "cell": "conv:3:lstm,gru"}, "with a grid and without one"),
        ({"frame": "frame", "grid": "8x8", "loss": "squared"}, "--loss is for frames, and --label asks for labels"),
    ],
)
def test_what_makes_no_sense_is_one_clear_error(options: dict[str, object], error: str) -> None:
    with pytest.raises((UsageError, InputRefused), match=error):
        rnncli.train(moving(6), label="way", **options)


def test_clips_of_another_size_and_files_of_frames_are_refused(
    clips: tuple[Path, Path, Path], tmp_path: Path, run_rnncli: Run
) -> None:
    parquet.write_table(moving(4, side=9), tmp_path / "other.parquet")
    done = run_rnncli("predict", tmp_path / "other.parquet", "-m", clips[2])
    assert (done.returncode, "a grid of 8x8 has 64 bytes, and frames have 81" in done.stderr) == (4, True)
    np.save(tmp_path / "clips.npy", np.zeros((4, 3, 8, 8), np.uint8))
    done = run_rnncli("train", tmp_path / "clips.npy", "--frame", "x", "--label", "way", "-o", tmp_path / "m")
    assert (done.returncode, "labels stand in a column, and files of frames have none" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("frames",), None),
        (("frames", "frame"), "other"),
        (("labels", "pictures"), None),
        (("labels", "pictures", "name"), "other"),
        (("labels", "pictures", "patch"), [2, 2]),
        (("labels", "pictures", "patch"), [9, 1]),
        (("labels", "pictures", "shape"), [1 << 20, 1 << 20, 1]),
        (("labels", "pictures", "scale"), 0.0),
        (("labels", "pictures", "gaps"), True),
        (("labels", "pictures", "flat"), True),
        (("labels", "raster"), 2),
        (("columns", "id"), "frame"),
        (("network", "cell"), "bidirectional:lstm,bidirectional:lstm"),
    ],
)
def test_a_model_whose_parts_contradict_each_other_is_refused(
    clips: tuple[Path, Path, Path], tmp_path: Path, place: tuple[str, ...], value: object
) -> None:
    document, table, body = SIGNING["opened"](clips[2].read_bytes())
    part = document
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    (tmp_path / "forged").write_bytes(SIGNING["signed"](document, table, body))
    with pytest.raises(ModelRefused) as refused:
        rnncli.info(tmp_path / "forged")
    assert refused.value.hint


def test_a_check_looks_at_labels_and_at_pixels(tmp_path: Path, run_rnncli: Run) -> None:
    rows = moving(12).to_pylist()
    again = [row | {"clip": "again", "way": "down"} for row in rows if row["clip"] == "0-0"]
    bright = [row | {"clip": "bright", "frame": bytes([255]) * 64} for row in rows if row["clip"] == "0-1"]
    parquet.write_table(pa.Table.from_pylist([*rows, *again, *bright]), tmp_path / "odd.parquet")
    options = shlex.split("--frame frame --grid 8x8 --label way --id clip")
    done = run_rnncli("check", tmp_path / "odd.parquet", *options, "--json")
    found = {one["id"]: one["severity"] for one in json.loads(done.stdout)["findings"]}
    names = ("sequence-repeated", "label-contradicting", "sequence-constant", "pixel-saturated")
    assert [found[name] for name in names] == ["warning", "warning", "warning", "note"]
    assert done.returncode == 0
