"""A cell carried along a sequence: the same weights at every step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import Array, Cell, State
from rnncli.layers.linear import for_products
from rnncli.layers.phases import by_phase

ROWS_AT_ONCE = 1024  # of inputs projected ahead: few enough to stay in the processor's cache


def unroll(
    cell: Cell,
    weights: Mapping[str, Array],
    x: Array,
    state: State | None = None,
    xp: Any = np,
    activation: str = "tanh",
) -> tuple[Array, State]:
    """x [B, T, I] -> outputs [B, T, H] and the last state; a zero state to begin with unless one is given."""
    if xp is np:
        weights = {name: for_products(weight) for name, weight in weights.items()}
    hidden = cell.hidden(weights)
    state = cell.zero_state(x, hidden, xp) if state is None else state
    inner = cell.inner
    if inner is not None and x.shape[1]:
        return by_phase(lambda x, state: unroll(inner, weights, x, state, xp, activation), cell, x, state, xp)
    outputs = []
    for a in _projected(cell, weights, x, xp):
        state, _ = cell.advance(weights, a, state, xp, activation)
        outputs.append(state[0])
    return _by_row(outputs, state[0], xp), state


def _projected(cell: Cell, weights: Mapping[str, Array], x: Array, xp: Any) -> Iterator[Array]:
    """The projected input of each step. One product for many steps: a step alone is slow, the bits are the same."""
    rows = math.prod(x.shape[2:-1]) * len(x)
    steps = max(1, ROWS_AT_ONCE // max(1, rows) if xp is np else x.shape[1])
    for start in range(0, x.shape[1], steps):
        yield from cell.project(weights, xp.swapaxes(x[:, start : start + steps], 0, 1), xp)


def _by_row(outputs: list[Array], state: Array, xp: Any) -> Array:
    """T outputs [B, H], of the same shape as this part of a state, as one array [B, T, H]."""
    if not outputs:
        return state[:, None][:, :0]
    return xp.swapaxes(xp.stack(outputs), 0, 1)
