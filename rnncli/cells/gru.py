"""Gated recurrent unit (Cho et al. 2014), with the reset gate after the product, as in PyTorch and cuDNN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def gru(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With the parts r, z, n of a = W_ih x_t + b (index x) and of W_hh h_{t-1} (index h):

    r = sigmoid(r_x + r_h)
    z = sigmoid(z_x + z_h)
    n = tanh(n_x + r * (n_h + b_hn))
    h_t = (1 - z) * n + z * h_{t-1}
    """
    (h,) = state
    r_x, z_x, n_x = split_gates(a, h.shape[-1])
    r_h, z_h, n_h = split_gates(linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    r = sigmoid(r_x + r_h, xp)
    z = sigmoid(z_x + z_h, xp)
    n = xp.tanh(n_x + r * (n_h + weights["bias_hn"]))
    h = (1 - z) * n + z * h
    return (h,), {"r": r, "z": z}


CELL = Cell("gru", gate_names=("r", "z", "n"), state_names=("h",), advance=gru, vectors=("bias_hn",), keep_gate=1)
