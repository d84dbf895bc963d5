"""The encoder in torch: parameters by name, a stack of recurrent layers on PyTorch's kernels."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Generator, Tensor

from rnncli.layers.stack import layer_weights, stack
from rnncli.nn.dropout import dropout
from rnncli.nn.recurrent import fused
from rnncli.spec import NetworkSpec


def encode(
    weights: Mapping[str, Tensor], network: NetworkSpec, x: Tensor, generator: Generator | None = None
) -> Tensor:
    """Outputs of the last layer at every step: x [n, steps, inputs] -> [n, steps, hidden]; with dropout between the
    layers where a generator is given, as in training.
    """

    def run_layer(index: int, x: Tensor) -> Tensor:
        return fused(network.cell, layer_weights(weights, index), x, activation=network.activation)[0]

    def drop(x: Tensor) -> Tensor:
        return x if generator is None else dropout(x, network.dropout, generator)

    outputs: Tensor = stack(run_layer, network.layers, x, network.residual, drop)
    return outputs
