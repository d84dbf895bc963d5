"""What the decoder starts from: the encoder's output at the origin and, with attention, what it reads of earlier ones.

From the outputs h_t of the last N steps up to the origin T,

    q = W_q h_T,   a = softmax_t(q . W_k h_t / sqrt(d)),   s = h_T + W_o sum_t a_t h_t

W_o begins with zeros, so that a new network forecasts as one without attention does; W_q and W_k begin as the identity:
what is read is what is like h_T. The decoder starts from s. The product q . W_k h_t is taken as (W_k' q) . h_t, so that
no keys are made, and W_o is that of values W_v h_t too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.arrays import Array
from rnncli.layers.attention import attention
from rnncli.layers.linear import linear
from rnncli.tasks.seen import Shapes

QUERY, KEY, READ = "attend_query", "attend_key", "attend_read"


def shapes(hidden: int) -> Shapes:
    """Names and shapes of the weights W_q, W_k and W_o."""
    return {QUERY: (hidden, hidden), KEY: (hidden, hidden), READ: (hidden, hidden)}


def begin(hidden: int) -> dict[str, Array]:
    """The first weights."""
    return {QUERY: np.eye(hidden, dtype=np.float32), KEY: np.eye(hidden, dtype=np.float32)}


def read(weights: Mapping[str, Array], outputs: Array, rows: Array, origins: Array, reach: int, xp: Any) -> Array:
    """What the decoder starts from at step origins[i] of sequence rows[i] of the encoder's outputs [n, T, H]. Each
    origin looks at the last `reach` outputs, and at its own alone where that is 0: [o, H].

    The origins of a sequence are asked together, which takes n m T numbers where a sequence has m origins at most: no
    output is copied for each origin.
    """
    state = outputs[rows, origins]
    if not reach:
        return state
    place, most = _places(rows, outputs.shape[0], outputs.device, xp)
    asked = xp.zeros((outputs.shape[0], most, outputs.shape[2]), dtype=outputs.dtype, device=outputs.device)
    step = xp.zeros((outputs.shape[0], most), dtype=origins.dtype, device=outputs.device)
    asked[rows, place], step[rows, place] = state, origins
    return attended(weights, outputs, asked, step, reach, xp)[rows, place]


def attended(weights: Mapping[str, Array], outputs: Array, state: Array, origins: Array, reach: int, xp: Any) -> Array:
    """The outputs `state` [n, m, H] at `origins` [n, m], with what each reads of the last `reach` outputs [n, T, H] up
    to it: [n, m, H].
    """
    query = linear(linear(state, weights[QUERY], xp=xp), weights[KEY].T, xp=xp)
    later = xp.arange(outputs.shape[1], device=outputs.device) - origins[..., None]
    seen = (later <= 0) & (later > -reach)
    return state + linear(attention(query, outputs, outputs, seen, xp), weights[READ], xp=xp)


def _places(rows: Array, sequences: int, device: Any, xp: Any) -> tuple[Array, int]:
    """Which of its sequence's origins each is [o], and how many a sequence has at most, one at least."""
    own = rows[:, None] == xp.arange(sequences, device=device)
    count = xp.cumsum(own, axis=0)
    place = count[xp.arange(rows.shape[0], device=device), rows] - 1
    return place, max(1, int(own.sum(axis=0).max()))
