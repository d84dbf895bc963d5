"""A layer of minimal gated units with its own backward pass, without a graph of every step.

With dL/dh_t = d_t, q = f * h_{t-1} and a step's formula in `rnncli.cells.mgu`, what goes back through step t is

    dL/dg_n = d_t * f (1 - n^2)
    dL/dq   = U_n^T dL/dg_n
    dL/dg_f = (d_t * (n - h_{t-1}) + dL/dq * h_{t-1}) * f (1 - f)
    d_{t-1} += d_t * (1 - f) + dL/dq * f + U_f^T dL/dg_f

for the two sums g that enter the sigmoid and the tanh. The gradients of U_f and U_n are one product each at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.cells.cell import Cell, State


class _Mgu(Function):
    """a [T, B, 2 H], weight_hh [2 H, H], h_0 [B, H] -> h [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, weight: Tensor, h0: Tensor) -> Tensor:
        steps, batch, hidden = len(a), len(h0), h0.shape[1]
        states = torch.empty(steps + 1, batch, hidden, dtype=a.dtype, device=a.device)
        f, n, q = (torch.empty_like(states[1:]) for _ in range(3))
        of_f, of_n = torch.split(weight.t(), hidden, dim=1)
        states[0] = h0
        for t in range(steps):
            h = states[t]
            torch.addmm(a[t, :, :hidden], h, of_f, out=f[t]).sigmoid_()
            torch.mul(f[t], h, out=q[t])
            torch.addmm(a[t, :, hidden:], q[t], of_n, out=n[t]).tanh_()
            torch.lerp(h, n[t], f[t], out=states[t + 1])
        ctx.save_for_backward(weight, states, f, n, q)
        return states[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        weight, states, f, n, q = ctx.saved_tensors
        steps, batch, hidden = f.shape
        before, (of_f, of_n) = states[:-1], weight.split(hidden)
        slope, candidate, kept = f * (1 - f), f * (1 - n * n), 1 - f
        away = (n - before) * slope
        through = torch.empty(2, steps, batch, hidden, dtype=f.dtype, device=f.device)  # dL/dg_f, dL/dg_n
        d, of_q = torch.zeros_like(states[0]), torch.empty_like(states[0])
        slope *= before
        for t in range(steps - 1, -1, -1):
            d.add_(gradients[0][t])
            torch.mul(d, candidate[t], out=through[1, t])
            torch.mm(through[1, t], of_n, out=of_q)
            torch.mul(d, away[t], out=through[0, t]).addcmul_(of_q, slope[t])
            d.mul_(kept[t]).addcmul_(of_q, f[t]).addmm_(through[0, t], of_f)
        of_gate, of_candidate = through.view(2, steps * batch, hidden)
        of_weight = torch.cat([of_gate.t() @ before.reshape(-1, hidden), of_candidate.t() @ q.view(-1, hidden)])
        return torch.cat([through[0], through[1]], dim=2), of_weight, d


def mgu(cell: Cell, weights: Mapping[str, Tensor], a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:  # noqa: ARG001
    """The layer `mgu`: projected inputs a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    h: Tensor = _Mgu.apply(a, weights["weight_hh"], state[0])  # type: ignore[no-untyped-call]
    return h.transpose(0, 1), (h[-1],)
