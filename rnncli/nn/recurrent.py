"""A recurrent layer on PyTorch's fused kernels, from the same weights as the formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.layers.unroll import unroll
from rnncli.registry import CELLS, find

State = tuple[Tensor, ...]

KERNELS: dict[tuple[str, str], Callable[..., tuple[Tensor, ...]]] = {
    ("gru", "tanh"): torch.gru,
    ("lstm", "tanh"): torch.lstm,
    ("rnn", "relu"): torch.rnn_relu,
    ("rnn", "tanh"): torch.rnn_tanh,
}
GATED = ("gru", "lstm")  # their formulas have no choice of activation


def fused(
    cell_name: str, weights: Mapping[str, Tensor], x: Tensor, state: State | None = None, activation: str = "tanh"
) -> tuple[Tensor, State]:
    """x [B, T, I] -> outputs [B, T, H] and the last state ([B, H] each), as the unrolled formula gives them.

    There is no mask: pad rows on the right and read each at its own end. A cell without a kernel is unrolled.
    UsageError if there is no such cell.
    """
    cell: Cell = find(CELLS, cell_name, "cell")
    kernel = KERNELS.get((cell_name, "tanh" if cell_name in GATED else activation))
    if kernel is None:
        return unroll(cell, weights, x, state, torch, activation=activation)
    start = state or cell.zero_state(x, weights["weight_hh"].shape[1], torch)
    before = tuple(part[None] for part in start) if len(start) > 1 else start[0][None]
    flat = [weights["weight_ih"], weights["weight_hh"], weights["bias"], _second_bias(weights)]
    # biases, one layer, no dropout, whether to keep what the backward pass needs, one direction, batch first
    outputs, *after = kernel(x, before, flat, True, 1, 0.0, torch.is_grad_enabled(), False, True)
    return outputs, tuple(part[0] for part in after)


def _second_bias(weights: Mapping[str, Tensor]) -> Tensor:
    """PyTorch has two biases a gate; the second is zero, or an optimiser would move the bias twice."""
    bias = weights["bias"]
    if "bias_hn" not in weights:
        return torch.zeros_like(bias)
    inner = weights["bias_hn"]
    return torch.cat([inner.new_zeros(len(bias) - len(inner)), inner])
