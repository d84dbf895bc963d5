"""The encoder in torch: parameters by name, a stack of recurrent layers on PyTorch's kernels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.named import cells_of
from rnncli.layers.stack import encoded
from rnncli.nn.dropout import dropout
from rnncli.nn.recurrent import fused
from rnncli.spec import NetworkSpec


def encode(
    weights: Mapping[str, Tensor], network: NetworkSpec, x: Tensor, generator: Generator | None = None
) -> Tensor:
    """Outputs of the last layer at every step: x [n, steps, inputs] -> [n, steps, hidden]; with dropout between the
    layers where a generator is given, as in training.
    """
    return encode_on(weights, network, x, {}, torch.ones(len(x), dtype=torch.bool, device=x.device), generator)


def encode_on(
    weights: Mapping[str, Tensor],
    network: NetworkSpec,
    x: Tensor,
    carried: dict[str, Tensor],
    fresh: Tensor,
    generator: Generator | None = None,
) -> Tensor:
    """The same from the state that is carried [n, hidden] each, named as in `state_shapes`, but from the first state in
    rows that are `fresh` [n], and in all of them if nothing is carried. The state after the last step takes its place,
    without its gradient (truncated backpropagation through time: Williams & Peng 1990).
    """
    cells = cells_of(network.cell, network.layers)
    before = [_before(cell, index, x, network.hidden, carried, fresh) for index, cell in enumerate(cells)]

    def run_cell(index: int, weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
        outputs, state = fused(cells[index], weights, x, before[index], network.activation)
        carried.update({_name(index, part): one.detach() for part, one in enumerate(state)})
        return outputs

    def drop(x: Tensor) -> Tensor:
        return x if generator is None else dropout(x, network.dropout, generator)

    outputs: Tensor = encoded(run_cell, network.layers, weights, x, network.residual, drop)
    return outputs


def _before(
    cell: Cell, index: int, x: Tensor, hidden: int, carried: Mapping[str, Tensor], fresh: Tensor
) -> tuple[Tensor, ...] | None:
    """The state from which a layer goes on, None if that is the first."""
    if not carried:
        return None
    first = cell.zero_state(x, hidden, torch)
    return tuple(torch.where(fresh[:, None], new, carried[_name(index, part)]) for part, new in enumerate(first))


def state_shapes(network: NetworkSpec, rows: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the state of so many rows."""
    return {
        _name(index, part): (rows, network.hidden)
        for index, cell in enumerate(cells_of(network.cell, network.layers))
        for part in range(len(cell.state_names))
    }


def _name(layer: int, part: int) -> str:
    return f"layer{layer}.{part}"
