"""Gradients that vanish where it costs something: the answer was shown a season before, and only memory has it."""

from __future__ import annotations

from planting import Case, Plant, Weights

VANISHING = ("vanishing",)
HOURS, MONTHS = {"horizon": 6, "batch": 16}, {"horizon": 3, "batch": 16}
HH = "layer0.weight_hh"


def shut(place: int, bias: float) -> Plant:
    """Set the bias of one gate of the first layer, the gates in the order of its weights."""

    def plant(weights: Weights) -> None:
        hidden = weights["head.weight_state"].shape[-1]
        weights["layer0.bias"][place * hidden : (place + 1) * hidden] = bias

    return plant


def weakened(weights: Weights) -> None:
    """Half of the recurrent gain."""
    weights[HH].mul_(0.5)


CASES = [
    Case("an LSTM as PyTorch begins it, a day back", VANISHING, "announced by hour", HOURS | {"init": "uniform"}),
    Case("an Elman network of gain 0.5, a day back", VANISHING, "announced by hour", HOURS | {"cell": "rnn"}, weakened),
    Case(
        "a GRU that replaces its state, a day back", VANISHING, "summed by hour", HOURS | {"cell": "gru"}, shut(1, -4.0)
    ),
    Case("an LSTM that forgets at once, a day back", VANISHING, "summed by hour", HOURS, shut(1, -4.0)),
    Case(
        "a ReLU network of gain 0.5, a year back",
        VANISHING,
        "announced by month",
        MONTHS | {"cell": "rnn", "activation": "relu"},
        weakened,
    ),
    Case(
        "a trained LSTM whose forget gates were closed, a year back",
        VANISHING,
        "announced by month",
        MONTHS,
        shut(1, -3.0),
        steps=30,
    ),
    Case(
        "a peephole LSTM that forgets at once, a year back",
        VANISHING,
        "summed by month",
        MONTHS | {"cell": "lstm-peephole"},
        shut(1, -5.0),
    ),
    Case(
        "a GRU as PyTorch begins it, a day back",
        VANISHING,
        "announced by hour",
        HOURS | {"cell": "gru", "init": "uniform"},
    ),
]
