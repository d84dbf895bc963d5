"""A layer of the LSTM's variants, with peepholes, coupled gates or both, with its own backward pass.

With d_t = dL/dh_t, D that for c_t, and the gates i, f, g, o after their sigmoids and tanh, what goes back through step
t is, for the sums s that enter them,

    dL/ds_o = d_t * tanh(c_t) o (1 - o)
    D      += d_t * o (1 - tanh(c_t)^2) + p_o * dL/ds_o
    dL/ds_i = D g i (1 - i)
    dL/ds_f = D c_{t-1} f (1 - f), or D (c_{t-1} - g) f (1 - f) where the gates are coupled and i = 1 - f
    dL/ds_g = D i (1 - g^2)
    D      <- D f + p_i * dL/ds_i + p_f * dL/ds_f
    d_{t-1} = W_hh^T dL/ds

The gradient of W_hh is one product over all steps, and those of the peepholes are one sum. On a grid the pixels of all
sequences stand side by side as rows B, and products with W_hh are convolutions; nothing else sees that there is a grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.cells.cell import Cell, State
from rnncli.nn.around import Grid, around, back_from, of_kernel

PEEPHOLES = ("peephole_i", "peephole_f", "peephole_o")
sigmoid_back = torch.ops.aten.sigmoid_backward.grad_input  # x o (1 - o)
tanh_back = torch.ops.aten.tanh_backward.grad_input  # x (1 - g^2)


class _Lstm(Function):
    """a [T, B, G H], weight_hh [G H, H], h_0 and c_0 [B, H] and the peepholes p [G - 1, H] of i, f and o (of f and o
    where the gates are coupled and G is 3), or none -> h [T, B, H] and the last c [B, H]. With a `grid` of rows and
    columns B is all pixels of all sequences, and weight_hh [G H, k, k, H].
    """

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, weight: Tensor, h0: Tensor, c0: Tensor, p: Tensor | None, grid: Grid
    ) -> tuple[Tensor, Tensor]:
        steps, (batch, hidden) = len(a), h0.shape
        h, c = (torch.empty(steps + 1, batch, hidden, dtype=a.dtype, device=a.device) for _ in range(2))
        gates, squashed = torch.empty_like(a), torch.empty_like(h[1:])
        across = weight.t() if grid is None else weight
        seen = a.shape[2] // hidden - 2  # gates that see the memory before the step: i and f, or f
        h[0], c[0] = h0, c0
        for t in range(steps):
            if grid is None:
                s = torch.addmm(a[t], h[t], across, out=gates[t])
            else:
                s = torch.add(a[t], around(h[t], weight, grid), out=gates[t])
            before, g, o = s[:, : seen * hidden], s[:, seen * hidden : -hidden], s[:, -hidden:]
            if p is not None:
                before.view(batch, seen, hidden).addcmul_(p[:-1], c[t][:, None])
            before.sigmoid_()
            g.tanh_()
            f = before[:, -hidden:]
            if seen == 1:
                torch.lerp(g, c[t], f, out=c[t + 1])
            else:
                torch.mul(f, c[t], out=c[t + 1]).addcmul_(before[:, :hidden], g)
            if p is not None:
                o.addcmul_(p[-1], c[t + 1])
            torch.tanh(c[t + 1], out=squashed[t])
            torch.mul(o.sigmoid_(), squashed[t], out=h[t + 1])
        ctx.save_for_backward(weight, h, c, gates, squashed, p)
        ctx.grid = grid
        return h[1:], c[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        weight, h, c, gates, squashed, p = ctx.saved_tensors
        steps, batch, hidden = squashed.shape
        seen = gates.shape[2] // hidden - 2  # gates that see the memory before the step: i and f, or f
        through = torch.empty(steps, batch, seen + 2, hidden, dtype=h.dtype, device=h.device)
        d, big_d, part = torch.zeros_like(h[0]), gradients[1].clone(), torch.empty_like(h[0])
        for t in range(steps - 1, -1, -1):  # small tensors, which stay in the processor's cache
            *i_and_f, g, o = gates[t].split(hidden, dim=1)
            *of_i, of_f, of_g, of_o = through[t].unbind(dim=1)
            f, away = i_and_f[-1], c[t] if seen > 1 else c[t] - g
            d.add_(gradients[0][t])
            sigmoid_back(torch.mul(d, squashed[t], out=part), o, grad_input=of_o)
            big_d.add_(tanh_back(torch.mul(d, o, out=part), squashed[t], grad_input=part))
            if p is not None:
                big_d.addcmul_(p[-1], of_o)
            if seen > 1:
                sigmoid_back(torch.mul(big_d, g, out=part), i_and_f[0], grad_input=of_i[0])
            sigmoid_back(torch.mul(big_d, away, out=part), f, grad_input=of_f)
            tanh_back(torch.mul(big_d, i_and_f[0] if seen > 1 else 1 - f, out=part), g, grad_input=of_g)
            big_d.mul_(f)
            if p is not None:
                for peephole, of in zip(p[:-1], (*of_i, of_f), strict=True):
                    big_d.addcmul_(peephole, of)
            if ctx.grid is None:
                torch.mm(through[t].view(batch, -1), weight, out=d)
            else:
                d = back_from(through[t].view(batch, -1), weight, ctx.grid)
        flat, before = through.view(steps * batch, -1), h[:-1].reshape(steps * batch, hidden)
        of_weight = flat.t() @ before if ctx.grid is None else of_kernel(flat, before, weight, ctx.grid)
        of_p = None
        if p is not None:
            inwards = (through[:, :, :-2] * c[:-1, :, None]).sum(dim=(0, 1))
            of_p = torch.cat([inwards, (through[:, :, -1] * c[1:]).sum(dim=(0, 1))[None]])
        return flat.view(gates.shape), of_weight, d, big_d, of_p, None


def lstm(cell: Cell, weights: Mapping[str, Tensor], a: Tensor, state: State, activation: str) -> tuple[Tensor, State]:  # noqa: ARG001
    """The layer of a variant: projected inputs a [T, B, gates * H] -> outputs [B, T, H] and the last state; or, of a
    convolved one, a [T, B, h, w, gates * H] and so on.
    """
    steps, *shape = a.shape[:-1]
    rows = (part.reshape(-1, part.shape[-1]) for part in state)
    seeing = [weights[name] for name in PEEPHOLES if name in cell.vectors]
    peepholes, grid = torch.stack(seeing) if seeing else None, None if cell.kernel is None else (shape[1], shape[2])
    h, c = _Lstm.apply(a.reshape(steps, -1, a.shape[-1]), weights["weight_hh"], *rows, peepholes, grid)  # type: ignore[no-untyped-call]
    h = h.view(steps, *shape, -1)
    return h.transpose(0, 1), (h[-1], c.view(*shape, -1))
