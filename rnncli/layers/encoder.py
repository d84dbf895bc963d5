"""The encoder: a stack of recurrent layers, as shapes and as a formula in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.cells.named import cells_of
from rnncli.layers.norm import norm_shapes
from rnncli.layers.stack import encoded
from rnncli.layers.unroll import unroll
from rnncli.spec import NetworkSpec

Array = Any


def encoder_shapes(network: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of the encoder of one member."""
    shapes: dict[str, tuple[int, ...]] = {}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        layer = cell.shapes(network.hidden if index else network.inputs, network.hidden)
        layer |= norm_shapes(network.hidden) if network.layer_norm else {}
        shapes |= {f"layer{index}.{name}": shape for name, shape in layer.items()}
    return shapes


def outputs(network: NetworkSpec, weights: Mapping[str, Array], x: NDArray[Any]) -> NDArray[Any]:
    """The last layer's output at every step, from a zero state, in NumPy: x [n, T, I] -> [n, T, H]."""
    cells = cells_of(network.cell, network.layers)

    def run_cell(index: int, own: Mapping[str, Array], x: Array) -> Array:
        return unroll(cells[index], own, x, None, np, activation=network.activation)[0]

    made: NDArray[Any] = encoded(run_cell, network.layers, weights, x, network.residual)
    return made
