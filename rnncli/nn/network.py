"""The encoder in torch: parameters by name, a stack of recurrent layers on PyTorch's kernels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from rnncli.cells.named import cells_of
from rnncli.layers.stack import encoded
from rnncli.nn.dropout import dropout
from rnncli.nn.recurrent import fused
from rnncli.spec import NetworkSpec


def encode(
    weights: Mapping[str, Tensor],
    network: NetworkSpec,
    x: Tensor,
    generator: Generator | None = None,
    tbptt: int | None = None,
) -> Tensor:
    """Outputs of the last layer at every step: x [n, steps, inputs] -> [n, steps, hidden]; with dropout between the
    layers where a generator is given, as in training. With `tbptt`, the state is carried on without its gradient after
    every so many steps (truncated backpropagation through time: Williams & Peng 1990).
    """
    cells = cells_of(network.cell, network.layers)

    def run_cell(index: int, weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
        outputs, state = [], None
        for stretch in torch.split(x, tbptt or max(1, x.shape[1]), dim=1):
            made, state = fused(cells[index], weights, stretch, state, network.activation)
            state = tuple(part.detach() for part in state)
            outputs.append(made)
        return torch.cat(outputs, dim=1) if len(outputs) > 1 else outputs[0]

    def drop(x: Tensor) -> Tensor:
        return x if generator is None else dropout(x, network.dropout, generator)

    outputs: Tensor = encoded(run_cell, network.layers, weights, x, network.residual, drop)
    return outputs
