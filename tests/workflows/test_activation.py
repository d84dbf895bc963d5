"""An activation is chosen for cells that have one, and refused for others before anything is read."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import UsageError
from rnncli.tasks.forecast.plan import network_spec
from rnncli.tasks.plan import Sizes

SIGNING = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "fuzz" / "signing.py"))
QUICK: dict[str, Any] = {"horizon": 4, "hidden": 4, "batch": 8, "steps": 1, "members": 1, "threads": 1}


@pytest.mark.parametrize("work", [rnncli.train, rnncli.inspect_gradients])
@pytest.mark.parametrize(
    "option",
    [
        {"cell": "lstm", "activation": "relu"},
        {"cell": "gru", "activation": "tanh"},
        {"activation": "relu"},
        {"cell": "lstm,gru", "activation": "relu"},
        {"cell": "dilated:lru", "activation": "relu"},
        {"cell": "dilated:24:mgu,slstm", "activation": "tanh"},
    ],
)
def test_an_activation_that_no_layer_has_is_refused_before_anything_is_read(
    work: Callable[..., object], option: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=r"--activation is given, but .* has none to choose"):
        work("absent.csv", **option)


@pytest.mark.parametrize("cell", ["rnn", "jordan", "fir:4", "dilated:rnn", "lstm,rnn"])
def test_an_activation_that_a_layer_has_is_used_and_told(sample_data: Path, tmp_path: Path, cell: str) -> None:
    made = rnncli.train(sample_data / "co2_weekly.csv", output=tmp_path / "m", cell=cell, activation="relu", **QUICK)
    assert "(relu)" in dict(made.model.facts())["network"]
    assert made.model.network.activation == "relu"


def test_a_model_that_goes_on_keeps_its_activation(sample_data: Path, small_model: Path) -> None:
    with pytest.raises(UsageError, match="--activation describes a model"):
        rnncli.train(sample_data / "co2_weekly.csv", warm_start=small_model, activation="relu")


@pytest.mark.parametrize("option", ["predict", "evaluate", "info", "inspect_gradients", "warm_start"])
def test_a_file_that_has_an_activation_beside_an_lstm_is_still_read(
    sample_data: Path, small_model: Path, tmp_path: Path, option: str
) -> None:
    """Releases before took one for every cell."""
    document, table, body = SIGNING["opened"](small_model.read_bytes())
    document["network"]["activation"] = "relu"
    old, data = tmp_path / "old.safetensors", sample_data / "co2_weekly.csv"
    old.write_bytes(SIGNING["signed"](document, table, body))
    if option == "predict":
        assert str(rnncli.predict(data, old)) == str(rnncli.predict(data, small_model))
    elif option == "evaluate":
        assert rnncli.evaluate(data, old, refit=False).report
    elif option == "info":
        assert dict(rnncli.info(old).facts)["network"].startswith("lstm, ")
    elif option == "inspect_gradients":
        assert rnncli.inspect_gradients(data, old, quick=True, series=2).report
    else:
        assert rnncli.train(data, warm_start=old, steps=1, threads=1).model.network.activation == "relu"


@pytest.mark.parametrize(
    ("cell", "activation", "init"),
    [
        ("rnn", "relu", "identity"),
        ("rnn,rnn", "relu", "identity"),
        ("dilated:rnn", "relu", "identity"),
        ("rnn", "tanh", "chrono"),
        ("lstm,rnn", "relu", "chrono"),
        ("lstm", "relu", "chrono"),
    ],
)
def test_only_networks_of_relu_units_begin_with_the_identity(
    weekly_waves: Any, cell: str, activation: str, init: str
) -> None:
    from rnncli.tasks.forecast.plan import forecast_spec

    spec = forecast_spec(weekly_waves, 4, (0.5,))
    assert network_spec(weekly_waves, spec, Sizes(cell=cell, activation=activation)).init.partition(":")[0] == init
