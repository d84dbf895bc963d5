"""Linear recurrent unit (Orvieto et al. 2023, "Resurrecting Recurrent Neural Networks for Long Sequences")."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import sigmoid
from rnncli.layers.linear import linear

MEMORY = 100.0  # steps of the slowest unit, where nobody says how many
SHORTEST = 2.0
LARGEST_PHASE = math.pi  # beyond are the conjugates, whose real parts are the same


def lru(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With u, v, s the three parts of a = W_ih x_t + b, and lambda = exp(-exp(nu) + i exp(theta)), diagonal:

    z_t = lambda * z_{t-1} + exp(gamma) * (u + i v)
    y_t = Re[(C_re + i C_im) z_t] + s
    h_t = y_t * sigmoid(W_g y_t + b_g)

    The last line is the gated linear unit of the paper's block; the recurrence itself is linear.
    """
    _, re, im = state
    u, v, s = split_gates(a, re.shape[-1])
    cos, sin = eigenvalues(weights, xp)
    gamma = xp.exp(weights["gamma"])
    re, im = cos * re - sin * im + gamma * u, sin * re + cos * im + gamma * v
    h, gate = lru_output(weights, re, im, s, xp)
    return (h, re, im), {"g": gate}


def eigenvalues(weights: Mapping[str, Array], xp: Any) -> tuple[Array, Array]:
    """Real and imaginary part of lambda: [H] each."""
    radius, phase = xp.exp(-xp.exp(weights["nu"])), xp.exp(weights["theta"])
    return radius * xp.cos(phase), radius * xp.sin(phase)


def lru_output(weights: Mapping[str, Array], re: Array, im: Array, s: Array, xp: Any) -> tuple[Array, Array]:
    """h and its gate from z [..., H] and what passes it by."""
    y = linear(re, weights["weight_re"], xp=xp) - linear(im, weights["weight_im"], xp=xp) + s
    gate = sigmoid(linear(y, weights["weight_g"], weights["bias_g"], xp), xp)
    return y * gate, gate


def begin(weights: Mapping[str, Array], draws: Array, memory: float | None) -> dict[str, Array]:
    """Eigenvalues, and gamma that keeps the state's variance at that of the input (section 3.4 of the paper).

    Where nobody says how long a memory must be, they are uniform on a disc (section 3.2). For a memory of T steps units
    forget over 1 to T of them, as the gates of other cells under chrono, and turn once in 2 to 2 T, as many of them
    in each octave: the paper's ring and small phases for long sequences. On the disc nearly all have forgotten after
    ten steps, and none stands still.
    """
    inside = np.clip(draws, 1e-6, 1 - 1e-6)
    if memory is None:
        radius, phase = math.exp(-1 / MEMORY) * np.sqrt(inside[0]), LARGEST_PHASE * inside[1]
    else:
        longest = max(memory, SHORTEST)
        radius, phase = np.exp(-1 / (1 + (longest - 1) * inside[0])), LARGEST_PHASE * longest ** (inside[1] - 1)
    gamma = np.log(np.sqrt(1 - radius**2))
    return {"nu": np.log(-np.log(radius)), "theta": np.log(phase), "gamma": gamma}


CELL = Cell(
    "lru",
    gate_names=("u", "v", "s"),
    state_names=("h", "re", "im"),
    advance=lru,
    vectors=("nu", "theta", "gamma", "bias_g"),
    matrices=("weight_re", "weight_im", "weight_g"),
    recurrent=False,
    begin=begin,
    said=1,
)
