"""Pointwise functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rnncli.layers.activation import relu, sigmoid, softplus

X = np.linspace(-30, 30, 601)
both = pytest.mark.parametrize("xp", [np, torch], ids=["numpy", "torch"])


def run(function: Any, x: np.ndarray, xp: Any) -> np.ndarray:
    return np.asarray(function(x, np) if xp is np else function(torch.from_numpy(x), torch))


@both
def test_sigmoid_is_the_logistic_function(xp: Any) -> None:
    assert np.allclose(run(sigmoid, X, xp), 1 / (1 + np.exp(-X)), rtol=0, atol=1e-15)


@both
def test_softplus_is_the_logarithm_of_one_plus_exp(xp: Any) -> None:
    assert np.allclose(run(softplus, X, xp), np.log1p(np.exp(X)), rtol=1e-12)


@both
def test_relu_is_zero_below_zero(xp: Any) -> None:
    assert np.array_equal(run(relu, X, xp), np.maximum(X, 0))


@both
@pytest.mark.parametrize("function", [sigmoid, softplus, relu])
def test_extreme_values_give_limits_and_no_warning(function: Any, xp: Any) -> None:
    low, high = run(function, np.array([-1e30, 1e30], np.float32), xp)
    assert low == 0
    assert high == (1 if function is sigmoid else np.float32(1e30))


@both
@pytest.mark.parametrize("function", [sigmoid, softplus, relu])
def test_float32_stays_float32(function: Any, xp: Any) -> None:
    assert run(function, X.astype(np.float32), xp).dtype == np.float32


@pytest.mark.parametrize("function", [sigmoid, softplus, relu])
def test_gradients_at_extremes_are_finite(function: Any) -> None:
    x = torch.tensor([-1e30, -100.0, 0.0, 100.0, 1e30], requires_grad=True)
    function(x, torch).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
