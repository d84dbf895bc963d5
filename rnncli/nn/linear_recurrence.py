"""Cells whose recurrence is linear in the state, without a graph of every step.

All products are made at once, and z_t = a_t * z_{t-1} + b_t is carried along by a scan that autograd does not see: its
own backward pass is the same recurrence, backwards (Martin & Cundy 2018, "Parallelizing Linear Recurrent Neural Nets
Over Sequence Length", section 2).

What a small step costs is the call, not the numbers in it. There the scan is parallel over time, in chunks (Blelloch
1990, "Prefix Sums and Their Applications", section 1.3): a step in all chunks at once, then from chunk to chunk, about
3 sqrt(T) calls instead of T. Large steps are taken one after the other, for a scan goes over the memory twice more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
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
SMALL, LONG = 1 << 10, 64  # numbers of a step, and steps, up to which and from which on a scan is parallel over time


class _Recurrence(Function):
    """z_t = a_t * z_{t-1} + b_t for a, b [T, ..., H] and z_0 [..., H], real or complex: z [T, ..., H]."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, z0: Tensor) -> Tensor:
        z = scanned(a, b, z0)
        ctx.save_for_backward(a, z, z0)
        return z

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """dL/dz_{t-1} += a_t* dL/dz_t; dL/da_t = z_{t-1}* dL/dz_t; dL/db_t = dL/dz_t; * is the conjugate."""
        a, z, z0 = ctx.saved_tensors
        a = a.conj().resolve_conj()
        through = _scanned_back(a, gradients[0])
        before = torch.cat([z0[None], z[:-1]])
        return before.conj() * through, through, a[0] * through[0]


def scanned(a: Tensor, b: Tensor, z0: Tensor) -> Tensor:
    """z_t = a_t * z_{t-1} + b_t for a, b [T, ..., H] and z_0 [..., H]: z [T, ..., H]."""
    z = torch.empty_like(b)
    count = _in_chunks(a, b, z0, z) if _is_parallel(b) else 0
    before = z[count - 1] if count else z0
    for a_t, b_t, z_t in zip(a[count:].unbind(0), b[count:].unbind(0), z[count:].unbind(0), strict=True):
        torch.addcmul(b_t, a_t, before, out=z_t)
        before = z_t
    return z


def _scanned_back(a: Tensor, b: Tensor) -> Tensor:
    """z_{t-1} = a_t * z_t + b_{t-1} from z_T = b_T on, for a, b [T, ..., H]: z [T, ..., H]."""
    if _is_parallel(b):
        later = torch.cat([a[1:], torch.zeros_like(a[:1])])
        return scanned(later.flip(0), b.flip(0), torch.zeros_like(b[0])).flip(0)
    z = b.clone(memory_format=torch.contiguous_format)
    every = z.unbind(0)
    for a_t, (z_before, z_t) in zip(reversed(a.unbind(0)), reversed([*pairwise(every)]), strict=False):
        z_before.addcmul_(a_t, z_t)
    return z


def _is_parallel(b: Tensor) -> bool:
    """Whether the steps of b [T, ..., H] are so small and many that calls cost more than numbers."""
    numbers = b[0].numel() * (2 if b.is_complex() else 1)
    return numbers <= SMALL and len(b) >= LONG


def _in_chunks(a: Tensor, b: Tensor, z0: Tensor, z: Tensor) -> int:
    """Write z_t into the first steps of z, those that fill K chunks of C steps, and return how many these are.

    Within a chunk z_c = a_c z_{c-1} + b_c from zero and p_c = a_c p_{c-1} from one; what comes before it adds p_c times
    the last z of the chunk before.
    """
    steps = round(math.sqrt(len(b) / 2))
    chunks = len(b) // steps
    count = chunks * steps
    a, b, whole = (x[:count].view(chunks, steps, *x.shape[1:]) for x in (a.contiguous(), b.contiguous(), z))
    p = torch.empty_like(a)
    whole[:, 0], p[:, 0] = b[:, 0], a[:, 0]
    each = [x.unbind(1) for x in (a, b, whole, p)]
    for (_, _, z_before, p_before), (a_c, b_c, z_c, p_c) in pairwise(zip(*each, strict=True)):
        torch.addcmul(b_c, a_c, z_before, out=z_c)
        torch.mul(a_c, p_before, out=p_c)
    before = [z0]
    for z_last, p_last in zip(whole[:-1, -1].unbind(0), p[:-1, -1].unbind(0), strict=True):
        before.append(torch.addcmul(z_last, p_last, before[-1]))
    whole.addcmul_(p, torch.stack(before)[:, None])
    return count


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
