"""Minimal GRU (Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201): gates that do not see the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid


def mingru(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With z, n the two parts of a = W_ih x_t + b:

    h_t = (1 - sigmoid(z)) * h_{t-1} + sigmoid(z) * n
    """
    (h,) = state
    z, n = split_gates(a, h.shape[-1])
    z = sigmoid(z, xp)
    h = (1 - z) * h + z * n
    return (h,), {"z": z}


CELL = Cell("mingru", gate_names=("z", "n"), state_names=("h",), advance=mingru, recurrent=False, input_gate=0)
