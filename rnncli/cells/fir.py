"""Finite impulse response: a causal convolution over the last steps, as in time-delay networks (Waibel et al. 1989).

Stacked and dilated it is a temporal convolutional network (Bai, Kolter & Koltun 2018, arXiv:1803.01271).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.cells.cell import SQUASHED, Array, Cell, Gates, State, split_gates
from rnncli.errors import UsageError
from rnncli.layers.activation import ACTIVATIONS

TAPS, MOST_TAPS = 8, 1024


def fir(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
    """With w_0 ... w_k the parts of W_ih, k = 7 unless said, and f tanh or ReLU:

    h_t = f(w_0 x_t + w_1 x_{t-1} + ... + w_k x_{t-k} + b)

    What x_t adds to later steps waits in the state: p_j is the sum so far of what is due in j steps.
    """
    _, *due = state
    taps = split_gates(a, due[0].shape[-1])
    f = ACTIVATIONS[activation]
    h = f(due[0] + taps[0] + weights["bias_o"], xp)
    later = tuple(waiting + tap for waiting, tap in zip(due[1:], taps[1:-1], strict=True))
    return (h, *later, taps[-1]), {}


def over(steps: int, name: str = "") -> Cell:
    """The convolution over the last `steps` steps, 8 where no number is given: nothing before them is seen."""
    if not 2 <= steps <= MOST_TAPS:
        raise UsageError(f"fir reaches over 2 to {MOST_TAPS:,} steps, not {steps}", hint="for example fir:24")
    return Cell(
        name or f"fir:{steps}",
        gate_names=tuple(f"x{lag}" for lag in range(steps)),
        state_names=("h", *(f"p{due}" for due in range(1, steps))),
        advance=fir,
        vectors=("bias_o",),
        recurrent=False,
        biased=False,
        activations=SQUASHED,
        added=True,
        said=1,
    )


CELL = over(TAPS, "fir")
