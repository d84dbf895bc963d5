"""The convolution that a linear layer is over the pixels around each one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnncli.layers import convolution as module
from rnncli.layers.convolution import convolution, grown
from rnncli.layers.linear import for_products, linear


def made(side: int, inputs: int = 3, outputs: int = 4) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(outputs, side, side, inputs))


@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("grid", [(1, 1), (2, 5), (7, 6)])
def test_numpy_says_what_torch_does(grid: tuple[int, int], stride: int, side: int) -> None:
    x, bias = np.random.default_rng(0).normal(size=(2, 3, *grid, 3)), np.arange(4.0)
    ours = convolution(x, made(side), bias, np, stride)
    theirs = convolution(*map(torch.from_numpy, (x, made(side), bias)), torch, stride)
    assert ours.shape == (2, 3, -(-grid[0] // stride), -(-grid[1] // stride), 4)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-12)


def test_each_pixel_is_a_product_with_those_around_it() -> None:
    x, weight = np.random.default_rng(0).normal(size=(4, 5, 3)), made(3)
    around = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    expected = [[np.tensordot(weight, around[i : i + 3, j : j + 3], 3) for j in range(5)] for i in range(4)]
    np.testing.assert_allclose(convolution(x, weight), expected, atol=1e-12)


def test_rows_taken_a_few_at_a_time_make_the_same_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(2, 9, 4, 3)).astype(np.float32)
    whole = convolution(x, made(3).astype(np.float32))
    monkeypatch.setattr(module, "AT_ONCE", 1)
    np.testing.assert_allclose(convolution(x, made(3).astype(np.float32)), whole, rtol=1e-5, atol=1e-6)


def test_the_bits_of_a_frame_do_not_depend_on_the_others_or_on_how_weights_lie() -> None:
    x, weight = np.random.default_rng(0).normal(size=(7, 6, 5, 3)).astype(np.float32), made(3).astype(np.float32)
    together = linear(x, weight)
    for place in range(7):
        assert np.array_equal(linear(x[place], weight), together[place])
    assert np.array_equal(linear(x, for_products(weight)), together)


def test_a_grid_grows_by_whole_pixels() -> None:
    x = np.arange(12.0).reshape(1, 2, 3, 2)
    assert np.array_equal(grown(x, 2), x.repeat(2, 1).repeat(2, 2))
    assert torch.equal(grown(torch.from_numpy(x), 3, torch), torch.from_numpy(x.repeat(3, 1).repeat(3, 2)))
    assert grown(x, 1) is x
