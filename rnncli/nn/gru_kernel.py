"""A GRU layer with its own backward pass, because PyTorch's makes a graph of every step.

With dL/dh_t = d_t, what goes back through step t is, for the products g = W_hh h_{t-1} of each gate,

    dL/dg_r = d_t * (1 - z)(1 - n^2) * (g_n + b_hn) * r(1 - r)
    dL/dg_z = d_t * (h_{t-1} - n) * z(1 - z)
    dL/dg_n = d_t * (1 - z)(1 - n^2) * r
    d_{t-1} += d_t * z + W_hh^T dL/dg

The factors beside d_t are known before the first step back. A step back is one elementwise product and one matrix
product, and the gradient of W_hh is one product over all steps at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.cells.cell import Cell, State

ROWS = 4096  # of factors made at a time: few enough to stay in the processor's cache


class _Gru(Function):
    """a [T, B, 3 H], weight_hh [3 H, H], bias_hn [H], h_0 [B, H] -> h [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, weight: Tensor, bias: Tensor, h0: Tensor) -> Tensor:
        steps, batch, hidden = len(a), len(h0), h0.shape[1]
        states = torch.empty(steps + 1, batch, hidden, dtype=a.dtype, device=a.device)
        gates = torch.empty_like(a)  # r, z, n
        inner = torch.empty_like(states[1:])  # g_n + b_hn
        products = torch.empty_like(a[0]) if steps else a
        offset, across = torch.cat([bias.new_zeros(2 * hidden), bias]), weight.t()
        states[0] = h0
        for t in range(steps):
            h, (rz, n) = states[t], (gates[t, :, : 2 * hidden], gates[t, :, 2 * hidden :])
            torch.addmm(offset, h, across, out=products)
            inner[t].copy_(products[:, 2 * hidden :])
            torch.add(a[t, :, : 2 * hidden], products[:, : 2 * hidden], out=rz).sigmoid_()
            torch.addcmul(a[t, :, 2 * hidden :], rz[:, :hidden], inner[t], out=n).tanh_()
            torch.lerp(n, h, rz[:, hidden:], out=states[t + 1])
        ctx.save_for_backward(weight, states, gates, inner)
        return states[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        weight, states, gates, inner = ctx.saved_tensors
        hidden = weight.shape[1]
        steps, batch = len(gates), states.shape[1]
        through = torch.empty_like(gates)  # dL/dg
        into = torch.empty_like(inner)  # dL/d(n before its tanh)
        z = gates[..., hidden : 2 * hidden]
        d, kept = torch.zeros_like(states[0]), torch.empty_like(states[0])
        at_once = max(1, ROWS // max(1, batch))
        for end in range(steps, 0, -at_once):
            start = max(0, end - at_once)
            factors, shut = _factors(states[start:end], gates[start:end], inner[start:end])
            for t in range(end - 1, start - 1, -1):
                d.add_(gradients[0][t])
                torch.mul(factors[t - start], d[:, None], out=through[t].view(batch, 3, hidden))
                torch.mul(shut[t - start], d, out=into[t])
                torch.mul(d, z[t], out=kept)
                torch.addmm(kept, through[t], weight, out=d)
        flat = through.view(steps * batch, 3 * hidden)
        of_weight = flat.t() @ states[:-1].reshape(steps * batch, hidden)
        of_bias = flat[:, 2 * hidden :].sum(dim=0)
        of_a = torch.cat([through[..., : 2 * hidden], into], dim=2)
        return of_a, of_weight, of_bias, d


def _factors(before: Tensor, gates: Tensor, inner: Tensor) -> tuple[Tensor, Tensor]:
    """The factors of d_t in dL/dg [t, B, 3, H], and in that of what enters the candidate's tanh [t, B, H]."""
    r, z, n = gates.chunk(3, dim=2)
    shut = (1 - z) * (1 - n * n)
    return torch.stack([shut * inner * r * (1 - r), (before - n) * z * (1 - z), shut * r], dim=2), shut


def gru(cell: Cell, weights: Mapping[str, Tensor], a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:  # noqa: ARG001
    """The layer `gru`: projected inputs a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    h: Tensor = _Gru.apply(a, weights["weight_hh"], weights["bias_hn"], state[0])  # type: ignore[no-untyped-call]
    return h.transpose(0, 1), (h[-1],)
