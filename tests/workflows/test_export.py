"""Models as ONNX graphs: what a runtime computes from them is what predict says."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.cells.named import asks_for_gaps
from rnncli.layers.encoder import encoder_shapes
from rnncli.registry import CELLS
from rnncli.tasks.forecast import attended
from rnncli.tasks.forecast.network import network_inputs

pytest.importorskip("onnx", reason="onnx comes with the extra `test`")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime comes with the extra `test`")

Run = Callable[..., subprocess.CompletedProcess[str]]
STACKS = ("dilated:3:lstm", "dilated:1:gru", "dilated:2:slstm", "lstm,dilated:4:gru", "fir:24")


@pytest.fixture(scope="module")
def table(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Employment of several sectors beside a series of five rows, one that stands still, and one below zero."""
    with (sample_data / "us_employment.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    months = [month for sector, month, _ in rows if sector == "nonfarm"]
    late = [["young", month, str(100 + place)] for place, month in enumerate(months[-5:])]
    still = [["still", month, "7.5"] for month in months[-60:]]
    mixed = [["mixed", month, f"{20 * np.sin(place / 3):.3f}"] for place, month in enumerate(months[-80:])]
    path = tmp_path_factory.mktemp("table") / "sectors.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows, *late, *still, *mixed])
    return path


@pytest.fixture(scope="module")
def trained(run_rnncli: Run, table: Path) -> Path:
    path = table.with_name("m.safetensors")
    sizes = ("--hidden", 6, "--layers", 2, "--steps", 6, "--batch", 16, "--members", 2)
    done = run_rnncli("train", table, "--horizon", 6, *sizes, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


def run_graph(path: Path, exported: Any, data: Path) -> tuple[list[str], np.ndarray]:
    """What a runtime computes from an exported model, for every series of the data."""
    session = onnxruntime.InferenceSession(str(path))
    parts = list(exported.inputs(data))
    made = [session.run(["quantiles"], part.feeds)[0] for part in parts]
    return [name for part in parts for name in part.ids], np.concatenate(made)


def assert_alike(model: Any, data: Path, path: Path) -> None:
    exported = rnncli.export(model, output=path)
    ids, made = run_graph(path, exported, data)
    said = rnncli.predict(data, model=model).table
    assert (tuple(ids), exported.levels) == (said.ids, said.levels)
    size = np.abs(said.quantiles).max(axis=(1, 2), keepdims=True)
    np.testing.assert_array_less(np.abs(made - said.quantiles) / size, 1e-5)


def with_cell(model: Any, cell: str) -> Any:
    """The model with other recurrent layers, of random weights."""
    layers = 1 if "," not in cell else 2
    spec = dataclasses.replace(model.spec, gaps=asks_for_gaps(cell, layers))
    inputs = network_inputs(spec, model.calendar)[0]
    network = dataclasses.replace(model.network, cell=cell, layers=layers, inputs=inputs)
    draw = np.random.default_rng(5)
    shapes = encoder_shapes(network).items()
    size = (network.members,)
    layered = {name: draw.normal(0, 0.3, size + shape).astype(np.float32) for name, shape in shapes}
    head = {name: weight for name, weight in model.weights.items() if name.startswith("head.")}
    return dataclasses.replace(model, network=network, spec=spec, weights=layered | head)


@dataclasses.dataclass(frozen=True)
class Held:
    """What holds a model, as the result of a training does."""

    model: Any
    output: None = None


@pytest.mark.parametrize("cell", [*CELLS, *STACKS])
def test_a_runtime_says_what_predict_says_for_every_cell(trained: Path, table: Path, tmp_path: Path, cell: str) -> None:
    model = with_cell(rnncli.info(trained).model, cell)
    assert_alike(Held(model), table, tmp_path / "m.onnx")


@pytest.mark.parametrize("reach", [3, None])
def test_attention_is_exported_too(trained: Path, table: Path, tmp_path: Path, reach: int | None) -> None:
    model = rnncli.info(trained).model
    draw, hidden = np.random.default_rng(7), model.network.hidden
    drawn = {
        f"head.{name}": draw.normal(0, 0.5, (model.network.members, *shape)).astype(np.float32)
        for name, shape in attended.shapes(hidden).items()
    }
    spec = dataclasses.replace(model.spec, attended=reach or model.spec.steps)
    attending = dataclasses.replace(model, spec=spec, weights=model.weights | drawn)
    plain, made = (rnncli.predict(table, model=Held(one)).table.quantiles for one in (model, attending))
    assert np.abs(made - plain).max() > 1e-3
    assert_alike(Held(attending), table, tmp_path / "m.onnx")


def test_a_trained_model_of_several_members_and_a_pool_is_exported_whole(
    trained: Path, table: Path, tmp_path: Path
) -> None:
    model = rnncli.info(trained).model
    assert (model.network.members, len(model.pool.names) > 1, model.young is not None) == (2, True, True)
    assert_alike(trained, table, tmp_path / "m.onnx")


@pytest.mark.parametrize("changed", ["unproven", "own", "alone", "bounded", "whole", "plain"])
def test_what_only_some_models_have_is_exported_too(trained: Path, table: Path, tmp_path: Path, changed: str) -> None:
    model = rnncli.info(trained).model
    ways = tuple(np.full((3, len(model.pool.names)), 1 / len(model.pool.names)).tolist())
    spec = model.spec
    said: dict[str, dict[str, Any]] = {
        "unproven": {"calibration": None, "young": None},
        "own": {"pool": dataclasses.replace(model.pool, own=tuple(map(tuple, ways)))},
        "alone": {"pool": type(model.pool)()},
        "bounded": {"spec": dataclasses.replace(spec, maximum=1000.0, ceiling=1000.0)},
        "whole": {"spec": dataclasses.replace(spec, whole=True, each=False)},
        "plain": {"network": dataclasses.replace(model.network, residual=not model.network.residual)},
    }
    data = table
    if changed == "bounded":
        data = tmp_path / "small.csv"
        rows = [
            line for line in table.read_text().splitlines() if line.startswith(("sector", "still", "mixed", "util"))
        ]
        data.write_text("\n".join(rows) + "\n")
    assert_alike(Held(dataclasses.replace(model, **said[changed])), data, tmp_path / "m.onnx")


def test_a_model_that_went_on_from_base_is_exported(table: Path, tmp_path: Path) -> None:
    made = rnncli.train(table, horizon=6, warm_start="base", steps=2)
    assert made.model.spec.universal
    assert_alike(made, table, tmp_path / "m.onnx")


def test_two_layers_with_norms_are_exported(trained: Path, table: Path, tmp_path: Path) -> None:
    model = rnncli.info(trained).model
    network = dataclasses.replace(model.network, layer_norm=True)
    draw, size = np.random.default_rng(0), (network.members,)
    more = {
        n: draw.normal(1, 0.1, size + s).astype(np.float32) for n, s in encoder_shapes(network).items() if "norm" in n
    }
    assert_alike(
        Held(dataclasses.replace(model, network=network, weights=model.weights | more)), table, tmp_path / "m.onnx"
    )


def test_the_command_states_the_opset_and_every_input(run_rnncli: Run, trained: Path, tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "m.onnx"
    found = json.loads(run_rnncli("export", trained, "-o", path, "--json").stdout)
    graph = onnx.load(path)
    assert (found["opset"], graph.opset_import[0].version) == (18, 18)
    assert [put["name"] for put in found["inputs"]] == [one.name for one in graph.graph.input]
    facts = {fact.key: fact.value for fact in graph.metadata_props}
    assert facts["levels"] == ",".join(map(str, found["outputs"][0]["levels"]))
    first = path.read_bytes()
    assert run_rnncli("export", trained, "-o", path).returncode == 0
    assert path.read_bytes() == first


def test_what_cannot_be_exported_is_refused(run_rnncli: Run, trained: Path, sample_data: Path, tmp_path: Path) -> None:
    label_model = tmp_path / "digits.safetensors"
    sizes = ("--label", "digit", "--steps", 1, "--hidden", 4)
    assert run_rnncli("train", sample_data / "digits.csv", *sizes, "-o", label_model).returncode == 0
    labels = run_rnncli("export", label_model, "-o", tmp_path / "m.onnx")
    assert (labels.returncode, "this one makes labels" in labels.stderr) == (2, True)
    base = run_rnncli("export", "base", "-o", tmp_path / "m.onnx")
    assert (base.returncode, "rnncli train DATA -o MODEL" in base.stderr) == (2, True)
    suffix = run_rnncli("export", trained, "-o", tmp_path / "m.bin")
    assert (suffix.returncode, "ends in .onnx" in suffix.stderr) == (2, True)
    assert list(tmp_path.glob(".m.bin*")) == []
    assert not list(tmp_path.glob("m.*"))


def test_a_pool_with_a_linear_map_is_what_predict_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = 0.1 * rng.normal(0, 1, (6, 300))
    for t in range(17, 300):
        y[:, t] += 0.48 * y[:, t - 17] - 0.48 * y[:, t - 10]
    days = [str(day) for day in np.datetime64("2024-01-01") + np.arange(300)]
    data = tmp_path / "echoes.csv"
    lines = [f"s{s},{day},{100 + 10 * value:.4f}" for s in range(6) for day, value in zip(days, y[s], strict=True)]
    data.write_text("\n".join(["id,day,y", *lines]) + "\n")
    sizes = {"hidden": 4, "layers": 1, "members": 1, "steps": 2, "horizon": 6, "from_scratch": True}
    model = rnncli.train(data, output=tmp_path / "m.safetensors", **sizes).model
    assert "linear" in model.pool.names
    assert_alike(model, data, tmp_path / "m.onnx")
