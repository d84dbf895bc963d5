"""What the next frames are learnt from, said of and written as."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.errors import InputRefused, UsageError
from rnncli.events import unheard
from rnncli.registry import TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.frames import head
from rnncli.tasks.frames.examples import Examples, origins, turning
from rnncli.tasks.frames.patches import patched, unpatched
from rnncli.tasks.frames.plan import SIZES, cells_for, cost_of, size_of
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.frames.validation import hold_out
from rnncli.tasks.plan import Plan, Sizes

SMALL: dict[str, Any] = {"frame": "frame", "grid": "6x5", "horizon": 2, "context": 3, "hidden": 3, "steps": 3}
SPEC = FrameSpec(2, 3, (6, 5, 1), (2, 2), "squared", 0.0, 1.0, 1.0, residual=True)


def frames(lengths: tuple[int, ...] = (7,) * 12, kind: str = "<u2", seed: int = 0) -> pa.Table:
    """Clips of amounts, as bytes."""
    rng = np.random.default_rng(seed)
    rows = [
        {"id": f"s{s}", "t": 10 * i, "frame": (rng.gamma(0.3, size=(6, 5)) * 50).astype(kind).tobytes()}
        for s, length in enumerate(lengths)
        for i in range(length)
    ]
    return pa.Table.from_pylist(rows)


def planned(table: pa.Table, **options: Any) -> tuple[Any, Plan[FrameSpec]]:
    task, given = find(TASKS, "frames", "task"), SMALL | {"frame_dtype": "uint16"} | options
    task.refuse_senseless(given)
    loaded = task.load_to_train(table, ColumnChoices(id=("id",), time="t"), given, None, unheard)
    return loaded, task.planned(loaded, given)


@cache
def model(**options: Any) -> Any:
    return rnncli.train(frames(), id="id", time="t", **(SMALL | {"frame_dtype": "uint16"} | options)).model


@pytest.mark.parametrize("patch", [(1, 1), (2, 2), (4, 3), (6, 5)])
@pytest.mark.parametrize("multiple", [1, 2])
def test_patches_put_together_are_the_frame(patch: tuple[int, int], multiple: int) -> None:
    flat = FrameSpec(1, 1, (6, 5, 2), patch, "squared", 0.0, 1.0, 1.0, residual=True, multiple=multiple)
    assert all(size % multiple == 0 for size in flat.grid)
    clip = np.random.default_rng(0).normal(size=(3, 6, 5, 2)).astype(np.float32)
    assert np.array_equal(unpatched(patched(clip, flat), flat, np), clip)


def test_a_question_sees_what_came_before_it_and_then_nothing() -> None:
    loaded, plan = planned(frames())
    panel, spec = loaded.panel, replace(plan.spec, amounts=False, moved=False)
    seen = Examples(panel, spec, panel.lengths).seen(np.array([1]), np.array([4]), 3, every=True)
    clip = (panel.frames(np.array([1]), np.array([0]), 7)[0] - spec.center) / spec.scale
    assert seen.inputs.shape == (1, 4, *spec.grid, spec.inputs)
    shown = unpatched(seen.inputs[0, :, :, :, :-1], spec, np)
    np.testing.assert_allclose(shown[:3], np.arcsinh(clip[1:4]), rtol=1e-5, atol=1e-6)
    assert not shown[3:].any()
    assert seen.inputs[0, :, 0, 0, -1].tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(seen.targets[0], clip[2:6], rtol=1e-6)
    np.testing.assert_allclose(seen.beside["base"][0], clip[[1, 2, 3, 3]], rtol=1e-6)


def test_amounts_are_seen_in_their_own_size() -> None:
    loaded, plan = planned(frames())
    assert plan.spec.amounts
    panel, found = loaded.panel, []
    for scale in (1.0, 7.0):
        scaled = replace(panel, blocks={"frame": replace(panel.blocks["frame"], scale=scale)})
        found.append(Examples(scaled, plan.spec, panel.lengths).seen(np.array([0, 3]), np.array([4, 5]), 3))
    ours, theirs = found
    np.testing.assert_allclose(ours.inputs, theirs.inputs, rtol=1e-5)
    np.testing.assert_allclose(ours.targets, theirs.targets, rtol=1e-5)
    np.testing.assert_allclose(7 * ours.units["size"], theirs.units["size"], rtol=1e-5)


def test_few_questions_are_mirrored_as_they_are_drawn() -> None:
    spec = FrameSpec(2, 3, (5, 5, 1), (1, 1), "squared", 0.0, 1.0, 1.0, residual=True, mirrored=True)
    crops = np.random.default_rng(0).normal(size=(64, 2, 5, 5, 1)).astype(np.float32)
    made = turning(np.random.default_rng(1), 64, spec)(crops)
    for crop, found in zip(crops, made, strict=True):
        symmetries = [np.rot90(one, k, (1, 2)) for one in (crop, crop[:, ::-1]) for k in range(4)]
        assert sum(np.array_equal(found, one) for one in symmetries) == 1
    assert not np.array_equal(crops, made)
    assert planned(frames())[1].spec.mirrored
    assert not planned(frames((210,) * 5))[1].spec.mirrored


def drifting(rows: int = 24, count: int = 12, steps: int = 9) -> pa.Table:
    """Clips of blots that move on together, one row down and two columns to the right with every step."""
    rng, clips = np.random.default_rng(2), []
    for clip in range(count):
        field = rng.gamma(0.5, size=(3 * rows, 3 * rows)) * (rng.random((3 * rows, 3 * rows)) < 0.2)
        for t in range(steps):
            part = field[rows - t : 2 * rows - t, rows - 2 * t : 2 * rows - 2 * t]
            clips.append({"id": f"s{clip}", "t": t, "frame": part.astype(np.float32).ravel().tolist()})
    return pa.Table.from_pylist(clips)


def test_where_frames_move_the_base_is_the_last_one_moved_on() -> None:
    loaded, plan = planned(drifting(), grid="24x24", frame_dtype=None, horizon=3, context=4)
    panel, spec = loaded.panel, plan.spec
    assert spec.moved
    series, rows = np.array([0, 5]), np.array([4, 5])
    seen = Examples(panel, spec, panel.lengths).seen(series, rows, 4, every=True)
    inner = (slice(None), slice(None), slice(8, 20), slice(8, 20))  # as the border comes in from outside
    np.testing.assert_allclose(seen.beside["base"][inner], seen.targets[inner], atol=1e-5)
    shown = unpatched(seen.inputs[..., : spec.outputs], spec, np)
    np.testing.assert_allclose(shown, np.arcsinh(seen.beside["base"]), atol=1e-6)
    table = frames()
    still = pa.array([table["frame"][0].as_py()] * len(table))
    assert not planned(table.set_column(2, "frame", still))[1].spec.moved


def test_before_the_first_frame_there_is_none() -> None:
    loaded, plan = planned(frames())
    seen = Examples(loaded.panel, plan.spec, loaded.panel.lengths).seen(np.array([0]), np.array([1]), 3)
    assert seen.inputs[0, :, 0, 0, -1].tolist() == [1, 1, 0, 1]


def test_questions_have_a_whole_context_and_horizon_where_there_is_room() -> None:
    first, last = origins(np.array([1, 2, 3, 5, 9]), SPEC)
    assert [(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if b >= a] == [
        (1, 1),
        (1, 1),
        (3, 3),
        (3, 7),
    ]


def test_whole_sequences_are_held_out_or_the_last_parts_of_few() -> None:
    many, _ = planned(frames((7,) * 20))
    found = hold_out(many.panel, SPEC)
    assert len(set(found.series.tolist())) == 2
    assert not found.ends(many.panel.lengths)[found.series].any()
    few, _ = planned(frames((40, 60)))
    found = hold_out(few.panel, SPEC)
    assert found.ends(few.panel.lengths).tolist() == [36, 54]
    assert (found.rows >= found.ends(few.panel.lengths)[found.series]).all()
    assert (found.rows + SPEC.horizon <= few.panel.lengths[found.series]).all()


def test_the_loss_follows_from_the_frames() -> None:
    table = frames()
    assert planned(table)[1].spec.loss == "squared"
    assert planned(table, quantiles=(0.1, 0.9))[1].spec.levels == (0.1, 0.5, 0.9)
    light = [
        np.where(np.frombuffer(cell, "<u2") > 60, 200, 0).astype("<u2").tobytes() for cell in table["frame"].to_pylist()
    ]
    assert planned(table.set_column(2, "frame", pa.array(light)))[1].spec.loss == "bernoulli"


def test_what_is_said_first_is_the_last_frame_nearly_or_the_mean_share() -> None:
    class Zero:
        def uniform(self, shape: tuple[int, ...], within: float) -> Any:  # noqa: ARG002
            return np.zeros(shape, np.float32)

    network = planned(frames())[1].network
    shares = FrameSpec(2, 3, (6, 5, 1), (2, 2), "bernoulli", 0.0, 4.0, 4.0, residual=False, mean=0.25)
    for spec, expected in ((SPEC, 3.0), (shares, 1.0)):
        weights = {name: np.zeros(shape, np.float32) for name, shape in head.shapes(spec, network).items()}
        weights |= head.begin(spec, network, Zero())  # type: ignore[arg-type]
        state = np.zeros((1, 2, *spec.grid, network.hidden), np.float32)
        said = head.head(spec, weights, state, {"base": np.full((1, 2, 6, 5, 1), 3, np.float32)}, np)
        np.testing.assert_allclose(head.in_units(spec, said), expected, rtol=1e-6)


def test_no_value_is_said_to_be_below_the_least() -> None:
    values = rnncli.predict(frames(seed=3), model()).values
    assert values.min() >= 0


def test_larger_frames_have_coarser_layers_in_the_middle() -> None:
    assert cells_for((12, 12, 1), Sizes()) == ("conv:3:lstm", 2)
    assert cells_for((48, 48, 1), Sizes(layers=2)) == ("conv:3:lstm", 2)
    assert cells_for((128, 100, 1), Sizes(cell="conv:5:gru")) == ("conv:5:gru,conv:5/2:gru,conv:5+2:gru", 3)
    assert cells_for((128, 100, 1), Sizes(cell="lstm")) == ("lstm", 1)
    assert [size_of((side, side, 1)).patch for side in (12, 13, 32, 33, 1000)] == [1, 2, 2, 4, 8]
    assert SIZES[-1].pixels == float("inf")


def test_a_layer_on_a_coarser_grid_costs_a_quarter() -> None:
    _, plan = planned(frames(), cell="conv:3:lstm,conv:3/2:lstm,conv:3+2:lstm")
    whole = 4 * 3 * 9 * 3  # of a kernel over three units and four gates
    rows, columns = plan.spec.grid
    expected = rows * columns * (4 * 3 * 9 * plan.spec.inputs + 3 * whole + plan.spec.outputs * 3)
    assert cost_of(plan.spec, plan.network) == expected + rows * columns // 4 * 2 * whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "bidirectional:conv:3:lstm"}, "reads a sequence from both ends"),
        ({"cell": "conv:3:lstm,gru"}, "with a grid and without one"),
        ({"cell": "conv:3/2:lstm"}, "end on one of"),
        ({"tbptt": 4}, "--tbptt"),
        ({"loss": "squared", "quantiles": (0.5,)}, "--quantiles"),
        ({"horizon": 7}, "--horizon is 7"),
        ({"activation": "relu"}, "--activation"),
    ],
)
def test_what_makes_no_sense_is_refused_before_training(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        planned(frames(), **options)


@pytest.mark.parametrize("task", [{"target": "y"}, {"label": "kind", "channels": ("y",)}, {"token": "kind"}])
def test_cells_on_a_grid_are_refused_where_there_are_no_frames(task: dict[str, Any]) -> None:
    rows = [{"id": f"s{s}", "t": t, "y": float(s * t), "kind": "ab"[s % 2]} for s in range(8) for t in range(20)]
    with pytest.raises(UsageError, match="there are no frames"):
        rnncli.train(pa.Table.from_pylist(rows), cell="conv:3:lstm", id="id", **task)


def test_single_frames_are_refused() -> None:
    with pytest.raises((InputRefused, UsageError)):
        rnncli.train(frames((1,) * 12), id="id", time="t", **SMALL, frame_dtype="uint16")


def test_the_next_frames_come_as_the_frames_did(tmp_path: Path) -> None:
    table = frames()
    made = rnncli.predict(table, model(), output=tmp_path / "next.parquet")
    written = parquet.read_table(tmp_path / "next.parquet")
    assert written.column_names == ["id", "t", "frame"]
    assert written["t"].to_pylist()[:2] == [70, 80]
    first = np.frombuffer(written["frame"][0].as_py(), "<u2").reshape(6, 5)
    np.testing.assert_allclose(first, made.values[0, 0, :, :, 0], atol=0.5)
    rnncli.predict(written, model())
    lists = [np.frombuffer(cell, "<u2").tolist() for cell in table["frame"].to_pylist()]
    as_lists = rnncli.predict(table.set_column(2, "frame", pa.array(lists, pa.list_(pa.uint16()))), model())
    assert as_lists.to_arrow()["frame"].to_pylist()[0] == first.ravel().tolist()
    assert json.loads(as_lists.encode("jsonl").decode().splitlines()[0])["frame"] == first.ravel().tolist()
    header, line = as_lists.encode("csv").decode().splitlines()[:2]
    assert header.split(",")[:4] == ["id", "t", "frame0", "frame1"]
    assert line.split(",")[2:] == [str(number) for number in first.ravel().tolist()]


def test_an_array_is_answered_with_an_array(tmp_path: Path) -> None:
    clips = np.random.default_rng(0).integers(0, 255, (12, 7, 6, 5)).astype(np.uint8)
    np.save(tmp_path / "clips.npy", clips)
    trained = rnncli.train(tmp_path / "clips.npy", grid="6x5", horizon=2, hidden=3, steps=3)
    made = rnncli.predict(tmp_path / "clips.npy", trained)
    rnncli.predict(tmp_path / "clips.npy", trained, output=tmp_path / "next.npy")
    written = np.load(tmp_path / "next.npy")
    assert (written.dtype, written.shape) == (np.uint8, (12, 2, 6, 5))
    np.testing.assert_allclose(written, made.values[..., 0], atol=0.5)


def test_quantiles_are_asked_for_by_name_and_do_not_cross() -> None:
    trained = model(quantiles=(0.1, 0.5, 0.9))
    made = rnncli.predict(frames(), trained, quantiles=(0.1, 0.9))
    low, high = made.values[:, :, 0], made.values[:, :, 1]
    assert (low <= high).all()
    assert made.to_arrow()["quantile"].to_pylist()[:2] == [0.1, 0.9]
    with pytest.raises(UsageError, match=r"no quantile 0\.2"):
        rnncli.predict(frames(), trained, quantiles=(0.2,))
    with pytest.raises(UsageError, match="no quantile"):
        rnncli.predict(frames(), model(), quantiles=(0.5,))


def test_a_shorter_horizon_is_the_beginning_and_a_longer_one_is_refused() -> None:
    whole, part = (rnncli.predict(frames(), model(), horizon=horizon).values for horizon in (None, 1))
    assert np.array_equal(whole[:, :1], part)
    with pytest.raises(UsageError, match="says 2 frames at most"):
        rnncli.predict(frames(), model(), horizon=3)


def test_the_reach_is_told() -> None:
    report = rnncli.inspect_gradients(frames(), model(), quick=True)
    assert [row[0] for row in report.outline().rows] == ["0", "1", "2"]
    assert report.to_json()["reach"]["allowed"] == [5, 6, 6]


def test_a_screen_of_frames_says_nothing_of_seasons_and_counts_sequences(
    run_rnncli: Callable[..., Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "clips.npy", np.random.default_rng(0).integers(0, 255, (6, 7, 6, 6)).astype(np.uint8))
    options = ("--grid", "6x6", "--horizon", 2, "--hidden", 4, "--layers", 1, "--quick")
    done = run_rnncli("inspect-gradients", tmp_path / "clips.npy", *options)
    assert done.returncode == 0, done.stderr
    assert re.search(r"sequences, \d+ origins, \d+ steps back; a step is a frame\n", done.stdout)
    assert "of that of 6 sequences" in done.stdout
