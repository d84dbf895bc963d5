"""What a recurrent cell is: the shapes of its weights and a pure step, over NumPy or torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnncli.layers.linear import linear

Array = Any
State = tuple[Array, ...]
Advance = Callable[[Mapping[str, Array], Array, State, Any, str], tuple[Array, State]]


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: its gates in the order in which PyTorch stacks their weights, its state, and its formula.

    `advance(weights, a, state, xp, activation) -> (output [B, H], state)` is the formula, given the projected input
    a = W_ih x + b [B, gates * H]; the state is a tuple of [B, H] arrays named by `state_names`. `keep_gate` is the
    gate which at 1 keeps the state and `input_gate` the one which lets new values in, where it is another; how
    gates begin follows from these two.
    """

    name: str
    gate_names: tuple[str, ...]
    state_names: tuple[str, ...]
    advance: Advance
    extra_biases: tuple[str, ...] = ()
    keep_gate: int | None = None
    input_gate: int | None = None

    @property
    def gates(self) -> int:
        """How many blocks of H rows the weights have."""
        return len(self.gate_names)

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights of a layer."""
        rows = self.gates * hidden
        stacked = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden), "bias": (rows,)}
        return stacked | dict.fromkeys(self.extra_biases, (hidden,))

    def zero_state(self, x: Array, hidden: int, xp: Any) -> State:
        """The state before the first step of x [B, ...], in x's type."""
        return tuple(xp.zeros((len(x), hidden), dtype=x.dtype, device=x.device) for _ in self.state_names)

    def project(self, weights: Mapping[str, Array], x: Array, xp: Any) -> Array:
        """The part of a step that needs no state: x [..., I] -> a = W_ih x + b [..., gates * H]."""
        return linear(x, weights["weight_ih"], weights["bias"], xp)

    def step(
        self, weights: Mapping[str, Array], x: Array, state: State, xp: Any, activation: str = "tanh"
    ) -> tuple[Array, State]:
        """One step of x [B, I]: (output [B, H], state), the same formula for `xp` = numpy and torch."""
        return self.advance(weights, self.project(weights, x, xp), state, xp, activation)


def split_gates(a: Array, hidden: int) -> tuple[Array, ...]:
    """The gates' parts of a [..., gates * H], in their order."""
    return tuple(a[..., start : start + hidden] for start in range(0, a.shape[-1], hidden))
