"""Jacobians of cells on a grid, whose state is too large for a matrix: by products with vectors alone.

An exponent follows from powers of the transposed Jacobians, J_1^T ... J_T^T v, which grow as fast as J_T ... J_1 v does
(Oseledets 1968): each is one backward pass.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.diagnostics.profile import SMALLEST
from rnncli.diagnostics.unrolling import LayerPath

POINTS = 8  # of data and time, at which units' own slopes are looked at


def largest_exponent(path: LayerPath, activation: str, aligning: float) -> Tensor:
    """The largest Lyapunov exponent per step of every row of the path, [B]; a share of the steps passes before it is
    counted, while the direction turns into place.
    """
    steps, rows = len(path.states) - 1, path.states.shape[2]
    generator = torch.Generator().manual_seed(0)
    direction = _unit(torch.randn(path.states[0].shape, dtype=torch.float64, generator=generator))[0]
    total, counted = torch.zeros(rows, dtype=torch.float64), 0
    for passed, t in enumerate(reversed(range(steps))):
        direction, size = _unit(
            _back(path.cell, path.weights, path.projected[:, t], path.states[t], direction, activation)
        )
        if passed >= int(aligning * steps):
            total, counted = total + size.clamp(min=SMALLEST).log(), counted + 1
    return total / max(1, counted) / path.dilation


def _back(
    cell: Cell, weights: Mapping[str, Tensor], a: Tensor, before: Tensor, direction: Tensor, activation: str
) -> Tensor:
    """J^T times a direction [states, n, h, w, H], for the Jacobian J of the step from the state `before`."""
    held = {name: weight.detach() for name, weight in weights.items()}
    leaf = before.detach().requires_grad_()
    with torch.enable_grad():
        after = torch.stack(cell.advance(held, a.detach(), tuple(leaf), torch, activation)[0])
    (found,) = torch.autograd.grad(after, leaf, direction, allow_unused=True, materialize_grads=True)
    return found


def _unit(directions: Tensor) -> tuple[Tensor, Tensor]:
    """Directions [states, n, h, w, H] of length 1, and the lengths [n] that they had."""
    size = directions.transpose(0, 1).flatten(1).norm(dim=1)
    return directions / size.clamp(min=SMALLEST).reshape(1, -1, 1, 1, 1), size


def own_slopes(path: LayerPath, activation: str) -> Tensor:
    """The slope of each number of the state to itself one step before, at some points and pixels: [points, S] with
    S = states * H. Pixels are so far apart that none sees another: one backward pass tells of them all.
    """
    a, states = path.points()
    chosen = torch.linspace(0, len(a) - 1, min(POINTS, len(a))).long()
    a, states = a[chosen], states[:, chosen]
    kernel, (parts, _, _, _, hidden) = path.cell.kernel, states.shape
    apart = 1 if kernel is None else kernel.state
    found = []
    for part in range(parts):
        for unit in range(hidden):
            direction = torch.zeros_like(states)
            direction[part, :, ::apart, ::apart, unit] = 1
            back = _back(path.cell, path.weights, a, states, direction, activation)
            found.append(back[part, :, ::apart, ::apart, unit].flatten())
    return torch.stack(found, dim=1)
