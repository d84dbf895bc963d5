"""Recurrent layers on top of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnncli.layers.norm import layer_norm

Array = Any
RunLayer = Callable[[int, Array], Array]
RunCell = Callable[[int, Mapping[str, Array], Array], Array]


def stack(
    run_layer: RunLayer, layers: int, x: Array, residual: bool, between: Callable[[Array], Array] | None = None
) -> Array:
    """x [B, T, I] -> [B, T, H] through `run_layer(index, x)`.

    From the second layer on, a residual adds the layer's input to its output (He et al. 2016); `between` (dropout, in
    training) acts on what passes from layer to layer, the residual included. A layer that leaves the grid of its input
    adds what last passed on the grid that it comes to (Ronneberger, Fischer & Brox 2015), if anything did.
    """
    passed: dict[tuple[int, ...], Array] = {}
    for index in range(layers):
        if index:
            x = x if between is None else between(x)
            passed[x.shape] = x
        output = run_layer(index, x)
        x = output + passed[output.shape] if residual and output.shape in passed else output
    return x


def encoded(
    run_cell: RunCell,
    layers: int,
    weights: Mapping[str, Array],
    x: Array,
    residual: bool,
    between: Callable[[Array], Array] | None = None,
) -> Array:
    """x [B, T, I] -> [B, T, H] through `run_cell(index, layer's weights, x)` of each layer, normalised where a layer
    has the weights for it, and added up as `stack` does.
    """

    def run_layer(index: int, x: Array) -> Array:
        own = layer_weights(weights, index)
        return layer_norm(run_cell(index, own, x), own)

    return stack(run_layer, layers, x, residual, between)


def layer_weights(weights: Mapping[str, Array], index: int) -> dict[str, Array]:
    """The weights of one layer, without their prefix."""
    prefix = f"layer{index}."
    return {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
