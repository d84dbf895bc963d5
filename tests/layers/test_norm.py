"""Layer normalisation."""

from __future__ import annotations

import numpy as np
import torch

from rnncli.layers.norm import layer_norm, norm_shapes


def test_it_equals_that_of_pytorch() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(shape, generator=generator) for name, shape in norm_shapes(6).items()}
    x = 3 + torch.randn(2, 5, 6, generator=generator)
    expected = torch.nn.functional.layer_norm(x, (6,), *weights.values())
    assert torch.allclose(layer_norm(x, weights), expected, atol=1e-5)
    ours = layer_norm(x.numpy(), {name: weight.numpy() for name, weight in weights.items()})
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_a_layer_without_its_weights_is_left_as_it_is() -> None:
    x = np.ones((1, 2, 3))
    assert layer_norm(x, {}) is x


def test_a_step_has_the_same_bits_in_any_company() -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((40, 7, 33), np.float32)
    weights = {name: random.standard_normal(shape, np.float32) for name, shape in norm_shapes(33).items()}
    whole = layer_norm(x, weights)
    for row in (0, 9, 39):
        assert layer_norm(x[[row], 3:], weights)[0].tobytes() == whole[row, 3:].tobytes()
