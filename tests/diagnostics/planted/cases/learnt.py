"""Depth, and what trained networks know: faults that had no name, and healthy counterparts of other cells, trained."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from planting import Case, Plant, Weights


def inputs_of(factor: float, *layers: int) -> Plant:
    """Multiply the input weights of these layers, of all if none is named."""

    def plant(weights: Weights) -> None:
        for name, weight in weights.items():
            if name.endswith(".weight_ih") and (not layers or int(name[5]) in layers):
                weight.mul_(factor)

    return plant


def copies(weights: Weights) -> None:
    """Every unit of a gate has the weights of the first."""
    hidden = weights["head.weight_state"].shape[-1]
    for name in ("layer0.weight_ih", "layer0.weight_hh", "layer0.bias"):
        blocks = weights[name].unflatten(0, (-1, hidden))
        blocks.copy_(blocks[:, :1].clone().expand_as(blocks))


def shuffled(weights: Weights) -> None:
    """The numbers of each tensor in another order."""
    generator = torch.Generator().manual_seed(0)
    for weight in weights.values():
        weight.copy_(weight.flatten()[torch.randperm(weight.numel(), generator=generator)].view_as(weight))


def echoing(weights: Weights) -> None:
    """The decoder gives all its weight to the last value."""
    weights["head.bias_mix"].zero_()[1] = 60.0
    weights["head.weight_shift"].zero_()


def out_of_order(values: Any, offsets: Any) -> None:
    """The rows of each series in a random order."""
    rng = np.random.default_rng(0)
    for begin, end in pairwise(offsets):
        values[begin:end] = rng.permutation(values[begin:end])


def without_pattern(values: Any, offsets: Any) -> None:
    """Random walks of another scale each, of which only the last three years differ from a constant."""
    rng = np.random.default_rng(1)
    for begin, end in pairwise(offsets):
        values[begin:end] = 100.0 + np.cumsum(rng.standard_normal(end - begin)) * rng.uniform(0.5, 2.0)


FORGETS, HEALTHY = -5.0, ("healthy",)
LARGE = {"hidden": 128, "dropout": 0.0, "learning_rate": 0.01, "horizon": 6}


def forgetting(layer: int) -> Plant:
    """Forget gates of an LSTM layer that are shut."""

    def plant(weights: Weights) -> None:
        hidden = weights["head.weight_state"].shape[-1]
        weights[f"layer{layer}.bias"][hidden : 2 * hidden] = FORGETS

    return plant


CASES = [
    Case(
        "five plain layers with weak inputs",
        ("depth-vanishing", "frozen"),
        "jobs",
        {"layers": 5, "hidden": 32, "plain_stack": True},
        inputs_of(0.1),
    ),
    Case(
        "three plain GRU layers, the second nearly deaf",
        ("depth-vanishing", "frozen"),
        "co2",
        {"cell": "gru", "layers": 3, "hidden": 32, "plain_stack": True},
        inputs_of(1e-4, 1),
    ),
    Case(
        "plain ReLU layers, the upper two too loud",
        ("depth-exploding",),
        "jobs",
        {"cell": "rnn", "activation": "relu", "layers": 3, "hidden": 32, "plain_stack": True},
        inputs_of(20.0, 1, 2),
    ),
    Case("a first layer that forgets", ("vanishing",), "jobs", {"cell": "lstm,lstm", "hidden": 32}, forgetting(0)),
    Case("a second layer that forgets", ("vanishing",), "co2", {"cell": "lstm,lstm", "hidden": 32}, forgetting(1)),
    Case("LSTM units that are copies", ("alike",), "jobs", {"hidden": 32}, copies),
    Case("GRU units that are copies", ("alike",), "bikes", {"cell": "gru"}, copies),
    Case("LSTM inputs of weight 0", ("unmoved",), "co2", {"hidden": 32}, inputs_of(0.0)),
    Case("GRU inputs of next to no weight", ("unmoved",), "jobs", {"cell": "gru"}, inputs_of(1e-5)),
    Case("trained weights, shuffled", ("untaught",), "jobs", {}, shuffled, steps=60),
    Case("trained GRU weights, shuffled", ("untaught",), "bikes", {"cell": "gru"}, shuffled, steps=60),
    Case("an echo of the last value", ("echo",), "jobs", {}, echoing, steps=40),
    Case("an echo of the last hour", ("echo",), "bikes", {"cell": "gru"}, echoing, steps=20),
    Case("random walks by heart", ("overfitted",), "jobs", LARGE, None, without_pattern, steps=250),
    Case("random walks by a GRU's heart", ("overfitted",), "jobs", LARGE | {"cell": "gru"}, None, without_pattern, 250),
    Case("months out of order", ("unordered",), "jobs", {}, None, out_of_order),
    Case("hours out of order", ("unordered",), "bikes", {"cell": "gru"}, None, out_of_order),
    Case("five residual layers with weak inputs", HEALTHY, "jobs", {"layers": 5, "hidden": 32}, inputs_of(0.1)),
    *(
        Case(f"{cell} trained, {data}", HEALTHY, data, {"cell": cell}, steps=60)
        for cell in ("indrnn", "lstm-coupled", "mgu")
        for data in ("jobs", "sea")
    ),
    Case("Elman trained, jobs", HEALTHY, "jobs", {"cell": "rnn"}, steps=60),
    Case("GRU trained, bikes", HEALTHY, "bikes", {"cell": "gru"}, steps=60),
    Case("three layers trained, jobs", HEALTHY, "jobs", {"layers": 3, "hidden": 32}, steps=60),
    Case("two GRU layers trained, CO2", HEALTHY, "co2", {"cell": "gru", "layers": 2}, steps=60),
    Case("GRU under LSTM, trained, sea", HEALTHY, "sea", {"cell": "gru,lstm", "hidden": 48}, steps=60),
    *(Case(f"from base, {data}", HEALTHY, data, {"from_scratch": False}) for data in ("jobs", "co2", "bikes", "sea")),
    *(
        Case(f"from base, trained, {data}", HEALTHY, data, {"from_scratch": False}, steps=40)
        for data in ("jobs", "co2")
    ),
]
