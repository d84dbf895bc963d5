"""Inputs as rows of a table."""

from __future__ import annotations

import pytest
import torch

from rnncli.cells.named import cell_named
from rnncli.layers.rows import Rows
from rnncli.nn.recurrent import fused
from rnncli.registry import CELLS

NAMES = (*CELLS, "dilated:2:lstm")


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_a_table_are_the_inputs_that_they_stand_for_and_so_are_their_gradients(name: str) -> None:
    cell, generator = cell_named(name), torch.Generator().manual_seed(0)
    shapes = cell.shapes(3, 4) | {"table": (5, 3)}
    leaves = {key: (0.3 * torch.randn(shape, generator=generator)).double() for key, shape in shapes.items()}
    rows = Rows(leaves["table"], torch.randint(0, 5, (2, 7), generator=generator))

    def outputs_and_gradients(dense: bool) -> list[torch.Tensor]:
        own = {key: leaf.clone().requires_grad_() for key, leaf in leaves.items()}
        x = Rows(own["table"], rows.codes)
        outputs, _ = fused(cell, own, x.dense(torch) if dense else x)
        torch.autograd.backward(outputs.square().sum())
        return [outputs, *(torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in own.values())]

    for one, other in zip(outputs_and_gradients(dense=True), outputs_and_gradients(dense=False), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
