"""LSTM that forgets as much as it takes in (Greff et al. 2017, "LSTM: A Search Space Odyssey", CIFG)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def coupled_lstm(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and f, g, o the three parts of a + W_hh h_{t-1}:

    c_t = sigmoid(f) * c_{t-1} + (1 - sigmoid(f)) * tanh(g)
    h_t = sigmoid(o) * tanh(c_t)
    """
    h, c = state
    f, g, o = split_gates(a + linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    f, o = sigmoid(f, xp), sigmoid(o, xp)
    c = f * c + (1 - f) * xp.tanh(g)
    h = o * xp.tanh(c)
    return (h, c), {"f": f, "o": o}


CELL = Cell(
    "lstm-coupled",
    gate_names=("f", "g", "o"),
    state_names=("h", "c"),
    advance=coupled_lstm,
    keep_gate=0,
    forget_bias=1.0,
)
