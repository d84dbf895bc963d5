"""A cell run over a sequence from both ends (Schuster & Paliwal 1997, "Bidirectional Recurrent Neural Networks")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.errors import UsageError

Array = Any
Run = Callable[[Mapping[str, Array], Array], Array]
FORWARD, BACKWARD = DIRECTIONS = ("forward", "backward")


def bidirectional(run: Run, weights: Mapping[str, Array], x: Array, lengths: Array | None, xp: Any) -> Array:
    """Two cells of H / 2 units each, one of which runs from the end. It is for labels, as whole sequences are seen; a
    forecast must not see what comes after its origin.

    h_t = [forward(x_1 ... x_t), backward(x_T ... x_t)]

    x [B, T, ..., I], of which the first `lengths` [B] steps are real (None: all), -> [B, T, ..., H]. `run(weights, x)`
    gives the outputs [B, T, ..., H / 2] of one direction.
    """
    ahead, back = (of_direction(weights, direction) for direction in DIRECTIONS)
    outputs = (run(ahead, x), reversed_each(run(back, reversed_each(x, lengths, xp)), lengths, xp))
    return xp.concatenate(outputs, -1)


def bidirectional_shapes(cell: Cell, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of a bidirectional layer. UsageError if `hidden` cannot be halved."""
    if hidden % 2:
        raise UsageError(
            f"a bidirectional layer has an even number of units, not {hidden}: half of them read each way",
            hint=f"--hidden {hidden + 1}",
        )
    shapes = cell.shapes(inputs, hidden // 2)
    return {f"{direction}.{name}": shape for direction in DIRECTIONS for name, shape in shapes.items()}


def of_direction(weights: Mapping[str, Array], direction: str) -> dict[str, Array]:
    """The weights of one direction of a bidirectional layer, without their prefix."""
    prefix = f"{direction}."
    return {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}


def reversed_each(x: Array, lengths: Array | None, xp: Any) -> Array:
    """x [B, T, ...] with the first `lengths` [B] steps of each row (None: all) in reverse; padding after them stays."""
    if lengths is None:
        return xp.flip(x, (1,))
    rows, steps = (xp.arange(size, device=x.device) for size in x.shape[:2])
    order = xp.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    flat = (order + rows[:, None] * x.shape[1]).reshape(-1)
    return x.reshape(-1, *x.shape[2:])[flat].reshape(x.shape)
