"""Cells whose recurrence is linear in the state, without a graph of every step.

All products are made at once, and z_t = a_t * z_{t-1} + b_t is carried along by a loop that autograd does not see: its
own backward pass is the same recurrence, backwards (Martin & Cundy 2018, "Parallelizing Linear Recurrent Neural Nets
Over Sequence Length", section 2). Forms that are parallel over time need log2(T) passes over the memory, which costs
more on a CPU than the steps do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.cells.cell import Cell, State, split_gates
from rnncli.cells.lru import eigenvalues, lru_output
from rnncli.cells.mamba import RATES, STATES, selected
from rnncli.cells.mlstm import KEYS, read
from rnncli.cells.shared import bounded, shared
from rnncli.layers.activation import ACTIVATIONS, sigmoid, softplus

Weights = Mapping[str, Tensor]
LARGEST = 1 << 13  # units of a step; what several states of more of them pass through is no more in a cache


class _Recurrence(Function):
    """z_t = a_t * z_{t-1} + b_t for a, b [T, ..., H] and z_0 [..., H], real or complex: z [T, ..., H]."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, z0: Tensor) -> Tensor:
        z, before = torch.empty_like(b), z0
        for t in range(len(b)):
            torch.addcmul(b[t], a[t], before, out=z[t])
            before = z[t]
        ctx.save_for_backward(a, z, z0)
        return z

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """dL/dz_{t-1} += a_t* dL/dz_t; dL/da_t = z_{t-1}* dL/dz_t; dL/db_t = dL/dz_t; * is the conjugate."""
        a, z, z0 = ctx.saved_tensors
        a = a.conj().resolve_conj()
        through = gradients[0].clone(memory_format=torch.contiguous_format)
        for t in range(len(z) - 1, 0, -1):
            through[t - 1].addcmul_(a[t], through[t])
        before = torch.cat([z0[None], z[:-1]])
        return before.conj() * through, through, a[0] * through[0]


def _recurrence(a: Tensor, b: Tensor, z0: Tensor) -> Tensor:
    z: Tensor = _Recurrence.apply(a, b, z0)  # type: ignore[no-untyped-call]
    return z


def mingru(cell: Cell, weights: Weights, a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:  # noqa: ARG001
    """The layer `mingru`: a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    hidden = cell.hidden(weights)
    z, n = split_gates(a, hidden)
    z = sigmoid(z, torch)
    h = _recurrence(1 - z, z * n, state[0])
    return h.transpose(0, 1), (h[-1],)


def lru(cell: Cell, weights: Weights, a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:  # noqa: ARG001
    """The layer `lru`: a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    u, v, s = split_gates(a, cell.hidden(weights))
    gamma = torch.exp(weights["gamma"])
    eigenvalue = torch.complex(*eigenvalues(weights, torch)).expand(u.shape)
    z = _recurrence(eigenvalue, torch.complex(gamma * u, gamma * v), torch.complex(state[1], state[2]))
    h, _ = lru_output(weights, z.real, z.imag, s, torch)
    return h.transpose(0, 1), (h[-1], z[-1].real, z[-1].imag)


def fir(cell: Cell, weights: Weights, a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:
    """The layer `fir`: a [T, B, gates * H] -> outputs [B, T, H] and the last state, all steps at once."""
    taps = split_gates(a, cell.hidden(weights))
    steps = len(a)
    total = torch.cat([torch.stack(state[1:]), taps[0].new_zeros(steps, *state[0].shape)])
    for lag, tap in enumerate(taps):
        total = total + torch.nn.functional.pad(tap, (0, 0, 0, 0, lag, len(taps) - 1 - lag))
    h = ACTIVATIONS[activation](total[:steps] + weights["bias_o"], torch)
    return h.transpose(0, 1), (h[-1], *total[steps:].unbind(0))


def mlstm(cell: Cell, weights: Weights, a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:
    """The layer `mlstm`: a [T, B, gates * H] -> outputs [B, T, H] and the last state.

    m_t is the largest of what came in, each as far as it was kept: a running maximum of i_s - F_s, where F is the sum
    of log sigmoid(f) so far. Whatever it is rounded to cancels, for all that is stored is scaled by the same m.
    """
    if a.shape[1] * cell.hidden(weights) > LARGEST:
        return _stepwise(cell, weights, a, state, activation)
    i, f, q, k, v, o = split_gates(bounded(a, torch), cell.hidden(weights))
    log_f = torch.nn.functional.logsigmoid(f)
    so_far = log_f.cumsum(0)
    m = so_far + torch.maximum(state[-1], (i - so_far).cummax(0).values)
    before = torch.cat([state[-1][None], m[:-1]])
    keys = torch.stack(shared(k / KEYS**0.5, KEYS, torch), 1)  # [T, d, B, H]
    written = torch.exp(i - m)[:, None] * torch.cat([v[:, None] * keys, keys], 1)
    kept = torch.exp(log_f + before - m)[:, None].expand(written.shape)
    z = _recurrence(kept, written, torch.stack(state[1:-1]))
    columns = z.unbind(1)
    h = sigmoid(o, torch) * read(columns[:KEYS], columns[KEYS:], shared(q, KEYS, torch), m, torch)
    return h.transpose(0, 1), (h[-1], *z[-1].unbind(0), m[-1])


def mamba(cell: Cell, weights: Weights, a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:
    """The layer `mamba`: a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    if a.shape[1] * cell.hidden(weights) > LARGEST:
        return _stepwise(cell, weights, a, state, activation)
    x, dt, b, c, z = split_gates(a, cell.hidden(weights))
    rates = torch.exp(torch.stack([weights[rate] for rate in RATES]))[:, None]  # [N, 1, H]
    kept = torch.exp(-softplus(dt, torch)[:, None] * rates)
    written = (1 - kept) / rates * torch.stack(shared(torch.tanh(b), STATES, torch), 1) * x[:, None]
    h = _recurrence(kept, written, torch.stack(state[1:]))
    y, _ = selected(weights, h.unbind(1), (x, c, z), torch)
    return y.transpose(0, 1), (y[-1], *h[-1].unbind(0))


def _stepwise(cell: Cell, weights: Weights, a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:
    """The formula of a cell step by step: a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    outputs = []
    for step in a:
        state, _ = cell.advance(weights, step, state, torch, activation)
        outputs.append(state[0])
    return torch.stack(outputs, 1), state
