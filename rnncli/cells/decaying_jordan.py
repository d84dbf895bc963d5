"""Jordan's network with state units that decay (Jordan 1986, "Serial Order", ICS report 8604, section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import SQUASHED, Array, Cell, Gates, State
from rnncli.layers.activation import ACTIVATIONS, sigmoid
from rnncli.layers.linear import linear

SHORTEST = 2.0
USUAL = 0.5  # of a state unit is left after a step, where nobody says how long a memory must be


def decaying_jordan(
    weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str
) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, f tanh or ReLU, and mu = sigmoid(decay) of each state unit:

    s_t = mu * s_{t-1} + (1 - mu) * y_{t-1}
    h_t = f(a + W_hh s_t)
    y_t = W_o h_t + b_o

    The report adds y without the factor 1 - mu, which only scales the columns of W_hh.
    """
    y, s = state
    f, mu = ACTIVATIONS[activation], sigmoid(weights["decay"], xp)
    s = mu * s + (1 - mu) * y
    h = f(a + linear(s, weights["weight_hh"], xp=xp), xp)
    y = linear(h, weights["weight_o"], weights["bias_o"], xp)
    return (y, s), {}


def begin(weights: Mapping[str, Array], draws: Array, memory: float | None) -> dict[str, Array]:
    """Decays of which a half is left after a step; for a memory of T steps units forget by e over 1 to T of them."""
    if memory is None:
        return {"decay": np.full_like(draws[0], np.log(USUAL / (1 - USUAL)))}
    kept = np.exp(-1 / (1 + (max(memory, SHORTEST) - 1) * draws[0]))
    return {"decay": np.log(kept / (1 - kept))}


CELL = Cell(
    "jordan-decaying",
    gate_names=("h",),
    state_names=("y", "s"),
    advance=decaying_jordan,
    vectors=("bias_o", "decay"),
    matrices=("weight_o",),
    activations=SQUASHED,
    begin=begin,
)
