"""Selective state space, S6, of Mamba (Gu & Dao 2023, arXiv:2312.00752, algorithm 2): a linear recurrence whose steps,
inputs and outputs the input chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.cells.shared import shared
from rnncli.layers.activation import sigmoid, softplus

STATES = 8  # of a channel
RATES = tuple(f"log_a{n}" for n in range(1, STATES + 1))
SHORTEST, LONGEST = 0.001, 0.1  # of the steps Delta at the beginning (section 3.6)


def mamba(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With x, dt, B, C, z the five parts of a = W_ih x_t + b, A_n = -exp(log_a_n), and N = 8 states n a channel:

    Delta = softplus(dt)
    h_t = exp(Delta A) h_{t-1} + (exp(Delta A) - 1) / A * tanh(B) x
    y_t = (tanh(C) h_t + D x) * sigmoid(z)

    What h takes in is the zero-order hold of equation 4, whose first order in Delta the paper's code has. Channels u,
    u + H/N, u + 2 H/N ... share B and C, each of N numbers. The paper has B, C and z sigmoid(z) without a bound, behind
    a norm in each block; here outputs grow as x does, so that layers can stand on each other. The convolution before it
    can be a layer of its own (`fir:4`).
    """
    _, *h = state
    x, dt, b, c, z = split_gates(a, h[0].shape[-1])
    delta = softplus(dt, xp)
    rates = [xp.exp(weights[rate]) for rate in RATES]
    kept = [xp.exp(-delta * rate) for rate in rates]
    into = shared(xp.tanh(b), STATES, xp)
    h = [
        keep * before + (1 - keep) / rate * gate * x
        for keep, before, rate, gate in zip(kept, h, rates, into, strict=True)
    ]
    y, gate = selected(weights, h, (x, c, z), xp)
    return (y, *h), {"dt": 1 - kept[0], "z": gate}


def selected(
    weights: Mapping[str, Array], h: Any, projected: tuple[Array, Array, Array], xp: Any
) -> tuple[Array, Array]:
    """y and its gate from the states h, each [..., H], and the inputs' x, C and z."""
    x, c, z = projected
    out = shared(xp.tanh(c), STATES, xp)
    found = sum(gate * part for gate, part in zip(out, h, strict=True)) + weights["skip"] * x
    gate = sigmoid(z, xp)
    return found * gate, gate


def begin(weights: Mapping[str, Array], draws: Array, memory: float | None) -> dict[str, Array]:
    """A_n = -n (section 3.6), D = 1. Where nobody says how long a memory must be, Delta is from 0.001 to 0.1, as many
    in each octave; else gates begin as under chrono, which the first state follows.
    """
    hidden = draws.shape[1]
    found = {rate: np.full(hidden, np.log(n)) for n, rate in enumerate(RATES, start=1)} | {"skip": np.ones(hidden)}
    if memory is None:
        delta = SHORTEST * (LONGEST / SHORTEST) ** draws[0]
        bias = np.array(weights["bias"].tolist())
        bias[hidden : 2 * hidden] = np.log(np.expm1(delta))
        found["bias"] = bias
    return found


CELL = Cell(
    "mamba",
    gate_names=("x", "dt", "B", "C", "z"),
    state_names=("y", *(f"h{n}" for n in range(1, STATES + 1))),
    advance=mamba,
    vectors=(*RATES, "skip"),
    recurrent=False,
    input_gate=1,
    begin=begin,
    said=1,
)
