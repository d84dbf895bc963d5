"""The hidden state of a network's recurrent layers, carried over new inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Inputs, Ints
from rnncli.cells.named import cells_of
from rnncli.layers.stack import encoded
from rnncli.layers.unroll import unroll
from rnncli.spec import NetworkSpec

Hidden = dict[str, NDArray[np.float32]]

OUTPUT = "output"  # of the last layer, at the last rows that were consumed


def hidden_shapes(network: NetworkSpec, series: int, outputs: int = 1) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the hidden state of so many series: of each layer [members, series, parts, H], and the last
    layer's outputs at the last rows [members, series, outputs, H], the newest at the end. UsageError if a layer is
    bidirectional.
    """
    found: dict[str, tuple[int, ...]] = {OUTPUT: (network.members, series, outputs, network.hidden)}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        found[f"layer{index}"] = (network.members, series, len(cell.state_names), network.hidden)
    return found


def first_hidden(network: NetworkSpec, series: int, outputs: int = 1) -> Hidden:
    """The hidden state of so many series before their first row."""
    hidden = {name: np.zeros(shape, np.float32) for name, shape in hidden_shapes(network, series, outputs).items()}
    for index, cell in enumerate(cells_of(network.cell, network.layers)):
        for part, name in enumerate(cell.state_names):
            if name in cell.initial:  # memory that holds zeros costs nothing until it is written
                hidden[f"layer{index}"][:, :, part] = cell.initial[name]
    return hidden


def carry(
    network: NetworkSpec, members: Iterable[Mapping[str, Any]], hidden: Hidden, places: Ints, inputs: Iterable[Inputs]
) -> list[NDArray[np.float32]]:
    """Carry the hidden state of the series at `places` over the inputs [n, T, I] of each member, in place; returns the
    last layer's outputs [n, T, H] of each.
    """
    cells = cells_of(network.cell, network.layers)

    def outputs(member: int, weights: Mapping[str, Any], x: Inputs) -> NDArray[np.float32]:
        def run_cell(index: int, own: Mapping[str, Any], x: Any) -> Any:
            kept = hidden[f"layer{index}"]
            state = tuple(np.ascontiguousarray(part) for part in kept[member, places].swapaxes(0, 1))
            made, after = unroll(cells[index], own, x, state, np, activation=network.activation)
            kept[member, places] = np.stack(after, axis=1)
            return made

        made: NDArray[np.float32] = encoded(run_cell, network.layers, weights, x, network.residual)
        newest = made[:, -hidden[OUTPUT].shape[2] :]
        older = hidden[OUTPUT][member, places, newest.shape[1] :]
        hidden[OUTPUT][member, places] = np.concatenate([older, newest], axis=1)
        return made

    return [outputs(member, weights, x) for member, (weights, x) in enumerate(zip(members, inputs, strict=True))]
