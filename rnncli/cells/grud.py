"""GRU-D for values that are missing, or far apart (Che et al. 2016, "Recurrent Neural Networks for Multivariate Time
Series with Missing Values", arXiv:1606.01865, section 2.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnncli.cells.cell import Array, Cell, Gates, State, split_gates
from rnncli.layers.activation import relu, sigmoid
from rnncli.layers.linear import linear

ASKS = ("last", "observed", "gap")
SHORTEST = 2.0
USUAL = 12.0  # steps of a gap after which a state has faded, where nobody says how many
FADING = 0.1  # of a value a step, to begin with


def grud(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With the last value y, m = 1 where it was observed at this step, and delta steps since one was before it:

    gamma_x = exp(-max(0, decay_x delta + bias_x))
    gamma_h = exp(-max(0, decay_h * delta + bias_h))
    y' = m y + (1 - m) gamma_x y
    h' = gamma_h * h_{t-1}

    and r, z, n the parts of a = W_ih [x, y', m, gamma_x] + b, U_r, U_z, U_n those of W_hh:

    r = sigmoid(r + U_r h')
    z = sigmoid(z + U_z h')
    n = tanh(n + U_n (r * h'))
    h_t = (1 - z) * h' + z * n

    A value that is missing goes from the last one to the mean, which is 0 here. Gates see gamma_x besides.
    """
    (h,) = state
    hidden = h.shape[-1]
    r, z, n, gap = split_gates(a, hidden)
    h = decay(weights["decay_h"] * gap + weights["bias_h"], xp) * h
    across = weights["weight_hh"]
    r = sigmoid(r + linear(h, across[:hidden], xp=xp), xp)
    z = sigmoid(z + linear(h, across[hidden : 2 * hidden], xp=xp), xp)
    n = xp.tanh(n + linear(r * h, across[2 * hidden :], xp=xp))
    h = (1 - z) * h + z * n
    return (h,), {"r": r, "z": z}


def decay(rate: Array, xp: Any) -> Array:
    """exp(-max(0, rate)), equations 10 of the paper."""
    return xp.exp(-relu(rate, xp))


def prepared(weights: Mapping[str, Array], x: Array, xp: Any) -> tuple[Array, Array]:
    """x [..., I], which ends in the last value, whether it was observed, and the gap -> what is multiplied by W_ih,
    [..., I], and the gap [..., 1].
    """
    first, observed, gap = x[..., -3:-2], x[..., -2:-1], x[..., -1:]
    kept = decay(weights["decay_x"] * gap + weights["bias_x"], xp)
    value = xp.where(observed > 0, first, kept * first)
    return xp.concatenate([x[..., :-3], value, observed, kept], -1), gap


def begin(weights: Mapping[str, Array], draws: Array, memory: float | None) -> dict[str, Array]:
    """Nothing fades between neighbours: decays of the state begin at gaps of more than one step, and units fade by e
    over 1 to T of these for a memory of T steps.
    """
    rate = 1 / (1 + (max(memory or USUAL, SHORTEST) - 1) * draws[0])
    one = np.ones(1)
    return {"decay_h": rate, "bias_h": -rate, "decay_x": FADING * one, "bias_x": -FADING * one}


CELL = Cell(
    "grud",
    gate_names=("r", "z", "n"),
    state_names=("h",),
    advance=grud,
    vectors=("decay_h", "bias_h"),
    scalars=("decay_x", "bias_x"),
    input_gate=1,
    begin=begin,
    asks=ASKS,
    prepared=prepared,
)
