"""The encoder: truncated backpropagation through time, stacks of different cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cells_of
from rnncli.layers.norm import norm_shapes
from rnncli.nn.network import encode
from rnncli.spec import NetworkSpec

STEPS, INPUTS, HIDDEN = 23, 3, 4
NAMES = ["lstm", "gru", "lstm,dilated:3:gru", "mingru,lru", "dilated:2:fir,slstm"]


def network(cell: str, *, layer_norm: bool = False) -> tuple[NetworkSpec, dict[str, Tensor], Tensor]:
    generator = torch.Generator().manual_seed(0)
    spec = NetworkSpec(cell, "tanh", 2, HIDDEN, 0.0, True, "orthogonal", INPUTS, 1, 1, layer_norm=layer_norm)
    weights = {}
    for index, one in enumerate(cells_of(cell, 2)):
        shapes = one.shapes(HIDDEN if index else INPUTS, HIDDEN) | (norm_shapes(HIDDEN) if layer_norm else {})
        weights |= {
            f"layer{index}.{key}": 0.4 * torch.randn(shape, generator=generator, dtype=torch.float64)
            for key, shape in shapes.items()
        }
    return spec, weights, torch.randn(2, STEPS, INPUTS, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("cell", NAMES)
def test_the_state_is_carried_on_where_gradients_are_truncated(cell: str) -> None:
    spec, weights, x = network(cell, layer_norm=True)
    assert torch.allclose(encode(weights, spec, x, tbptt=5), encode(weights, spec, x), atol=1e-12)


@pytest.mark.parametrize("cell", NAMES)
def test_gradients_go_back_through_a_stretch_and_no_further(cell: str) -> None:
    spec, weights, x = network(cell)
    whole, truncated = (
        torch.autograd.grad(encode(weights, spec, leaf, tbptt=k)[:, -1].sum(), leaf)[0].abs().amax(dim=(0, 2))
        for k, leaf in ((None, x.clone().requires_grad_()), (10, x.clone().requires_grad_()))
    )
    assert (whole[:20] > 0).any()
    assert not truncated[:20].any()  # the last of stretches of ten begins at step 20
    assert torch.allclose(truncated[20:], whole[20:], atol=1e-12)
