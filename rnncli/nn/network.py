"""The encoder in torch: parameters by name, a stack of recurrent layers on PyTorch's kernels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.named import cells_of, refuse_bidirectional
from rnncli.layers.encoder import recurrent_layers
from rnncli.layers.rows import Rows
from rnncli.layers.stack import encoded
from rnncli.nn.dropout import Draws, connections_dropped, dropout
from rnncli.nn.recurrent import fused
from rnncli.spec import NetworkSpec


def encode(
    weights: Mapping[str, Tensor],
    network: NetworkSpec,
    x: Tensor | Rows,
    draws: Draws | None = None,
    carried: dict[str, Tensor] | None = None,
    fresh: Tensor | None = None,
    lengths: Tensor | None = None,
) -> Tensor:
    """Outputs of the last layer at every step: x [n, steps, inputs] -> [n, steps, hidden]; with dropout between the
    layers and from step to step where something is drawn, as in training.

    The state is the first one, or what is `carried`, as in `state_shapes`, in rows that are not `fresh` [n]. The state
    after the last step then takes its place, without its gradient (truncated backpropagation through time: Williams &
    Peng 1990). UsageError if a layer is bidirectional then.

    The first `lengths` [n] steps of each sequence are real, all of them if it is None, and padding follows. Where no
    layer is bidirectional it makes no difference: a step does not see what comes after it.
    """
    if carried is not None:
        _refuse_carrying(network)
    layers = recurrent_layers(network.cell, network.layers)
    earlier = dict(carried or {})

    def run_layer(index: int, own: Mapping[str, Tensor], x: Tensor | Rows) -> Tensor:
        layer = layers[index]
        if draws is not None:
            own = connections_dropped(own, network.recurrent_dropout, draws.generator)

        def run_cell(weights: Mapping[str, Tensor], x: Tensor | Rows) -> Tensor:
            before = _before(layer.cell, index, x, network.hidden, earlier, fresh)
            outputs, state = fused(layer.cell, weights, x, before, network.activation)
            if carried is not None:
                carried[f"layer{index}"] = torch.stack([part.detach() for part in state])
            return outputs

        found: Tensor = layer.run(run_cell, own, x, lengths, torch)
        return found

    def drop(x: Tensor) -> Tensor:
        return x if draws is None else dropout(x, network.dropout, draws.generator, draws.crops)

    outputs: Tensor = encoded(run_layer, network.layers, weights, x, network.residual, drop)
    return outputs


def _refuse_carrying(network: NetworkSpec) -> None:
    refuse_bidirectional(network.cell, "truncated backpropagation (--tbptt) reads it in stretches, from the start on")


def _before(
    cell: Cell, index: int, x: Tensor | Rows, hidden: int, earlier: Mapping[str, Tensor], fresh: Tensor | None
) -> tuple[Tensor, ...] | None:
    """The state from which a layer goes on, None if that is the first."""
    if not earlier or fresh is None:
        return None
    first = cell.zero_state(x, hidden, torch)
    begins = fresh.reshape(-1, *(1 for _ in first[0].shape[1:]))
    return tuple(torch.where(begins, new, part) for new, part in zip(first, earlier[f"layer{index}"], strict=True))


def state_shapes(network: NetworkSpec, rows: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the state of so many rows: a tensor a layer, for a dilated one has hundreds of parts.
    UsageError if a layer is bidirectional.
    """
    _refuse_carrying(network)
    return {
        f"layer{index}": (len(cell.state_names), rows, network.hidden)
        for index, cell in enumerate(cells_of(network.cell, network.layers))
    }
