"""LSTM whose gates see its memory and which forgets as much as it takes in: two variants of Greff et al. (2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def peephole_coupled_lstm(
    weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str
) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and f, g, o the three parts of a + W_hh h_{t-1}:

    f = sigmoid(f + p_f * c_{t-1})
    c_t = f * c_{t-1} + (1 - f) * tanh(g)
    h_t = sigmoid(o + p_o * c_t) * tanh(c_t)
    """
    h, c = state
    f, g, o = split_gates(a + linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    f = sigmoid(f + weights["peephole_f"] * c, xp)
    c = f * c + (1 - f) * xp.tanh(g)
    o = sigmoid(o + weights["peephole_o"] * c, xp)
    h = o * xp.tanh(c)
    return (h, c), {"f": f, "o": o}


CELL = Cell(
    "lstm-peephole-coupled",
    gate_names=("f", "g", "o"),
    state_names=("h", "c"),
    advance=peephole_coupled_lstm,
    vectors=("peephole_f", "peephole_o"),
    keep_gate=0,
    forget_bias=1.0,
)
