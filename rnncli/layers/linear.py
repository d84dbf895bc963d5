"""The matrix product, such that in NumPy a row's bits depend on that row alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.layers.convolution import convolution

Array = Any

ROWS = 8  # BLAS treats other rows of a product differently; blocks of 8 (unlike 12, 16, 32) gave one result everywhere


def linear(x: Array, weight: Array, bias: Array | None = None, xp: Any = np) -> Array:
    """x [..., K] times the transpose of weight [N, K] (PyTorch's layout), plus bias [N] -> [..., N].

    In NumPy, a row's result has the same bits however many rows there are and wherever it stands, provided that BLAS
    runs on one thread and the weight keeps its layout. Weights in Fortran order (`for_products`) are faster.

    A weight [N, k, k, K] is over the k x k pixels around each pixel of x [..., h, w, K]: a convolution.
    """
    if weight.ndim > 2:
        return convolution(x, weight, bias, xp)
    if xp is not np:
        return xp.nn.functional.linear(x, weight, bias)
    product = _row_by_row(x, weight)
    if bias is not None:
        product += bias
    return product


def for_products(weight: NDArray[Any]) -> NDArray[Any]:
    """A copy of a weight [N, ..., K] that lies in memory as its transpose [..., K, N] would, with which many products
    are fast; some processors round otherwise.
    """
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(weight, 0, -1)), -1, 0)


def _row_by_row(x: NDArray[Any], weight: NDArray[Any]) -> NDArray[Any]:
    inputs, outputs = x.shape[-1], len(weight)
    if outputs == 1:  # one column would be a matrix-vector product, another algorithm
        weight = np.concatenate([weight, np.zeros_like(weight)])
    rows = _fill_up(x.reshape(-1, inputs))
    product = np.matmul(rows.reshape(-1, ROWS, inputs), weight.T).reshape(len(rows), len(weight))
    wanted: NDArray[Any] = product[: x.size // inputs, :outputs]
    return wanted.reshape(*x.shape[:-1], outputs)


def _fill_up(rows: NDArray[Any]) -> NDArray[Any]:
    """[n, K] with zero rows added up to a multiple of ROWS, contiguous."""
    if not len(rows) % ROWS:
        return np.ascontiguousarray(rows)
    filled = np.zeros((len(rows) + -len(rows) % ROWS, rows.shape[1]), rows.dtype)
    filled[: len(rows)] = rows
    return filled
