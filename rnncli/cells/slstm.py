"""sLSTM of xLSTM (Beck et al. 2024, arXiv:2405.04517, section 2.2), whose exponential gates cannot overflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid, softplus
from rnncli.layers.linear import linear

NEVER = -1e38  # the stabiliser before the first step: log of what has come in so far, which is nothing


def slstm(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and i, f, z, o the four parts of a + W_hh h_{t-1}:

    m_t = max(log sigmoid(f) + m_{t-1}, i)
    i' = exp(i - m_t)
    f' = exp(log sigmoid(f) + m_{t-1} - m_t)
    c_t = f' * c_{t-1} + i' * tanh(z)
    n_t = f' * n_{t-1} + i'
    h_t = sigmoid(o) * c_t / n_t
    """
    h, c, n, m = state
    i, f, z, o = split_gates(a + linear(h, weights["weight_hh"], xp=xp), h.shape[-1])
    kept = m - softplus(-f, xp)
    m = xp.maximum(kept, i)
    i, f = xp.exp(i - m), xp.exp(kept - m)
    c = f * c + i * xp.tanh(z)
    n = f * n + i
    o = sigmoid(o, xp)
    h = o * c / n
    return (h, c, n, m), {"i": i, "f": f, "o": o}


CELL = Cell(
    "slstm",
    gate_names=("i", "f", "z", "o"),
    state_names=("h", "c", "n", "m"),
    advance=slstm,
    keep_gate=1,
    forget_bias=1.0,
    initial={"m": NEVER},
)
