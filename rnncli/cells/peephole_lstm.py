"""LSTM whose gates see its memory (Gers, Schraudolph & Schmidhuber 2002, "Learning Precise Timing with LSTM")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def peephole_lstm(
    weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str
) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and i, f, g, o the four parts of a + W_hh h_{t-1}:

    c_t = sigmoid(f + p_f * c_{t-1}) * c_{t-1} + sigmoid(i + p_i * c_{t-1}) * tanh(g)
    h_t = sigmoid(o + p_o * c_t) * tanh(c_t)
    """
    h, c = state
    i, f, g, o = split_gates(a + linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    i, f = sigmoid(i + weights["peephole_i"] * c, xp), sigmoid(f + weights["peephole_f"] * c, xp)
    c = f * c + i * xp.tanh(g)
    o = sigmoid(o + weights["peephole_o"] * c, xp)
    h = o * xp.tanh(c)
    return (h, c), {"i": i, "f": f, "o": o}


CELL = Cell(
    "lstm-peephole",
    gate_names=("i", "f", "g", "o"),
    state_names=("h", "c"),
    advance=peephole_lstm,
    vectors=("peephole_i", "peephole_f", "peephole_o"),
    keep_gate=1,
    input_gate=0,
    forget_bias=1.0,
)
