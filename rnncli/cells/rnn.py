"""Elman's recurrent network (Elman 1990, "Finding Structure in Time", Cognitive Science 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import SQUASHED, Array, Cell, Gates, State
from rnncli.layers.activation import ACTIVATIONS
from rnncli.layers.linear import linear


def rnn(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With a = W_ih x_t + b, and f tanh or ReLU (or linear, whose gradients are known exactly):

    h_t = f(a + W_hh h_{t-1})
    """
    (h,) = state
    f = ACTIVATIONS[activation]
    h = f(a + linear(h, weights["weight_hh"], xp=xp), xp)
    return (h,), {}


CELL = Cell("rnn", gate_names=("h",), state_names=("h",), advance=rnn, activations=SQUASHED)
