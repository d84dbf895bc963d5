"""From a token to what the network sees of it, and from the network's outputs to the next token: one table E for both
(Inan, Khosravi & Socher 2017; Press & Wolf 2017), one formula for training (torch) and prediction (NumPy).

    x_t = sqrt(H) E[c_{t-1}]
    p(c_t = k) = softmax_k(E h_t + b)

Rows of E are looked up: no product with a one-hot vector is ever made. At the scale with which E begins, x_t has unit
variance and the logits do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli.arrays import Array
from rnncli.layers.linear import linear
from rnncli.layers.rows import Rows, rows_at
from rnncli.tasks.seen import Shapes, Weights
from rnncli.tasks.tokens.spec import TokenSpec

if TYPE_CHECKING:
    from rnncli.tasks.task import Draw

TABLE, BIAS = "embedding", "bias"
ZIPF = 2.7


def shapes(spec: TokenSpec, hidden: int) -> Shapes:
    """Names and shapes of the table and the bias of one member; the boundary is the table's last row."""
    return {TABLE: (spec.tokens + 1, hidden), BIAS: (spec.tokens,)}


def begin(spec: TokenSpec, hidden: int, draw: Draw) -> Mapping[str, Array]:
    """First weights: a table of normal numbers with a variance of 1 / H and, where codes are ranked, a bias by Zipf's
    law, p_k ~ 1 / (k + 2.7) (Mandelbrot 1953): frequencies that would take thousands of steps to learn.
    """
    first: dict[str, Array] = {TABLE: draw.normal((spec.tokens + 1, hidden), 0, hidden**-0.5)}
    if spec.ranked:
        first[BIAS] = -np.log(np.arange(spec.tokens) + ZIPF).astype(np.float32)
    return first


def embedded(table: Array, codes: Array, xp: Any) -> Array:
    """What the encoder sees of codes [n, T]: [n, T, H], zeros where a code is -1."""
    return looked_up(table, codes, xp) * math.sqrt(table.shape[1])


def entered(table: Array, codes: Array, xp: Any) -> Array | Rows:
    """What the encoder sees of codes [n, T], as rows of the table where there are fewer of these than steps and none is
    forgotten.
    """
    steps = codes.shape[0] * codes.shape[1]
    if xp is np or steps <= len(table) or (codes < 0).any():
        return embedded(table, codes, xp)
    return Rows(table * math.sqrt(table.shape[1]), codes)


def looked_up(table: Array, rows: Array, xp: Any) -> Array:
    """Rows [...] of a table [n, W]: [..., W], zeros where a row is -1."""
    seen = rows >= 0
    at = xp.where(seen, rows, xp.zeros_like(rows))
    return rows_at(table, at, xp) * seen[..., None]


def head(spec: TokenSpec, weights: Weights, state: Array, xp: Any) -> Array:
    """Logits of every next token, from the encoder's outputs [o, H]: [o, tokens]."""
    return linear(state, weights[TABLE][: spec.tokens], weights[BIAS], xp)


def log_softmax(s: Array, xp: Any) -> Array:
    """log(exp(s) / sum exp(s)) over the last axis, shifted so that it cannot overflow."""
    shifted = s - xp.amax(s, axis=-1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=-1, keepdims=True))


def loss(said: Array, targets: Array, xp: Any) -> Array:
    """-log p of what came, in nats: logits [o, tokens], codes [o] (NaN where nobody knows) -> [o], there 0."""
    came, known = codes_in(targets, xp)
    return -said_of(said, came, xp) * known


def codes_in(targets: Array, xp: Any) -> tuple[Array, Array]:
    """The codes in targets [o], 0 where nobody knows (NaN), and where that is known."""
    known = ~xp.isnan(targets)
    came = xp.where(known, targets, xp.zeros_like(targets))
    return xp.asarray(came, dtype=xp.int64, device=targets.device), known


def said_of(logits: Array, codes: Array, xp: Any) -> Array:
    """log p of codes [o] by logits [o, n]: [o]. Torch has one kernel for it, which goes over the logits as few times as
    can be.
    """
    if xp is not np:
        return -xp.nn.functional.cross_entropy(logits, codes, reduction="none")
    return log_softmax(logits, np)[np.arange(len(logits)), codes]
