"""The encoder as ONNX nodes: each recurrent layer is one loop, whose body is the cell's own formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnncli.cells.cell import Cell
from rnncli.inference.tracing import Traced, looped
from rnncli.layers.encoder import recurrent_layers
from rnncli.layers.stack import encoded
from rnncli.spec import NetworkSpec

Weights = Mapping[str, Any]


def outputs(network: NetworkSpec, weights: Weights, x: Traced, xp: Any) -> Traced:
    """Outputs of the last layer at every step, from a zero state: x [n, T, inputs] -> [n, T, hidden]."""
    layers = recurrent_layers(network.cell, network.layers)

    def run_layer(index: int, own: Weights, x: Traced) -> Traced:
        return _unrolled(layers[index].cell, own, x, xp, network.activation)

    found: Traced = encoded(run_layer, network.layers, weights, x, network.residual)
    return found


def _unrolled(cell: Cell, weights: Weights, x: Traced, xp: Any, activation: str) -> Traced:
    """x [n, T, I] -> outputs [n, T, H]."""
    hidden, dilation = cell.hidden(weights), cell.dilation
    one = cell if cell.inner is None else cell.inner
    begin = [_before(x, hidden, one.initial.get(name, 0.0), dilation) for name in one.state_names]

    def step(inner: Any, state: Sequence[Traced], a: Traced) -> tuple[Sequence[Traced], Traced]:
        """A step; of a dilated cell from the oldest of its last states [n, d, H], which stand newest first."""
        now = state if dilation == 1 else [part[:, -1] for part in state]
        after, _ = one.advance(weights, a, tuple(now), inner, activation)
        if dilation == 1:
            return after, after[0]
        kept = [
            inner.concatenate([new[:, None], part[:, : dilation - 1]], 1)
            for new, part in zip(after, state, strict=True)
        ]
        return kept, after[0]

    return looped(xp.recorder, begin, cell.project(weights, x, xp), step)


def _before(x: Traced, hidden: int, value: float, dilation: int) -> Traced:
    """A part of the state before the first step: [n, H], or [n, d, H] of a dilated cell."""
    sequences = x[:, 0, :1] * np.zeros((), x.dtype)  # [n, 1]: as many as there will be
    whole = sequences + np.full((1, hidden), value, x.dtype)
    return whole if dilation == 1 else whole[:, None] + np.zeros((1, dilation, hidden), x.dtype)
