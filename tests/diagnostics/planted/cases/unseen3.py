"""A third blind panel: 24 faults and 16 healthy networks on made-up series of its own, written down before any of it
was run; other data, cells, sizes and strengths than in the panels that rules were written beside.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from planting import DATA, Case, Plant, Weights

Floats = NDArray[np.float64]
COLUMNS = {"time": "time", "id": "series", "target": "target"}


def table(rows: Floats, first: str, unit: str, apart: int = 1) -> pa.Table:
    """Rows [series, steps] as a long table whose steps are so many units apart."""
    series, steps = rows.shape
    times = (np.datetime64(first, unit) + apart * np.arange(steps)).astype("datetime64[s]")
    names = np.repeat([f"s{number}" for number in range(series)], steps).tolist()
    return pa.table({"series": names, "time": pa.array(np.tile(times, series)), "target": rows.ravel()})


def wandering(rng: np.random.Generator, shape: tuple[int, int], keep: float) -> Floats:
    """Noise that keeps a part of itself from step to step."""
    noise, made = rng.standard_normal(shape), np.zeros(shape)
    for step in range(1, shape[1]):
        made[:, step] = keep * made[:, step - 1] + noise[:, step]
    return made


def loads() -> pa.Table:
    """Eight hourly loads of 50 days: a day, a weaker week, and noise that lasts."""
    rng, hours = np.random.default_rng(31), np.arange(1200)
    phase, size = rng.uniform(0, 4, (8, 1)), rng.uniform(20, 200, (8, 1))
    day = np.sin(2 * np.pi * (hours - phase) / 24) + 0.4 * np.sin(4 * np.pi * (hours + phase) / 24)
    weekend = 0.3 * (hours // 24 % 7 >= 5)
    return table(size * (4 + day - weekend + 0.15 * wandering(rng, (8, 1200), 0.8)), "2021-03-01T00", "h")


def visits() -> pa.Table:
    """Twelve daily counts of 420 days with a week and a trend."""
    rng, days = np.random.default_rng(32), np.arange(420)
    week = rng.uniform(0.5, 1.6, (12, 7))[:, days % 7]
    level = rng.uniform(20, 300, (12, 1)) * np.exp(0.001 * rng.uniform(-1, 2, (12, 1)) * days)
    return table(rng.poisson(level * week * np.exp(0.08 * wandering(rng, (12, 420), 0.7))).astype(float), "2020", "D")


def turnovers() -> pa.Table:
    """Eighteen series of 90 months that grow, with a year of their own."""
    rng, months = np.random.default_rng(33), np.arange(90)
    year = rng.normal(0, 0.15, (18, 12))[:, months % 12]
    growth = np.cumsum(rng.normal(0.004, 0.02, (18, 90)), axis=1)
    return table(rng.uniform(50, 5000, (18, 1)) * np.exp(growth + year), "2012-01", "M")


def rates() -> pa.Table:
    """Nine monthly random walks of 66 rows."""
    rng = np.random.default_rng(34)
    return table(50 + np.cumsum(rng.standard_normal((9, 66)), axis=1), "2015-01", "M")


DATA |= {
    "loads": (loads, COLUMNS | {"season": 24}),
    "visits": (visits, COLUMNS | {"season": 7}),
    "turnovers": (turnovers, COLUMNS | {"season": 12}),
    "rates": (rates, COLUMNS | {"season": 12}),
}


def width(weights: Weights) -> int:
    """Units of a layer."""
    return int(weights["head.weight_state"].shape[-1])


def biased(layer: int, place: int, value: float) -> Plant:
    """The bias of one gate of a layer."""

    def plant(weights: Weights) -> None:
        hidden = width(weights)
        weights[f"layer{layer}.bias"][place * hidden : (place + 1) * hidden] = value

    return plant


def filled(name: str, value: float) -> Plant:
    """A tensor of one value."""
    return lambda weights: weights[name].fill_(value)


def times(name: str, factor: float) -> Plant:
    """All layers' tensors of this name, or one, by a factor."""

    def plant(weights: Weights) -> None:
        for key in weights:
            if key == name or (key.startswith("layer") and key.endswith(f".{name}")):
                weights[key].mul_(factor)

    return plant


