"""Independently recurrent network (Li et al. 2018, "Independently Recurrent Neural Network", arXiv:1803.04831)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import SQUASHED, Array, Cell, Gates, State
from rnncli.layers.activation import ACTIVATIONS

SHORTEST = 2.0


def indrnn(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, f tanh or ReLU, and one recurrent weight u a unit:

    h_t = f(a + u * h_{t-1})
    """
    (h,) = state
    f = ACTIVATIONS[activation]
    h = f(a + weights["u"] * h, xp)
    return (h,), {}


def begin(weights: Mapping[str, Array], draws: Array, memory: float | None) -> dict[str, Array]:
    """u from [0, 1), so that no unit's gradient grows; for a memory of T steps units forget by e over 1 to T of them
    while f is near its slope of 1 (section 3.1 bounds u by the T-th root in the same way).
    """
    if memory is None:
        return {"u": draws[0]}
    longest = max(memory, SHORTEST)
    return {"u": np.exp(-1 / (1 + (longest - 1) * draws[0]))}


CELL = Cell(
    "indrnn",
    gate_names=("h",),
    state_names=("h",),
    advance=indrnn,
    vectors=("u",),
    recurrent=False,
    activations=SQUASHED,
    begin=begin,
)
