"""Vectors that units share, of which a layer's width holds one a group: keys of a matrix memory, B and C of an S6."""

from __future__ import annotations

from typing import Any

from rnncli.cells.cell import Array

FARTHEST = 1e6  # products of five such numbers are finite in float32; normalised data come nowhere near


def shared(x: Array, size: int, xp: Any) -> tuple[Array, ...]:
    """The `size` components, for every unit, of its group's vector: x [..., H] -> `size` arrays [..., H].

    There are G = ceil(H / size) groups. Unit u is of group u mod G, and component j of group g stands at x[j G + g];
    where H is no multiple of `size`, components that are left out are 0.
    """
    hidden = x.shape[-1]
    groups = -(-hidden // size)
    left_out = groups * size - hidden
    whole = xp.concatenate([x, *[0 * x[..., :1]] * left_out], -1) if left_out else x
    components = (whole[..., start : start + groups] for start in range(0, groups * size, groups))
    return tuple(xp.concatenate([component] * size, -1)[..., :hidden] for component in components)


def bounded(a: Array, xp: Any) -> Array:
    """a, no farther out than +-1e6: a cell that multiplies inputs by each other then cannot overflow."""
    return xp.maximum(xp.minimum(a, xp.zeros_like(a) + FARTHEST), xp.zeros_like(a) - FARTHEST)
