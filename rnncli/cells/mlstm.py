"""mLSTM of xLSTM (Beck et al. 2024, arXiv:2405.04517, section 2.3): a matrix that keys write and queries read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.cells.shared import bounded, shared
from rnncli.cells.slstm import NEVER
from rnncli.layers.activation import sigmoid, softplus

KEYS = 4  # numbers of a key, and columns of the memory
LEAST_EXPONENT, LARGEST_EXPONENT = -math.log(4), 80.0  # exp of more is not finite in float32


def mlstm(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With i, f, q, k, v, o the six parts of a = W_ih x_t + b, and a row C of d = 4 memories a unit:

    m_t = max(log sigmoid(f) + m_{t-1}, i)
    i' = exp(i - m_t)
    f' = exp(log sigmoid(f) + m_{t-1} - m_t)
    C_t = f' C_{t-1} + i' v k^T / sqrt(d)
    n_t = f' n_{t-1} + i' k / sqrt(d)
    h_t = sigmoid(o) * C_t q / max(|n_t^T q|, exp(-m_t), 1/4)

    Units u, u + H/d, u + 2 H/d ... are a head of the paper: they share q and k, each of d numbers, and their rows are
    its matrix C. Gates, and so n and m, are a unit's own; where they are equal in a head, this is the paper's formula,
    but for the 1/4: where keys and query nearly cancel in n^T q, what is left is rounding, and it would be the answer.
    """
    _, *memory, m = state
    i, f, q, k, v, o = split_gates(bounded(a, xp), m.shape[-1])
    kept = m - softplus(-f, xp)
    m = xp.maximum(kept, i)
    i, f = xp.exp(i - m), xp.exp(kept - m)
    keys = shared(k / KEYS**0.5, KEYS, xp)
    c = [f * column + i * v * key for column, key in zip(memory[:KEYS], keys, strict=True)]
    n = [f * column + i * key for column, key in zip(memory[KEYS:], keys, strict=True)]
    o = sigmoid(o, xp)
    h = o * read(c, n, shared(q, KEYS, xp), m, xp)
    return (h, *c, *n, m), {"i": i, "f": f, "o": o}


def read(c: Any, n: Any, q: Any, m: Array, xp: Any) -> Array:
    """C q / max(|n^T q|, exp(-m), 1/4) of the columns of C, n and q, each [..., H]."""
    found = sum(column * query for column, query in zip(c, q, strict=True))
    size = xp.abs(sum(column * query for column, query in zip(n, q, strict=True)))
    zero = xp.zeros_like(m)
    exponent = xp.maximum(xp.minimum(-m, zero + LARGEST_EXPONENT), zero + LEAST_EXPONENT)
    return found / xp.maximum(size, xp.exp(exponent))


CELL = Cell(
    "mlstm",
    gate_names=("i", "f", "q", "k", "v", "o"),
    state_names=("h", *(f"{part}{key}" for part in "cn" for key in range(1, KEYS + 1)), "m"),
    advance=mlstm,
    recurrent=False,
    keep_gate=1,
    forget_bias=3.0,
    initial={"m": NEVER},
    said=1,
)
