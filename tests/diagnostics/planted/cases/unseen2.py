"""Gradients that vanish where memory is needed, and some that explode there: written down before any of them was run,
on other series and mostly of other cells than those of `memory`.
"""

from __future__ import annotations

from planting import Case, Plant, Weights

VANISHING, GROWS = ("vanishing",), ("exploding", "chaotic")
DAY, YEAR = {"horizon": 6, "batch": 16}, {"horizon": 3, "batch": 16}
HH = "layer0.weight_hh"


def biased(place: int, value: float) -> Plant:
    """Set the bias of one gate of the first layer, the gates in the order of its weights."""

    def plant(weights: Weights) -> None:
        hidden = weights["head.weight_state"].shape[-1]
        weights["layer0.bias"][place * hidden : (place + 1) * hidden] = value

    return plant


def times(factor: float) -> Plant:
    """Multiply the recurrent weights."""
    return lambda weights: weights[HH].mul_(factor)


def small_eigenvalues(weights: Weights) -> None:
    """An LRU that keeps nothing for long."""
    weights["layer0.nu"].fill_(1.0)


def random_network(weights: Weights) -> None:
    """Gain 5 (Sompolinsky et al. 1988)."""
    weights[HH].normal_(0, 5.0 / weights[HH].shape[1] ** 0.5)


CASES = [
    Case(
        "a coupled LSTM that forgets, marked",
        VANISHING,
        "marked by hour",
        DAY | {"cell": "lstm-coupled"},
        biased(0, -5.0),
    ),
    Case(
        "16 GRU units as PyTorch begins them, marked",
        VANISHING,
        "marked by hour",
        DAY | {"cell": "gru", "init": "uniform", "hidden": 16},
    ),
    Case("8 taps, marked", VANISHING, "marked by hour", DAY | {"cell": "fir"}),
    Case(
        "a Jordan network of a tenth of the gain, marked",
        VANISHING,
        "marked by hour",
        DAY | {"cell": "jordan"},
        times(0.1),
    ),
    Case(
        "a minimal GRU that replaces its state, latched",
        VANISHING,
        "latched by month",
        YEAR | {"cell": "mingru"},
        biased(0, 5.0),
    ),
    Case(
        "an LRU whose eigenvalues are small, latched",
        VANISHING,
        "latched by month",
        YEAR | {"cell": "lru"},
        small_eigenvalues,
    ),
    Case(
        "an Elman network as PyTorch begins it, latched",
        VANISHING,
        "latched by month",
        YEAR | {"cell": "rnn", "init": "uniform"},
    ),
    Case(
        "two LSTM layers as PyTorch begins them, latched",
        VANISHING,
        "latched by month",
        YEAR | {"layers": 2, "init": "uniform"},
    ),
    Case(
        "an sLSTM that forgets at once, jobs", VANISHING, "announced jobs", YEAR | {"cell": "slstm"}, biased(1, -20.0)
    ),
    Case(
        "a peephole LSTM that forgets, jobs",
        VANISHING,
        "announced jobs",
        YEAR | {"cell": "lstm-peephole"},
        biased(1, -4.0),
    ),
    Case(
        "a trained GRU that replaces its state, jobs",
        VANISHING,
        "announced jobs",
        YEAR | {"cell": "gru"},
        biased(1, -4.0),
        steps=30,
    ),
    Case(
        "a ReLU network of gain 1.4, marked",
        GROWS,
        "marked by hour",
        DAY | {"cell": "rnn", "activation": "relu"},
        times(1.4),
    ),
    Case(
        "a random tanh network of gain 5, latched",
        GROWS,
        "latched by month",
        YEAR | {"cell": "rnn", "hidden": 64},
        random_network,
    ),
    Case(
        "an LSTM with recurrent weights ten times too large, jobs",
        GROWS,
        "announced jobs",
        YEAR | {"hidden": 64},
        times(10.0),
    ),
]
