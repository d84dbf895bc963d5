"""The encoder in torch: parameters by name, a stack of recurrent layers on PyTorch's kernels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rnncli.layers.stack import layer_weights, stack
from rnncli.nn.recurrent import fused
from rnncli.spec import NetworkSpec


def encode(weights: Mapping[str, Tensor], network: NetworkSpec, x: Tensor, dropout: float = 0.0) -> Tensor:
    """Outputs of the last layer at every step: x [n, steps, inputs] -> [n, steps, hidden]."""

    def run_layer(index: int, x: Tensor) -> Tensor:
        return fused(network.cell, layer_weights(weights, index), x, activation=network.activation)[0]

    def drop(x: Tensor) -> Tensor:
        return torch.nn.functional.dropout(x, dropout)

    outputs: Tensor = stack(run_layer, network.layers, x, network.residual, drop if dropout else None)
    return outputs
