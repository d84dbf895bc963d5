"""The matrix product whose rows do not know of each other."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from rnncli.layers.linear import for_products, linear

SIZES = [(1, 1), (1, 9), (3, 2), (8, 1), (37, 1), (37, 120), (64, 192), (64, 256), (100, 1), (100, 256), (200, 33)]


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, for_products])
@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
def test_a_row_has_the_same_bits_among_any_rows(inputs: int, outputs: int, layout: Any) -> None:
    weight, row = layout(numbers(outputs, inputs)), numbers(inputs, seed=1)
    alone = linear(row, weight)
    for rows in (1, 2, 3, 5, 7, 8, 9, 12, 16, 31, 33, 64, 100, 257):
        company = numbers(rows, inputs, seed=2)
        for position in {0, 1 % rows, 3 % rows, 6 % rows, rows // 2, rows - 1}:
            placed = company.copy()
            placed[position] = row
            assert np.array_equal(linear(placed, weight)[position], alone)


@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
def test_the_layout_of_a_weight_changes_no_more_than_rounding(inputs: int, outputs: int) -> None:
    weight, x = numbers(outputs, inputs), numbers(50, inputs, seed=1)
    assert np.allclose(linear(x, weight), linear(x, for_products(weight)), atol=1e-5 * inputs)


def test_a_weight_without_rows_gives_outputs_without_columns() -> None:
    assert linear(numbers(5, 3), numbers(0, 3)).shape == (5, 0)


def test_the_layout_of_the_rows_changes_no_bit() -> None:
    weight, x = numbers(20, 12), numbers(6, 16, 12, seed=1)
    time_first = np.ascontiguousarray(x.swapaxes(0, 1))
    assert np.array_equal(linear(x.swapaxes(0, 1), weight), linear(time_first, weight))


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (2, 3, 5, 4), (0, 4), (2, 0, 4)])
def test_any_leading_axes_are_kept(shape: tuple[int, ...]) -> None:
    x, weight, bias = numbers(*shape), numbers(7, 4, seed=1), numbers(7, seed=2)
    result = linear(x, weight, bias)
    assert result.shape == (*shape[:-1], 7)
    assert np.allclose(result, x @ weight.T + bias, atol=1e-5)


def test_torch_gives_the_same_numbers() -> None:
    arrays = numbers(3, 5, 4), numbers(7, 4, seed=1), numbers(7, seed=2)
    x, weight, bias = (torch.from_numpy(array) for array in arrays)
    assert np.allclose(linear(*arrays), linear(x, weight, bias, torch).numpy(), atol=1e-6)


def test_neither_the_rows_nor_the_bias_are_changed() -> None:
    x, weight, bias = numbers(8, 4), numbers(7, 4, seed=1), numbers(7, seed=2)
    copies = x.copy(), weight.copy(), bias.copy()
    linear(x, weight, bias)
    assert all(np.array_equal(a, b) for a, b in zip((x, weight, bias), copies, strict=True))


def test_precision_is_that_of_the_input() -> None:
    for dtype, bias in itertools.product((np.float32, np.float64), (True, False)):
        x, weight = numbers(3, 4).astype(dtype), numbers(7, 4).astype(dtype)
        assert linear(x, weight, weight[:, 0] if bias else None).dtype == dtype
