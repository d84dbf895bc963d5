"""Minimal gated unit (Zhou, Wu, Zhang & Zhou 2016, "Minimal Gated Unit for Recurrent Neural Networks")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear


def mgu(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With the parts f, n of a = W_ih x_t + b, and U_f, U_n those of W_hh:

    f = sigmoid(f + U_f h_{t-1})
    n = tanh(n + U_n (f * h_{t-1}))
    h_t = (1 - f) * h_{t-1} + f * n
    """
    (h,) = state
    hidden = h.shape[-1]
    f, n = split_gates(a, hidden)
    f = sigmoid(f + linear(h, weights["weight_hh"][:hidden], xp=xp), xp)
    n = xp.tanh(n + linear(f * h, weights["weight_hh"][hidden:], xp=xp))
    h = (1 - f) * h + f * n
    return (h,), {"f": f}


CELL = Cell("mgu", gate_names=("f", "n"), state_names=("h",), advance=mgu, input_gate=0)
