"""The initial values of recurrent weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from rnncli.cells.cell import Cell
from rnncli.layers.encoder import recurrent_layers
from rnncli.layers.norm import BIAS, GAIN
from rnncli.layers.stack import layer_weights
from rnncli.spec import NetworkSpec, initialisation

IRNN_INPUTS = 0.001
"""The standard deviation of an IRNN's input weights (Le, Jaitly & Hinton 2015, section 3)."""


def initialise(cell: Cell, weights: Mapping[str, Tensor], init: str, generator: Generator) -> None:
    """Fill one layer's weights in place, as drawn from `generator`.

    orthogonal    recurrent block of each gate orthogonal (Saxe et al. 2014), input blocks Glorot-uniform (for a
                  convolution over all its taps or pixels), biases 0 but 1 for a forget gate (Jozefowicz et al. 2015)
    chrono:T      the same, with gate biases for memories of up to T steps (Tallec & Ollivier 2018); a cell without
                  gates has none to set
    identity      recurrent blocks are the identity, for ReLU networks (Le, Jaitly & Hinton 2015), of each pixel alone
    irnn          the same, and input blocks N(0, 0.001), as these authors have it
    uniform       PyTorch's default, U[-1/sqrt(H), 1/sqrt(H)] everywhere

    What a cell begins in a way of its own, as the eigenvalues of an LRU, does so under each of them; of a dilated cell
    the memory of T steps is one of T / dilation steps of its own. UsageError if there is no such scheme.
    """
    scheme, memory = initialisation(init)
    with torch.no_grad():
        if scheme == "uniform":
            _uniform(cell, weights, generator)
        else:
            _blocks(cell, weights, scheme, generator)
            _biases(cell, weights, scheme, max(2.0, memory / cell.dilation), generator)
        _own(cell, weights, memory / cell.dilation, generator)


def initialise_encoder(network: NetworkSpec, weights: Mapping[str, Tensor], generator: Generator) -> None:
    """Fill the weights of all recurrent layers in place, layer after layer and direction after direction, each as a
    layer of its own; layer normalisation, whose weights are zeros before, begins as no more than that.
    """
    for index, layer in enumerate(recurrent_layers(network.cell, network.layers)):
        own = layer_weights(weights, index)
        if network.layer_norm:
            own.pop(GAIN).fill_(1.0)
            own.pop(BIAS)
        for of_direction in layer.by_direction(own).values():
            initialise(layer.cell, of_direction, network.init, generator)


def _own(cell: Cell, weights: Mapping[str, Tensor], memory: float, generator: Generator) -> None:
    if cell.begin is None:
        return
    draws = torch.rand(2, cell.hidden(weights), generator=generator, dtype=torch.float64).numpy()
    for name, values in cell.begin(weights, draws, memory or None).items():
        weights[name].copy_(torch.from_numpy(values))


def _uniform(cell: Cell, weights: Mapping[str, Tensor], generator: Generator) -> None:
    bound = 1 / math.sqrt(cell.hidden(weights))
    for tensor in weights.values():
        tensor.uniform_(-bound, bound, generator=generator)


def _blocks(cell: Cell, weights: Mapping[str, Tensor], scheme: str, generator: Generator) -> None:
    hidden = cell.hidden(weights)
    square = (*(["weight_hh"] if cell.recurrent else []), *cell.matrices)
    for block in (block for name in square for block in _by_gate(weights[name], hidden)):
        if scheme in ("identity", "irnn"):
            torch.nn.init.eye_(_middle(block.zero_()))
        else:
            torch.nn.init.orthogonal_(block, generator=generator)
    gain = cell.gates**-0.5 if cell.added else 1.0
    if scheme == "irnn":
        weights["weight_ih"].normal_(0, IRNN_INPUTS, generator=generator)
        return
    for block in _by_gate(weights["weight_ih"], hidden):
        torch.nn.init.xavier_uniform_(block.flatten(1), gain, generator=generator)


def _biases(cell: Cell, weights: Mapping[str, Tensor], scheme: str, memory: float, generator: Generator) -> None:
    """Chrono: b_keep = log U[1, T - 1], and its negative at an input gate (for PyTorch's GRU, z keeps the state)."""
    for name in (*(["bias"] if cell.biased else []), *cell.vectors):
        weights[name].zero_()
    if cell.keep_gate is None and cell.input_gate is None:
        return
    hidden = cell.hidden(weights)
    gates = _by_gate(weights["bias"], hidden)
    if scheme == "chrono":
        open_for = torch.empty(hidden).uniform_(1, max(memory - 1, 1 + 1e-6), generator=generator).log_()
        if cell.keep_gate is not None:
            gates[cell.keep_gate].copy_(open_for)
        if cell.input_gate is not None:
            gates[cell.input_gate].copy_(-open_for)
    elif cell.keep_gate is not None:
        gates[cell.keep_gate].fill_(cell.forget_bias)


def _middle(block: Tensor) -> Tensor:
    """What a kernel [H, k, k, H] has for its own pixel, a view: [H, H]."""
    return block if block.ndim == 2 else block[:, block.shape[1] // 2, block.shape[2] // 2]


def _by_gate(stacked: Tensor, hidden: int) -> tuple[Tensor, ...]:
    """Views of [gates * H, ...], one a gate."""
    return torch.split(stacked, hidden)
