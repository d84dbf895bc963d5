"""Faults in weights, options and series, over cells and sample data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from planting import Case, Plant, Weights

RELU = {"cell": "rnn", "activation": "relu"}


def scaled(factor: float, *names: str) -> Plant:
    """Multiply these tensors."""

    def plant(weights: Weights) -> None:
        for name in names:
            weights[name].mul_(factor)

    return plant


def gate(layer: int, place: int, bias: float) -> Plant:
    """Set the bias of one gate."""

    def plant(weights: Weights) -> None:
        hidden = weights[f"layer{layer}.weight_hh"].shape[1]
        weights[f"layer{layer}.bias"][place * hidden : (place + 1) * hidden] = bias

    return plant


def filled(value: float, *names: str) -> Plant:
    """Set these tensors."""

    def plant(weights: Weights) -> None:
        for name in names:
            weights[name].fill_(value)

    return plant


def gaussian(gain: float, layer: int = 0) -> Plant:
    """Recurrent weights of a random network of this gain (Sompolinsky et al. 1988), and weak inputs."""

    def plant(weights: Weights) -> None:
        recurrent = weights[f"layer{layer}.weight_hh"]
        recurrent.normal_(0, gain / recurrent.shape[1] ** 0.5)
        weights[f"layer{layer}.weight_ih"].mul_(0.3)

    return plant


def jump(values: Any, offsets: Any) -> None:
    """The first series is constant and then, near its end, ten thousand times as much for a while."""
    rows = slice(offsets[0], offsets[1])
    values[rows] = 100.0 + np.arange(offsets[1] - offsets[0]) % 2 * 1e-3
    values[offsets[1] - 14 : offsets[1]] = 1e6


def noise(values: Any, offsets: Any) -> None:
    """The last series swings over six orders of magnitude from row to row, after it was calm."""
    rng = np.random.default_rng(0)
    begin, end = offsets[-2], offsets[-1]
    values[begin:end] = 1000.0 + rng.normal(0, 1e-3, end - begin)
    values[end - 20 : end] = 10.0 ** rng.uniform(0, 6, 20)


def spike(values: Any, offsets: Any) -> None:
    """Two series whose last rows lost their decimal point."""
    for s in (2, 5):
        values[offsets[s + 1] - 10 : offsets[s + 1]] *= 1e5


def both(*plants: Callable[[Weights], None]) -> Plant:
    """One after the other."""

    def plant(weights: Weights) -> None:
        for one in plants:
            one(weights)

    return plant


HH, IH, BIAS = "layer0.weight_hh", "layer0.weight_ih", "layer0.bias"
GROWS = ("exploding", "chaotic")
CHAOS = ("chaotic", "exploding")

CASES = [
    Case("an LSTM as PyTorch begins it, yearly season in weeks", ("vanishing",), "co2", {"init": "uniform"}),
    Case(
        "a GRU as PyTorch begins it, weekly season in hours",
        ("vanishing",),
        "bikes",
        {"cell": "gru", "init": "uniform"},
    ),
    Case("an Elman network over a weekly season in hours", ("vanishing", "saturated"), "bikes", {"cell": "rnn"}),
    Case("an Elman network of gain 0.5", ("vanishing",), "co2", {"cell": "rnn"}, scaled(0.5, HH)),
    Case("a ReLU network of gain 0.5", ("vanishing",), "jobs", RELU, scaled(0.5, HH)),
    Case("an LSTM that forgets at once", ("vanishing",), "jobs", {}, gate(0, 1, -4.0)),
    Case("a trained LSTM whose forget gates were closed", ("vanishing",), "bikes", {}, gate(0, 1, -2.0), steps=30),
    Case("a GRU that replaces its state", ("vanishing",), "jobs", {"cell": "gru"}, gate(0, 1, -4.0)),
    Case("two layers as PyTorch begins them", ("vanishing",), "sea", {"layers": 2, "init": "uniform"}),
    Case("a ReLU network of gain 1.3", GROWS, "jobs", RELU, scaled(1.3, HH)),
    Case("a ReLU network of gain 1.1 over a year of weeks", GROWS, "co2", RELU, scaled(1.1, HH)),
    Case("a second ReLU layer of gain 1.2", GROWS, "sea", RELU | {"layers": 2}, scaled(1.2, "layer1.weight_hh")),
    Case("a random tanh network of gain 3", CHAOS, "co2", {"cell": "rnn", "hidden": 64}, gaussian(3.0)),
    Case("a random tanh network of gain 4", CHAOS, "sea", {"cell": "rnn", "hidden": 64}, gaussian(4.0)),
    Case("an LSTM with recurrent weights ten times too large", CHAOS, "co2", {"hidden": 64}, scaled(10.0, HH)),
    Case(
        "a GRU with recurrent weights ten times too large",
        CHAOS,
        "bikes",
        {"cell": "gru", "hidden": 64},
        scaled(10.0, HH),
    ),
    Case("a weight that is no number", GROWS, "jobs", {}, lambda weights: weights[HH][3, 3].fill_(float("nan"))),
    Case("inputs fifty times too large for a tanh", ("saturated",), "co2", {"cell": "rnn"}, scaled(50.0, IH)),
    Case("inputs a hundred times too large for an LSTM", ("saturated",), "jobs", {}, scaled(100.0, IH)),
    Case("inputs a hundred times too large for a GRU", ("saturated",), "bikes", {"cell": "gru"}, scaled(100.0, IH)),
    Case("biases that hold a tanh at its end", ("saturated",), "sea", {"cell": "rnn"}, filled(8.0, BIAS)),
    Case("ReLU units below their threshold", ("dead-units",), "jobs", RELU, filled(-60.0, BIAS)),
    Case(
        "ReLU units below their threshold after training", ("dead-units",), "co2", RELU, filled(-60.0, BIAS), steps=20
    ),
    Case(
        "a second layer of dead ReLU units", ("dead-units",), "sea", RELU | {"layers": 2}, filled(-80.0, "layer1.bias")
    ),
    Case("a learning rate of 1 for an LSTM", ("large-updates", *GROWS), "jobs", {"learning_rate": 1.0}),
    Case("a learning rate of 0.3 for a GRU", ("large-updates", *GROWS), "co2", {"cell": "gru", "learning_rate": 0.3}),
    Case("a learning rate of 1 for a ReLU network", ("large-updates", *GROWS), "bikes", RELU | {"learning_rate": 1.0}),
    Case(
        "a learning rate of 3 for an Elman network",
        ("large-updates", *GROWS),
        "sea",
        {"cell": "rnn", "learning_rate": 3.0},
    ),
    Case("a decoder that does not look at the state", ("frozen",), "jobs", {}, filled(0.0, "head.weight_state")),
    Case("an output gate that is shut in a second layer", ("frozen",), "co2", {"layers": 2}, gate(1, 3, -30.0)),
    Case("input gates that are shut", ("frozen", "dead-units"), "sea", {}, gate(0, 0, -40.0)),
    Case("a context of 8 weeks for a yearly season", ("context-short",), "co2", {"context": 8}),
    Case(
        "a context of 12 hours for daily and weekly seasons",
        ("context-short",),
        "bikes",
        {"context": 12, "cell": "gru"},
    ),
    Case("a context of 6 months for a yearly season", ("context-short",), "jobs", {"context": 6}),
    Case("one series that jumps ten-thousandfold", ("dominated",), "jobs", {}, None, jump),
    Case("one series of noise over six orders of magnitude", ("dominated",), "jobs", {"cell": "gru"}, None, noise),
    Case("two series that lost their decimal point", ("dominated",), "jobs", {"cell": "rnn"}, None, spike),
    Case("dropout of nine in ten units", ("noisy",), "jobs", {"dropout": 0.9}),
]