def random_network(gain: float) -> Plant:
    """Recurrent weights of a random network of this gain."""
    return lambda weights: weights["layer0.weight_hh"].normal_(0, gain / width(weights) ** 0.5)


def twinned(layer: int, units: int, noise: float) -> Plant:
    """The first so many units of a layer have the weights of the first, but for a little noise."""

    def plant(weights: Weights) -> None:
        hidden = width(weights)
        for name in ("weight_ih", "weight_hh", "bias"):
            blocks = weights[f"layer{layer}.{name}"].unflatten(0, (-1, hidden))
            first = blocks[:, :1].clone()
            blocks[:, :units] = first + noise * torch.randn_like(blocks[:, :units])

    return plant


def reordered(weights: Weights) -> None:
    """The units of the last layer in another order than its recurrence and the decoder believe."""
    order = torch.randperm(width(weights), generator=torch.Generator().manual_seed(5))
    weights["head.weight_state"].copy_(weights["head.weight_state"][:, order])
    weights["head.weight_known"].copy_(weights["head.weight_known"].flip(0))
    weights["layer0.weight_hh"].copy_(weights["layer0.weight_hh"][:, order])


def mixed_up(weights: Weights) -> None:
    """The rows of every matrix in another order."""
    generator = torch.Generator().manual_seed(6)
    for weight in weights.values():
        if weight.dim() > 1:
            weight.copy_(weight[torch.randperm(len(weight), generator=generator)])


def parroting(weights: Weights) -> None:
    """Nearly all weight on the last value, and next to no word of its own."""
    weights["head.bias_mix"].zero_()[1] = 15.0
    weights["head.weight_mix"].mul_(0.1)
    weights["head.weight_shift"].mul_(0.01)


def dealt_out(values: Any, offsets: Any) -> None:
    """Each series' rows as if drawn from a hat."""
    rng = np.random.default_rng(7)
    for begin, end in pairwise(offsets):
        values[begin:end] = values[begin:end][rng.permutation(end - begin)]


def misplaced_comma(values: Any, offsets: Any) -> None:
    """Two series a hundred thousand times as large in their last two weeks."""
    for s in (1, 4):
        values[offsets[s + 1] - 14 : offsets[s + 1]] *= 1e5


RELU, PLAIN = {"cell": "rnn", "activation": "relu"}, {"plain_stack": True}
GROWS, HEALTHY = ("exploding", "chaotic"), ("healthy",)

