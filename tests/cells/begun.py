"""Cells as training begins them, and what an input changes later on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.nn.initialise import initialise
from rnncli.nn.recurrent import fused

INPUTS, HIDDEN = 3, 8
QUERIED = ("mlstm", "mamba")  # by the present input, so that they answer nothing where it is 0


def begun(cell: Cell, init: str = "orthogonal", hidden: int = HIDDEN) -> dict[str, Tensor]:
    weights = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in cell.shapes(INPUTS, hidden).items()}
    initialise(cell, weights, init, torch.Generator().manual_seed(0))
    return weights


def inputs(*shape: int) -> Tensor:
    return torch.randn(*shape, INPUTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def response(cell: Cell, weights: dict[str, Tensor], steps: int) -> Any:
    """What an impulse at step 0 changes at each later step: [steps]."""
    x = torch.zeros(2, steps, INPUTS, dtype=torch.float64)
    x[1, 0] = 1
    outputs, _ = fused(cell, weights, x)
    return (outputs[1] - outputs[0]).abs().amax(dim=1).numpy()


def reached(cell: Cell, weights: dict[str, Tensor], steps: int) -> Any:
    """The norm of the last output's gradient for the input at each lag: [steps]."""
    x = inputs(1, steps).requires_grad_()
    (gradient,) = torch.autograd.grad(fused(cell, weights, x)[0][:, -1].sum(), x)
    return gradient[0].norm(dim=1).flip(0).numpy()
