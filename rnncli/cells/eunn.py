"""Orthogonal recurrence by rotations of pairs (Jing et al. 2017, "Tunable Efficient Unitary Neural Networks",
arXiv:1612.05231, whose unitary matrices are taken real).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import SQUASHED, Array, Cell, Gates, State
from rnncli.layers.activation import ACTIVATIONS

ANGLES = ("angle_1", "angle_2", "angle_3", "angle_4")


def eunn(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, f tanh or ReLU, and Q = F_4 F_3 F_2 F_1, where each F turns units 1 and 2, 3 and 4, ... as
    pairs in their plane and then puts the first of each pair before all second ones, as a Fourier transform does:

    h_t = f(a + Q h_{t-1})

    Q is orthogonal whatever its angles are, and training keeps it so.
    """
    (h,) = state
    f = ACTIVATIONS[activation]
    for name in ANGLES:
        h = turned(h, weights[name], xp)
    return (f(a + h, xp),), {}


def turned(h: Array, angles: Array, xp: Any) -> Array:
    """h [..., H] with two units after two turned by the first angle of theirs, the first ones of all pairs before the
    second ones; a unit without another one stays.
    """
    end = h.shape[-1] // 2 * 2
    x, y, angle = h[..., 0:end:2], h[..., 1:end:2], angles[0:end:2]
    cos, sin = xp.cos(angle), xp.sin(angle)
    return xp.concatenate((cos * x - sin * y, sin * x + cos * y, h[..., end:]), -1)


def begin(weights: Mapping[str, Array], draws: Array, memory: float | None) -> dict[str, Array]:
    """Angles from all around, in an order of its own for each of the four."""
    return {name: math.pi * (2 * np.roll(draws[place % 2], place) - 1) for place, name in enumerate(ANGLES)}


CELL = Cell(
    "eunn",
    gate_names=("h",),
    state_names=("h",),
    advance=eunn,
    vectors=ANGLES,
    recurrent=False,
    activations=SQUASHED,
    begin=begin,
)