CASES = [
    Case(
        "the second of two coupled LSTM layers forgets",
        ("vanishing",),
        "loads",
        {"cell": "lstm-coupled", "layers": 2, "hidden": 24},
        biased(1, 0, -6.0),
        steps=20,
    ),
    Case("IndRNN units of weight 0.3", ("vanishing",), "turnovers", {"cell": "indrnn"}, filled("layer0.u", 0.3)),
    Case(
        "ReLU of gain 1.5 over a GRU",
        GROWS,
        "turnovers",
        {"cell": "gru,rnn", "activation": "relu", "hidden": 40},
        times("layer1.weight_hh", 1.5),
    ),
    Case(
        "IndRNN ReLU units of weight 1.2",
        GROWS,
        "visits",
        {"cell": "indrnn", "activation": "relu", "hidden": 24},
        filled("layer0.u", 1.2),
    ),
    Case("a random tanh network of gain 6", GROWS, "visits", {"cell": "rnn", "hidden": 48}, random_network(6.0)),
    Case(
        "a GRU with recurrent weights 15 times too large",
        GROWS,
        "loads",
        {"cell": "gru", "hidden": 96},
        times("layer0.weight_hh", 15.0),
    ),
    Case(
        "four plain minimal gated layers with weak inputs",
        ("depth-vanishing", "frozen"),
        "turnovers",
        {"cell": "mgu", "layers": 4, "hidden": 24} | PLAIN,
        times("weight_ih", 0.05),
    ),
    Case(
        "four plain IndRNN ReLU layers, all too loud",
        ("depth-exploding",),
        "turnovers",
        {"cell": "indrnn", "activation": "relu", "layers": 4, "hidden": 24} | PLAIN,
        times("weight_ih", 12.0),
    ),
    Case(
        "coupled LSTM units that are nearly copies",
        ("alike",),
        "visits",
        {"cell": "lstm-coupled", "hidden": 20},
        twinned(0, 20, 1e-4),
    ),
    Case(
        "three quarters of a second GRU layer are copies",
        ("alike",),
        "loads",
        {"cell": "gru", "layers": 2, "hidden": 32},
        twinned(1, 24, 0.0),
    ),
    Case(
        "a second plain LSTM layer that hears nothing",
        ("unmoved", "frozen", "dead-units"),
        "turnovers",
        {"layers": 2, "hidden": 24} | PLAIN,
        filled("layer1.weight_ih", 0.0),
        steps=20,
    ),
    Case("an Elman network nearly deaf", ("unmoved",), "visits", {"cell": "rnn"}, times("layer0.weight_ih", 1e-4)),
    Case(
        "a trained GRU whose units were reordered",
        ("untaught",),
        "turnovers",
        {"cell": "gru", "hidden": 48},
        reordered,
        steps=80,
    ),
    Case("a trained minimal gated unit, mixed up", ("untaught",), "visits", {"cell": "mgu"}, mixed_up, steps=80),
    Case(
        "random walks learnt by heart",
        ("overfitted",),
        "rates",
        {"hidden": 96, "dropout": 0.0, "learning_rate": 0.006, "horizon": 4},
        steps=300,
    ),
    Case("a parrot of the last load", ("echo",), "loads", {"hidden": 24}, parroting, steps=30),
    Case("days dealt out at random", ("unordered",), "visits", {"cell": "gru"}, None, dealt_out),
    Case("a learning rate of 0.6", ("large-updates", *GROWS), "turnovers", {"cell": "mgu", "learning_rate": 0.6}),
    Case("a clip of 1e-5", ("clip-small",), "visits", {"cell": "lstm-coupled", "clip": 1e-5}),
    Case("an LSTM that lets nothing go", ("held",), "visits", {"hidden": 24}, biased(0, 1, 9.0)),
    Case(
        "ReLU units far below their threshold",
        ("dead-units",),
        "loads",
        RELU | {"hidden": 20},
        filled("layer0.bias", -40.0),
    ),
    Case("two series with a misplaced comma", ("dominated",), "visits", {"cell": "gru"}, None, misplaced_comma),
    Case("a context of 9 hours", ("context-short",), "loads", {"cell": "mgu", "context": 9}),
    Case("gradients through 5 hours", ("tbptt-short",), "loads", {"hidden": 24, "tbptt": 5}),
    Case("LSTM trained, loads", HEALTHY, "loads", {"hidden": 24}, steps=60),
    Case("GRU trained, visits", HEALTHY, "visits", {"cell": "gru", "hidden": 40}, steps=60),
    Case("ReLU trained, turnovers", HEALTHY, "turnovers", RELU, steps=60),
    Case("IndRNN trained, visits", HEALTHY, "visits", {"cell": "indrnn"}, steps=80),
    Case("coupled LSTM trained, turnovers", HEALTHY, "turnovers", {"cell": "lstm-coupled", "hidden": 24}, steps=60),
    Case("sLSTM trained, turnovers", HEALTHY, "turnovers", {"cell": "slstm"}, steps=60),
    Case("LRU trained, visits", HEALTHY, "visits", {"cell": "lru"}, steps=60),
    Case("minimal gated unit trained, loads", HEALTHY, "loads", {"cell": "mgu"}, steps=60),
    Case("two GRU layers trained, turnovers", HEALTHY, "turnovers", {"cell": "gru", "layers": 2}, steps=60),
    Case("three residual layers trained, visits", HEALTHY, "visits", {"layers": 3, "hidden": 24}, steps=60),
    Case("two plain LSTM layers trained, loads", HEALTHY, "loads", {"layers": 2, "hidden": 24} | PLAIN, steps=40),
    Case("GRU over minimal GRU, trained, visits", HEALTHY, "visits", {"cell": "mingru,gru", "hidden": 24}, steps=60),
    Case("Elman trained, visits", HEALTHY, "visits", {"cell": "rnn"}, steps=60),
    Case("from base, loads", HEALTHY, "loads", {"from_scratch": False}),
    Case("from base, turnovers", HEALTHY, "turnovers", {"from_scratch": False}),
    Case("from base, trained, visits", HEALTHY, "visits", {"from_scratch": False}, steps=40),
]
