"""The interface of a recurrent cell: the shapes of its weights and a pure step, over NumPy or torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnncli.cells.name import Kernel, parsed
from rnncli.layers.convolution import convolution, grown
from rnncli.layers.linear import linear

Array = Any
State = tuple[Array, ...]
Gates = dict[str, Array]
Advance = Callable[[Mapping[str, Array], Array, State, Any, str], tuple[State, Gates]]
Prepare = Callable[[Mapping[str, Array], Array, Any], tuple[Array, Array]]
Begin = Callable[[Mapping[str, Array], Array, float | None], dict[str, Array]]

SQUASHED = ("tanh", "relu")  # what a cell without gates can be told to use


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: its gates in the order in which PyTorch stacks their weights, its state, and its formula.

    `advance(weights, a, state, xp, activation) -> (state, gates)` is the formula, given the projected input
    a = W_ih x + b [B, gates * H]. The state is a tuple of [B, H] arrays named by `state_names`, the first of which is
    the output; the gates are what opened and closed at this step, by name, for whoever looks on.

    `vectors` [H] and `matrices` [H, H] are weights beside the stacked ones, of which `weight_hh` is there if the cell
    is `recurrent` and `bias` if it is `biased`. `keep_gate` is the gate which at 1 keeps the state and `input_gate`
    the one which lets new values in, where it is another; how gates begin follows from these two, and `forget_bias`
    is where the first begins if nothing is known of how long a memory must be. `begin` gives first values to some
    weights in another way: from uniform draws [2, H] and the steps to remember, where these are known. `initial` is
    what parts of the state are before the first step, where that is not 0. Where the blocks of W_ih are the taps of a
    convolution, they are `added` up, and begin smaller by the root of their number. With a `kernel` a step is that of
    every pixel of a grid: x is [..., h, w, I], all parts of the state [B, h, w, H], and the stacked weights have a
    kernel's rows and columns: [gates * H, k, k, I]. No step reads the first `said` parts of the state.

    A cell may ask for columns, by name, with which its inputs end: `prepared(weights, x, xp)` makes of these what W_ih
    multiplies, and what stands in a behind the gates, for the step. `scalars` [1] are weights for that.
    """

    name: str
    gate_names: tuple[str, ...]
    state_names: tuple[str, ...]
    advance: Advance
    vectors: tuple[str, ...] = ()
    matrices: tuple[str, ...] = ()
    recurrent: bool = True
    biased: bool = True
    activations: tuple[str, ...] = ()
    keep_gate: int | None = None
    input_gate: int | None = None
    forget_bias: float = 0.0
    begin: Begin | None = None
    initial: Mapping[str, float] = field(default_factory=dict)
    added: bool = False
    dilation: int = 1
    inner: Cell | None = None
    kernel: Kernel | None = None
    said: int = 0
    asks: tuple[str, ...] = ()
    prepared: Prepare | None = None
    scalars: tuple[str, ...] = ()

    @property
    def carried(self) -> int:
        """The parts of the state that the next step reads."""
        return len(self.state_names) - self.said

    @property
    def family(self) -> str:
        """The name without a number and without what is wrapped around it: `fir` of `fir:24`."""
        return parsed(self.name).core.head

    @property
    def gates(self) -> int:
        """The number of blocks of H rows in the weights."""
        return len(self.gate_names)

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights of a layer."""
        rows, kernel = self.gates * hidden, self.kernel
        around_input, around_state = ((), ()) if kernel is None else ((kernel.input,) * 2, (kernel.state,) * 2)
        stacked: dict[str, tuple[int, ...]] = {"weight_ih": (rows, *around_input, inputs)}
        stacked |= {"weight_hh": (rows, *around_state, hidden)} if self.recurrent else {}
        stacked |= {"bias": (rows,)} if self.biased else {}
        stacked |= dict.fromkeys(self.matrices, (hidden, hidden)) | dict.fromkeys(self.vectors, (hidden,))
        return stacked | dict.fromkeys(self.scalars, (1,))

    def hidden(self, weights: Mapping[str, Array]) -> int:
        """The number of units that these weights are for."""
        return int(weights["weight_ih"].shape[0]) // self.gates

    def zero_state(self, x: Array, hidden: int, xp: Any) -> State:
        """The state before the first step of x [B, ..., I], or x [B, ..., h, w, I], in x's type."""
        grid = () if self.kernel is None else self.kernel.grid(*x.shape[-3:-1])
        zero = xp.zeros((len(x), *grid, hidden), dtype=x.dtype, device=x.device)
        parts = {value: zero + value for value in {0.0, *self.initial.values()}}
        return tuple(parts[self.initial.get(name, 0.0)] for name in self.state_names)

    def project(self, weights: Mapping[str, Array], x: Array, xp: Any) -> Array:
        """The part of a step that needs no state: x [..., I] -> a = W_ih x + b [..., gates * H], and behind it what was
        prepared of the columns that the cell asks for.
        """
        if self.prepared is None:
            return self._projected(weights, x, xp)
        x, beside = self.prepared(weights, x, xp)
        return xp.concatenate([self._projected(weights, x, xp), beside], -1)

    def _projected(self, weights: Mapping[str, Array], x: Array, xp: Any) -> Array:
        weight, bias, kernel = weights["weight_ih"], weights.get("bias"), self.kernel
        if kernel is None:
            return linear(x, weight, bias, xp)
        return convolution(grown(x, kernel.growth, xp), weight, bias, xp, kernel.stride)

    def step(
        self, weights: Mapping[str, Array], x: Array, state: State, xp: Any, activation: str = "tanh"
    ) -> tuple[Array, State]:
        """One step of x [B, I]: (output [B, H], state), the same formula for `xp` = numpy and torch."""
        state, _ = self.advance(weights, self.project(weights, x, xp), state, xp, activation)
        return state[0], state


def split_gates(a: Array, hidden: int) -> tuple[Array, ...]:
    """The gates' parts of a [..., gates * H], in their order."""
    return tuple(a[..., start : start + hidden] for start in range(0, a.shape[-1], hidden))
