"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def lstm(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and i, f, g, o the four parts of a + W_hh h_{t-1}:

    c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
    h_t = sigmoid(o) * tanh(c_t)
    """
    h, c = state
    i, f, g, o = split_gates(a + linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    i, f, o = sigmoid(i, xp), sigmoid(f, xp), sigmoid(o, xp)
    c = f * c + i * xp.tanh(g)
    h = o * xp.tanh(c)
    return (h, c), {"i": i, "f": f, "o": o}


CELL = Cell(
    "lstm",
    gate_names=("i", "f", "g", "o"),
    state_names=("h", "c"),
    advance=lstm,
    keep_gate=1,
    input_gate=0,
    forget_bias=1.0,
)
