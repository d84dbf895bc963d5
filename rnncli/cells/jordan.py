"""Jordan's network, which feeds back what it puts out (Jordan 1986, "Serial Order", ICS report 8604)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import SQUASHED, Array, Cell, Gates, State
from rnncli.layers.activation import ACTIVATIONS
from rnncli.layers.linear import linear


def jordan(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and f tanh or ReLU:

    h_t = f(a + W_hh y_{t-1})
    y_t = W_o h_t + b_o
    """
    (y,) = state
    f = ACTIVATIONS[activation]
    h = f(a + linear(y, weights["weight_hh"], xp=xp), xp)
    y = linear(h, weights["weight_o"], weights["bias_o"], xp)
    return (y,), {}


CELL = Cell(
    "jordan",
    gate_names=("h",),
    state_names=("y",),
    advance=jordan,
    vectors=("bias_o",),
    matrices=("weight_o",),
    activations=SQUASHED,
)
