"""Faults and healthy networks that were written down after the rules and before any of them was run: other cells, sizes
and strengths than those the rules were written beside.
"""

from __future__ import annotations

from typing import Any

from planting import Case, Plant, Weights

GATED = ("lstm-peephole", "lstm-coupled", "mgu", "mingru", "lru", "slstm")
GROWS = ("exploding", "chaotic")
LONG_STEPS = ("large-updates", *GROWS)


def biased(place: int, value: float) -> Plant:
    """Set the bias of one gate of the first layer, the gates in the order of its weights."""

    def plant(weights: Weights) -> None:
        hidden = weights["head.weight_state"].shape[-1]
        weights["layer0.bias"][place * hidden : (place + 1) * hidden] = value

    return plant


def times(factor: float, name: str) -> Plant:
    """Multiply a tensor."""
    return lambda weights: weights[name].mul_(factor)


def all_at(value: float, name: str) -> Plant:
    """Fill a tensor."""
    return lambda weights: weights[name].fill_(value)


def shifted(values: Any, offsets: Any) -> None:
    """Three series whose last two years are ten thousand times as large."""
    for s in (0, 3, 7):
        values[offsets[s + 1] - 24 : offsets[s + 1]] *= 1e4


def other_unit(values: Any, offsets: Any) -> None:
    """One whole series in millionths of its unit, which is no fault."""
    values[offsets[1] : offsets[2]] *= 1e6


RELU = {"cell": "rnn", "activation": "relu"}
HH, IH, BIAS = "layer0.weight_hh", "layer0.weight_ih", "layer0.bias"

CASES = [
    Case("16 LSTM units as PyTorch begins them", ("vanishing",), "bikes", {"init": "uniform", "hidden": 16}),
    Case("a peephole LSTM that forgets at once", ("vanishing",), "jobs", {"cell": "lstm-peephole"}, biased(1, -5.0)),
    Case("a coupled LSTM that forgets at once", ("vanishing",), "co2", {"cell": "lstm-coupled"}, biased(0, -5.0)),
    Case("a minimal gated unit that replaces its state", ("vanishing",), "jobs", {"cell": "mgu"}, biased(0, 5.0)),
    Case("a minimal GRU that replaces its state", ("vanishing",), "co2", {"cell": "mingru"}, biased(0, 5.0)),
    Case("an LRU whose eigenvalues are small", ("vanishing",), "jobs", {"cell": "lru"}, all_at(1.0, "layer0.nu")),
    Case("an sLSTM that forgets at once", ("vanishing",), "jobs", {"cell": "slstm"}, biased(1, -20.0)),
    Case("8 taps for a yearly season", ("vanishing",), "jobs", {"cell": "fir"}),
    Case("a Jordan network of a tenth of the gain", ("vanishing",), "co2", {"cell": "jordan"}, times(0.1, HH)),
    Case("a ReLU network of gain 1.5", GROWS, "bikes", RELU, times(1.5, HH)),
    Case("a Jordan ReLU network of ten times the gain", GROWS, "jobs", RELU | {"cell": "jordan"}, times(10.0, HH)),
    Case("a peephole LSTM with an infinite weight", GROWS, "co2", {"cell": "lstm-peephole"}, all_at(float("inf"), HH)),
    Case("a minimal GRU with a weight that is no number", GROWS, "sea", {"cell": "mingru"}, all_at(float("nan"), IH)),
    Case(
        "inputs a hundred times too large for 16 GRU units",
        ("saturated",),
        "sea",
        {"cell": "gru", "hidden": 16},
        times(100.0, IH),
    ),
    Case("inputs too large for a coupled LSTM", ("saturated",), "jobs", {"cell": "lstm-coupled"}, times(100.0, IH)),
    Case("16 dead ReLU units", ("dead-units",), "bikes", RELU | {"hidden": 16}, all_at(-60.0, BIAS)),
    Case("a learning rate of 0.5", LONG_STEPS, "co2", {"cell": "lstm-coupled", "learning_rate": 0.5}),
    Case("a learning rate of 1", LONG_STEPS, "jobs", {"cell": "mingru", "learning_rate": 1.0}),
    Case("a decoder blind to an LRU", ("frozen",), "sea", {"cell": "lru"}, all_at(0.0, "head.weight_state")),
    Case("a decoder blind to a GRU", ("frozen",), "bikes", {"cell": "gru"}, all_at(0.0, "head.weight_state")),
    Case("a context of 10 weeks", ("context-short",), "co2", {"cell": "lru", "context": 10}),
    Case(
        "three series of which two years are shifted", ("dominated",), "jobs", {"cell": "lstm-coupled"}, None, shifted
    ),
    Case("dropout of seven in ten units", ("noisy",), "co2", {"cell": "mgu", "dropout": 0.7}),
    *(Case(f"{cell}, {data}", ("healthy",), data, {"cell": cell}) for cell in GATED for data in ("jobs", "co2")),
    Case("16 LSTM units, bikes", ("healthy",), "bikes", {"hidden": 16}),
    Case("128 LSTM units, sea", ("healthy",), "sea", {"hidden": 128}),
    Case("a series in another unit", ("healthy",), "jobs", {}, None, other_unit),
    Case("dropout of four in ten units", ("healthy",), "jobs", {"dropout": 0.4}),
    Case("two minimal GRU layers, jobs", ("healthy",), "jobs", {"cell": "mingru", "layers": 2}),
    Case("GRU trained, sea", ("healthy",), "sea", {"cell": "gru"}, steps=60),
    Case("LRU trained, jobs", ("healthy",), "jobs", {"cell": "lru"}, steps=60),
    Case("sLSTM trained, CO2", ("healthy",), "co2", {"cell": "slstm"}, steps=40),
]
