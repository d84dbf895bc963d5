"""An sLSTM layer with its own backward pass, without a graph of every step.

The stabiliser m scales c and n alike and cancels in h, so that gradients go back through c and n as if every m were a
constant. With d_t = dL/dh_t, D and N those for c_t and n_t, i' and f' as in `rnncli.cells.slstm`, and g the sums that
enter the gates, what goes back through step t is

    D  += d_t * o / n_t
    N  -= d_t * h_t / n_t
    dL/dg_i = i' (D tanh(z) + N)
    dL/dg_f = f' (D c_{t-1} + N n_{t-1}) sigmoid(-f)
    dL/dg_z = D i' (1 - tanh(z)^2)
    dL/dg_o = d_t * c_t / n_t * o (1 - o)
    D, N, d_{t-1} <- D f', N f', W_hh^T dL/dg

Only where the last state is itself asked for is there a gradient for m; it goes to the larger of the two at each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.cells.cell import Cell, State


class _Slstm(Function):
    """a [T, B, 4 H], weight_hh [4 H, H], h_0, c_0, n_0, m_0 [B, H] -> h [T, B, H] and the last c, n and m [B, H]."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, weight: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        steps, (batch, hidden) = len(a), state[0].shape
        h, c, n, m = (torch.empty(steps + 1, batch, hidden, dtype=a.dtype, device=a.device) for _ in state)
        for kept, part in zip((h, c, n, m), state, strict=True):
            kept[0] = part
        gates = torch.empty_like(a)  # i', f', tanh(z), o
        sums = torch.empty_like(a)
        log_f, across = torch.empty_like(h[1:]), weight.t()
        for t in range(steps):
            g = torch.addmm(a[t], h[t], across, out=sums[t])
            i, f, z, o = torch.split(gates[t], hidden, dim=1)
            torch.sigmoid(g[:, 3 * hidden :], out=o)
            torch.tanh(g[:, 2 * hidden : 3 * hidden], out=z)
            torch.add(m[t], torch.nn.functional.logsigmoid(g[:, hidden : 2 * hidden]), out=log_f[t])
            torch.maximum(log_f[t], g[:, :hidden], out=m[t + 1])
            torch.sub(g[:, :hidden], m[t + 1], out=i).exp_()
            torch.sub(log_f[t], m[t + 1], out=f).exp_()
            torch.mul(f, c[t], out=c[t + 1]).addcmul_(i, z)
            torch.addcmul(i, f, n[t], out=n[t + 1])
            torch.mul(o, c[t + 1], out=h[t + 1]).div_(n[t + 1])
        ctx.save_for_backward(weight, h, c, n, gates, sums, log_f)
        return h[1:], c[-1].clone(), n[-1].clone(), m[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        weight, h, c, n, gates, sums, log_f = ctx.saved_tensors
        steps, batch, hidden = log_f.shape
        i, f, z, o = gates.split(hidden, dim=2)
        shut = torch.sigmoid(-sums[..., hidden : 2 * hidden])
        of_c = torch.stack([i * z, f * c[:-1] * shut, i * (1 - z * z)], dim=2)  # dL/dg of i, f, z for D,
        of_n = torch.stack([i, f * n[:-1] * shut], dim=2)  # and of i and f for N
        of_o, scale, fall = h[1:] * (1 - o), o / n[1:], -h[1:] / n[1:]
        through = torch.empty(steps, batch, 4, hidden, dtype=h.dtype, device=h.device)
        d, (big_d, big_n) = torch.zeros_like(h[0]), (part.clone() for part in gradients[1:3])
        of_m = gradients[3] - gradients[1] * c[-1] - gradients[2] * n[-1]
        m_counts = bool(of_m.any())
        for t in range(steps - 1, -1, -1):
            d.add_(gradients[0][t])
            big_d.addcmul_(d, scale[t])
            big_n.addcmul_(d, fall[t])
            torch.mul(of_c[t], big_d[:, None], out=through[t, :, :3])
            through[t, :, :2].addcmul_(of_n[t], big_n[:, None])
            torch.mul(of_o[t], d, out=through[t, :, 3])
            if m_counts:
                to_f = torch.where(log_f[t] > sums[t, :, :hidden], of_m, 0.0)
                through[t, :, 0] += of_m - to_f
                through[t, :, 1] += to_f * shut[t]
                of_m = to_f
            big_d.mul_(f[t])
            big_n.mul_(f[t])
            torch.mm(through[t].view(batch, 4 * hidden), weight, out=d)
        flat = through.view(steps * batch, 4 * hidden)
        of_weight = flat.t() @ h[:-1].reshape(steps * batch, hidden)
        return flat.view(sums.shape), of_weight, d, big_d, big_n, of_m + big_d * c[0] + big_n * n[0]


def slstm(cell: Cell, weights: Mapping[str, Tensor], a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:  # noqa: ARG001
    """The layer `slstm`: projected inputs a [T, B, gates * H] -> outputs [B, T, H] and the last state."""
    h, *beside = _Slstm.apply(a, weights["weight_hh"], *state)  # type: ignore[no-untyped-call]
    return h.transpose(0, 1), (h[-1], *beside)
