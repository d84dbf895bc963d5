"""A recurrent layer by the fastest way there is to its formula, from the same weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.layers.phases import by_phase
from rnncli.layers.rows import Rows, dense, rows_at
from rnncli.layers.unroll import unroll
from rnncli.nn import gru_kernel, linear_recurrence, lstm_kernel, mgu_kernel, slstm_kernel

State = tuple[Tensor, ...]
Weights = Mapping[str, Tensor]

KERNELS: dict[tuple[str, str], Callable[..., tuple[Tensor, ...]]] = {
    ("lstm", "tanh"): torch.lstm,
    ("rnn", "relu"): torch.rnn_relu,
    ("rnn", "tanh"): torch.rnn_tanh,
}
OWN: dict[str, Callable[[Cell, Weights, Tensor, State, str], tuple[Tensor, State]]] = {
    "gru": gru_kernel.gru,
    "mgu": mgu_kernel.mgu,
    "lstm-peephole": lstm_kernel.lstm,
    "lstm-coupled": lstm_kernel.lstm,
    "lstm-peephole-coupled": lstm_kernel.lstm,
    "slstm": slstm_kernel.slstm,
    "mingru": linear_recurrence.mingru,
    "lru": linear_recurrence.lru,
    "mlstm": linear_recurrence.mlstm,
    "mamba": linear_recurrence.mamba,
    "fir": linear_recurrence.fir,
}
ON_GRID = ("lstm", "lstm-peephole", "lstm-coupled", "lstm-peephole-coupled")


def fused(
    cell: Cell, weights: Weights, x: Tensor | Rows, state: State | None = None, activation: str = "tanh"
) -> tuple[Tensor, State]:
    """x [B, T, I] -> outputs [B, T, H] and the last state ([B, H] each), as the unrolled formula gives them.

    There is no mask: pad rows on the right and read each at its own end. A cell without a kernel is unrolled.
    """
    start = state or cell.zero_state(x, cell.hidden(weights), torch)
    own = OWN.get(cell.family)
    if isinstance(x, Rows) and cell.name == "lstm":  # PyTorch's own would multiply the row of every step
        own = lstm_kernel.lstm
    if cell.kernel is not None:
        own = lstm_kernel.lstm if cell.family in ON_GRID else None
    if own is not None and cell.inner is None:
        return own(cell, weights, _projected(cell, weights, x), start, activation)
    x = dense(x, torch)
    inner = cell.inner
    if inner is not None:
        return by_phase(lambda x, state: fused(inner, weights, x, state, activation), cell, x, start, torch)
    kernel = KERNELS.get((cell.name, activation if cell.activations else "tanh"))
    if kernel is None:
        return unroll(cell, weights, x, start, torch, activation=activation)
    before = tuple(part[None] for part in start) if len(start) > 1 else start[0][None]
    bias = weights["bias"]  # PyTorch has two; the second is zero, or an optimiser would move the bias twice
    flat = [weights["weight_ih"], weights["weight_hh"], bias, torch.zeros_like(bias)]
    # biases, one layer, no dropout, whether to keep what the backward pass needs, one direction, batch first
    outputs, *after = kernel(x, before, flat, True, 1, 0.0, torch.is_grad_enabled(), False, True)
    return outputs, tuple(part[0] for part in after)


def _projected(cell: Cell, weights: Weights, x: Tensor | Rows) -> Tensor:
    """W_ih x + b, steps first: [T, B, gates * H]."""
    if isinstance(x, Rows):
        a = rows_at(cell.project(weights, x.table, torch), x.codes.transpose(0, 1), torch)
    else:
        a = cell.project(weights, x.transpose(0, 1), torch)
    return cast("Tensor", a)
