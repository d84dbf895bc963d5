"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def lstm(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[Array, State]:
    """With a = W_ih x_t + b, and i, f, g, o the four parts of a + W_hh h_{t-1}:

    c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
    h_t = sigmoid(o) * tanh(c_t)
    """
    h, c = state
    i, f, g, o = split_gates(a + linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    c = sigmoid(f, xp) * c + sigmoid(i, xp) * xp.tanh(g)
    h = sigmoid(o, xp) * xp.tanh(c)
    return h, (h, c)


CELL = Cell("lstm", gate_names=("i", "f", "g", "o"), state_names=("h", "c"), advance=lstm, keep_gate=1, input_gate=0)
