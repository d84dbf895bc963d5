"""Frames: what a step of training and a prediction cost, and how wrong the next frames are on digits that move and on
rain radar, beside what is simpler.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from pyarrow import parquet
from torch import Tensor
from torch.nn.functional import conv2d

import rnncli
from rnncli.cells.named import cell_named
from rnncli.nn.recurrent import fused
from rnncli.nn.runtime import prepared

REAL = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]
with_data = pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here")

BATCH, SIDE, HIDDEN, STEPS = 16, 48, 32, 10
MINUTES = "15m"
RNNCLI = (sys.executable, "-m", "rnncli")
PER_PIXEL = ("--cell", "conv:1:lstm", "--layers", "2", "--hidden", "150")  # as many weights, about
WITHOUT_A_GRID = ("--cell", "lstm", "--hidden", "24")
RADAR = ("--grid", "64x64", "--frame-dtype", "uint16", "--frame-scale", "0.05")


def by_hand(weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """ConvLSTM as it is mostly written: one convolution over input and state, channels first; x [B, T, C, h, w]."""
    h = c = x.new_zeros(len(x), HIDDEN, SIDE, SIDE)
    outputs = []
    for t in range(x.shape[1]):
        gates = conv2d(torch.cat([x[:, t], h], dim=1), weights["weight"], weights["bias"], padding=1)
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def seconds(outputs: Callable[[], Tensor], weights: Mapping[str, Tensor]) -> float:
    """Of a step forward and back."""
    began = time.perf_counter()
    torch.autograd.grad(outputs().square().mean(), list(weights.values()))
    return time.perf_counter() - began


def leaves(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: (0.05 * torch.randn(shape, generator=generator)).requires_grad_() for name, shape in shapes.items()}


def test_a_training_step_is_as_fast_as_a_layer_written_by_hand(say: Callable[[str], None]) -> None:
    cell = cell_named("conv:3:lstm")
    ours, theirs = (
        leaves(cell.shapes(1, HIDDEN)),
        leaves({"weight": (4 * HIDDEN, 1 + HIDDEN, 3, 3), "bias": (4 * HIDDEN,)}),
    )
    x = torch.randn(BATCH, STEPS, SIDE, SIDE, 1)
    channels_first = x.movedim(-1, 2).contiguous()
    with prepared():
        pairs = [
            (seconds(lambda: by_hand(theirs, channels_first), theirs), seconds(lambda: fused(cell, ours, x)[0], ours))
            for _ in range(6)
        ]
    speed = statistics.median(hand / own for hand, own in pairs[1:])
    say(f"conv:3:lstm, {BATCH} x {STEPS} x {SIDE} x {SIDE}, {HIDDEN} units: {speed:.2f} of the speed of one by hand")
    assert speed >= 0.7


def test_ten_frames_are_said_within_two_seconds(
    cpu_seconds: Callable[[object], float], tmp_path: Path, say: Callable[[str], None]
) -> None:
    clips = np.random.default_rng(0).integers(0, 255, (12, 20, 64, 64)).astype(np.uint8)
    np.save(tmp_path / "clips.npy", clips)
    np.save(tmp_path / "clip.npy", clips[0])
    model = rnncli.train(tmp_path / "clips.npy", grid="64x64", horizon=10, steps=1).model
    model.save(tmp_path / "m.safetensors")
    command = (*RNNCLI, "predict", tmp_path / "clip.npy", "-m", tmp_path / "m.safetensors", "-o", tmp_path / "n.npy")
    used = min(cpu_seconds(command) for _ in range(3))
    say(f"10 frames of 64 x 64 from 10: {used:.2f} CPU s from start to file")
    assert used <= 2


def trained(data: Path, output: Path, *options: object, budget: str = MINUTES) -> Callable[[Callable[..., Any]], None]:
    command = (*RNNCLI, "train", data, "--frame", "frame", "--horizon", "10", "-o", output, "-q")
    return lambda run: run((*command, *options, "--time-budget", budget))


def by_lead(data: Path, model: Path, **options: Any) -> dict[str, list[float]]:
    """The mean squared error of the model and of each baseline at each lead time."""
    found: dict[str, list[float]] = rnncli.evaluate(data, model=model, **options).to_json()["by_lead_time"]
    return found


def shown(errors: list[float], scale: float) -> str:
    return " ".join(f"{error / scale:.4f}" for error in errors)


def below(ours: list[float], theirs: list[float]) -> bool:
    return all(own < other for own, other in zip(ours, theirs, strict=True))


@with_data
def test_digits_that_move_are_seen_ahead(
    cpu_seconds: Callable[[object], float], tmp_path: Path, say: Callable[[str], None]
) -> None:
    table = parquet.read_table(REAL / "moving_mnist_48.parquet")
    paths = {part: tmp_path / f"{part}.parquet" for part in ("train", "test")}
    for part, path in paths.items():
        parquet.write_table(table.filter(pc.equal(table["split"], part)).drop_columns(["split"]), path)
    errors: dict[str, list[float]] = {}
    for name, options in (("convolutional", ()), ("per pixel", PER_PIXEL), ("without a grid", WITHOUT_A_GRID)):
        model = tmp_path / f"{name}.safetensors"
        trained(paths["train"], model, "--grid", "48x48", *options)(cpu_seconds)
        found = by_lead(paths["test"], model)
        errors |= {name: found.pop("model")} | found
    for name, one in errors.items():
        say(f"moving digits, {name}: MSE by lead {shown(one, 255.0**2)}")
    assert all(below(errors["convolutional"], theirs) for name, theirs in errors.items() if name != "convolutional")


@with_data
def test_rain_of_another_day_is_seen_ahead(
    cpu_seconds: Callable[[object], float], tmp_path: Path, say: Callable[[str], None]
) -> None:
    table = parquet.read_table(REAL / "radar_bom_64.parquet")
    days = [_day(table, name, tmp_path) for name in ("bom20201031", "bom20180616")]
    trained(days[0], tmp_path / "m", *RADAR)(cpu_seconds)
    errors = by_lead(days[1], tmp_path / "m", windows=40, stride=1)
    for name, one in errors.items():
        say(f"radar, {name}: MSE by lead {shown(one, 1.0)}")
    assert all(below(errors["model"], errors[name]) for name in ("last-frame", "advection"))


def _day(table: pa.Table, name: str, folder: Path) -> Path:
    path = folder / f"{name}.parquet"
    parquet.write_table(table.filter(pc.equal(table["unique_id"], name)), path)
    return path
