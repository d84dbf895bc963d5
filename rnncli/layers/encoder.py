"""The encoder: recurrent layers on top of each other, which turn a sequence into a state at each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from rnncli.cells.cell import Cell
from rnncli.cells.named import direction_named, names_of
from rnncli.layers.bidirectional import DIRECTIONS, bidirectional, bidirectional_shapes, of_direction
from rnncli.layers.norm import norm_shapes
from rnncli.layers.stack import encoded
from rnncli.layers.unroll import unroll
from rnncli.spec import NetworkSpec

Array = Any
Weights = Mapping[str, Array]


@dataclass(frozen=True)
class RecurrentLayer:
    """A cell that is run over a sequence from its first step to its last or, if `bidirectional`, from both ends, with
    half of the units in each direction.
    """

    cell: Cell
    bidirectional: bool = False

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of its weights. UsageError if it is bidirectional and `hidden` is odd."""
        return (
            bidirectional_shapes(self.cell, inputs, hidden) if self.bidirectional else self.cell.shapes(inputs, hidden)
        )

    def by_direction(self, weights: Weights) -> dict[str, Weights]:
        """Each direction's own weights, under the names that its cell has for them."""
        if not self.bidirectional:
            return {"": weights}
        return {direction: of_direction(weights, direction) for direction in DIRECTIONS}

    def run(
        self, run_cell: Callable[[Weights, Array], Array], weights: Weights, x: Array, lengths: Array | None, xp: Any
    ) -> Array:
        """x [n, T, I] -> outputs [n, T, H], through `run_cell(weights, x)` of each direction; the first `lengths` [n]
        steps are real, or all.
        """
        return bidirectional(run_cell, weights, x, lengths, xp) if self.bidirectional else run_cell(weights, x)


def recurrent_layers(cells: str, layers: int) -> tuple[RecurrentLayer, ...]:
    """The layers of a network by their cells' names: one for all of them, or a list with one for each. UsageError if
    these do not fit.
    """
    return tuple(RecurrentLayer(direction_named(name), name.bidirectional) for name in names_of(cells, layers))


def encoder_shapes(network: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of the recurrent layers of one member: layerI.NAME or, of a bidirectional layer,
    layerI.forward.NAME and layerI.backward.NAME. UsageError if cells and sizes do not fit.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for index, layer in enumerate(recurrent_layers(network.cell, network.layers)):
        own = layer.shapes(network.hidden if index else network.inputs, network.hidden)
        own |= norm_shapes(network.hidden) if network.layer_norm else {}
        shapes |= {f"layer{index}.{name}": shape for name, shape in own.items()}
    return shapes


def multiplications(network: NetworkSpec, grid: tuple[int, int]) -> int:
    """Multiplications of one step of one sequence through all layers, the first of which is on a grid (rows, columns),
    (1, 1) where there is none.
    """
    inputs, total = network.inputs, 0
    for layer in recurrent_layers(network.cell, network.layers):
        grid = grid if layer.cell.kernel is None else layer.cell.kernel.grid(*grid)
        weights = sum(prod(shape) for shape in layer.shapes(inputs, network.hidden).values() if len(shape) > 1)
        total, inputs = total + weights * prod(grid), network.hidden
    return total


def outputs(network: NetworkSpec, weights: Weights, x: Array, lengths: Array | None = None, xp: Any = np) -> Array:
    """Outputs of the last layer at every step, from a zero state: x [n, T, inputs] -> [n, T, hidden].

    The first `lengths` [n] steps of each sequence are real, all of them if it is None; what follows is padding, which
    changes no bit of what stands before it.
    """
    layers = recurrent_layers(network.cell, network.layers)

    def run_layer(index: int, own: Weights, x: Array) -> Array:
        layer = layers[index]

        def run_cell(weights: Weights, x: Array) -> Array:
            return unroll(layer.cell, weights, x, None, xp, network.activation)[0]

        return layer.run(run_cell, own, x, lengths, xp)

    return encoded(run_layer, network.layers, weights, x, network.residual)
