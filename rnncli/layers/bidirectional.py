"""A cell run over a sequence from both ends (Schuster & Paliwal 1997, "Bidirectional Recurrent Neural Networks")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.errors import UsageError

Array = Any
Run = Callable[[Mapping[str, Array], Array], Array]
DIRECTIONS = ("forward.", "backward.")


def bidirectional(run: Run, weights: Mapping[str, Array], x: Array, lengths: Array, xp: Any) -> Array:
    """Two cells of H / 2 units each, one of which runs from the end.

    h_t = [forward(x_1 ... x_t), backward(x_T ... x_t)]

    x [B, T, I], of which the first `lengths` [B] steps are real, -> [B, T, H]. `run(weights, x)` gives the outputs
    [B, T, H / 2] of one direction. It is for tasks that see whole sequences: a forecast must not.
    """
    ahead, back = ({k.removeprefix(d): w for k, w in weights.items() if k.startswith(d)} for d in DIRECTIONS)
    outputs = (run(ahead, x), reversed_each(run(back, reversed_each(x, lengths, xp)), lengths, xp))
    return xp.concatenate(outputs, 2)


def bidirectional_shapes(cell: Cell, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of its weights. UsageError if `hidden` cannot be halved."""
    if hidden % 2:
        raise UsageError(f"a bidirectional layer has an even number of units, not {hidden}")
    shapes = cell.shapes(inputs, hidden // 2)
    return {direction + name: shape for direction in DIRECTIONS for name, shape in shapes.items()}


def reversed_each(x: Array, lengths: Array, xp: Any) -> Array:
    """x [B, T, ...] with the first `lengths` [B] steps of each row in reverse; the padding after them stays."""
    steps = xp.arange(x.shape[1])[None, :]
    order = xp.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return x[xp.arange(x.shape[0])[:, None], order]
