"""The encoder: truncated backpropagation through time, stacks of different cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cells_of
from rnncli.layers.norm import norm_shapes
from rnncli.nn.network import encode, state_shapes
from rnncli.spec import NetworkSpec

STEPS, INPUTS, HIDDEN = 23, 3, 4
NAMES = ["lstm", "gru", "lstm,dilated:3:gru", "mingru,lru", "dilated:2:fir,slstm"]


def network(cell: str, *, layer_norm: bool = False) -> tuple[NetworkSpec, dict[str, Tensor], Tensor]:
    generator = torch.Generator().manual_seed(0)
    spec = NetworkSpec(cell, "tanh", 2, HIDDEN, 0.0, True, "orthogonal", INPUTS, layer_norm=layer_norm)
    weights = {}
    for index, one in enumerate(cells_of(cell, 2)):
        shapes = one.shapes(HIDDEN if index else INPUTS, HIDDEN) | (norm_shapes(HIDDEN) if layer_norm else {})
        weights |= {
            f"layer{index}.{key}": 0.4 * torch.randn(shape, generator=generator, dtype=torch.float64)
            for key, shape in shapes.items()
        }
    return spec, weights, torch.randn(2, STEPS, INPUTS, generator=generator, dtype=torch.float64)


def in_stretches(
    spec: NetworkSpec, weights: dict[str, Tensor], x: Tensor, rows: int, fresh_at: int | None = None
) -> Tensor:
    """Stretch after stretch, the state carried on; the last row of the batch begins anew in one of them."""
    carried: dict[str, Tensor] = {}
    fresh = torch.zeros(len(x), dtype=torch.bool)
    outputs = []
    for number, stretch in enumerate(torch.split(x, rows, dim=1)):
        fresh[-1] = number == fresh_at
        outputs.append(encode(weights, spec, stretch, None, carried, fresh))
    assert {name: tuple(part.shape) for name, part in carried.items()} == state_shapes(spec, len(x))
    return torch.cat(outputs, dim=1)


@pytest.mark.parametrize("cell", NAMES)
def test_a_state_that_is_carried_on_gives_what_the_whole_sequence_does(cell: str) -> None:
    spec, weights, x = network(cell, layer_norm=True)
    assert torch.allclose(in_stretches(spec, weights, x, 5), encode(weights, spec, x), atol=1e-12)


@pytest.mark.parametrize("cell", NAMES)
def test_a_row_that_is_fresh_forgets_what_was_carried_and_no_other_does(cell: str) -> None:
    spec, weights, x = network(cell)
    found, whole = in_stretches(spec, weights, x, 5, fresh_at=2), encode(weights, spec, x)
    assert torch.allclose(found[0], whole[0], atol=1e-12)
    assert torch.allclose(found[1, 10:], encode(weights, spec, x[1:, 10:])[0], atol=1e-12)


@pytest.mark.parametrize("cell", NAMES)
def test_gradients_go_back_through_a_stretch_and_no_further(cell: str) -> None:
    spec, weights, x = network(cell)
    leaf = x.clone().requires_grad_()
    truncated = torch.autograd.grad(in_stretches(spec, weights, leaf, 10)[:, -1].sum(), leaf)[0].abs().amax(dim=(0, 2))
    whole = torch.autograd.grad(encode(weights, spec, leaf)[:, -1].sum(), leaf)[0].abs().amax(dim=(0, 2))
    assert (whole[:20] > 0).any()
    assert not truncated[:20].any()  # the last of stretches of ten begins at step 20
    assert torch.allclose(truncated[20:], whole[20:], atol=1e-12)
