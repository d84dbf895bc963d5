"""Scaled dot-product attention: what a query reads of values, by how well it fits their keys.

a = softmax_t(q . k_t / sqrt(d)),   r = sum_t a_t v_t      (Vaswani et al. 2017, "Attention Is All You Need", eq. 1)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.arrays import Array


def attention(query: Array, keys: Array, values: Array, seen: Array, xp: Any) -> Array:
    """What m queries read of the steps that each has `seen` [n, m, T], one at least: query [n, m, d], keys [n, T, d],
    values [n, T, V] -> [n, m, V].

    In NumPy, what is read has the same bits however many sequences there are, and however many steps that were not
    seen stand before and behind those that were.
    """
    energy = _fit(query, keys, xp) / query.shape[-1] ** 0.5
    energy = xp.where(seen, energy, -xp.inf)
    a = xp.exp(energy - xp.amax(energy, axis=-1, keepdims=True))
    a = a / xp.cumsum(a, axis=-1)[..., -1:]
    return _weighted(a, values, xp)


def _fit(query: Array, keys: Array, xp: Any) -> Array:
    """The product of each query with each key, in NumPy step after step: [n, m, T]."""
    if xp is not np:
        return xp.einsum("nmd,ntd->nmt", query, keys)
    found = np.empty((*query.shape[:2], keys.shape[1]), query.dtype)
    for t in range(keys.shape[1]):
        found[:, :, t] = (query * keys[:, None, t]).sum(axis=-1)
    return found


def _weighted(a: Array, values: Array, xp: Any) -> Array:
    """sum_t a_t v_t, likewise: a [n, m, T], values [n, T, V] -> [n, m, V]."""
    if xp is not np:
        return xp.einsum("nmt,ntv->nmv", a, values)
    total = np.zeros((*a.shape[:2], values.shape[2]), values.dtype)
    for t in range(values.shape[1]):
        total += a[:, :, t, None] * values[:, None, t]
    return total
