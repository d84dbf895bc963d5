"""A dilated layer as the layer itself, run over each phase of its dilation: the same steps, d of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnncli.cells.cell import Array, Cell, State

Run = Callable[[Array, State], tuple[Array, State]]


def by_phase(run: Run, cell: Cell, x: Array, state: State, xp: Any) -> tuple[Array, State]:
    """x [B, T, I] -> outputs [B, T, H] and the last state of a dilated cell, through `run` of its inner cell.

    Steps p, p + d, p + 2d ... are a sequence of their own; the d of them stand in `run`'s batch side by side.
    """
    batch, steps, d = x.shape[0], x.shape[1], cell.dilation
    whole, rest = steps // d, steps % d
    parts = len(state) // d
    if not whole:
        return _within_a_round(run, x, state, parts, xp)
    phases = [xp.stack([state[(d - 1 - p) * parts + part] for p in range(d)], 1) for part in range(parts)]
    columns = xp.swapaxes(x[:, : whole * d].reshape(batch, whole, d, *x.shape[2:]), 1, 2)
    made, after = run(columns.reshape(batch * d, whole, *x.shape[2:]), tuple(_flat(phase) for phase in phases))
    inner = made.shape[2:]
    outputs = [xp.swapaxes(made.reshape(batch, d, whole, *inner), 1, 2).reshape(batch, whole * d, *inner)]
    phases = [part.reshape(batch, d, *part.shape[1:]) for part in after]
    if rest:
        begun = tuple(_flat(phase[:, :rest]) for phase in phases)
        made, after = run(x[:, whole * d :].reshape(batch * rest, 1, *x.shape[2:]), begun)
        outputs.append(made.reshape(batch, rest, *inner))
        ended = [part.reshape(batch, rest, *part.shape[1:]) for part in after]
        phases = [xp.concatenate([new, old[:, rest:]], 1) for new, old in zip(ended, phases, strict=True)]
    newest_first = tuple(phases[part][:, (rest - 1 - lag) % d] for lag in range(d) for part in range(parts))
    return xp.concatenate(outputs, 1), newest_first


def _within_a_round(run: Run, x: Array, state: State, parts: int, xp: Any) -> tuple[Array, State]:
    """Run a dilated cell for fewer steps than its dilation: each step goes on from a state of its own, and all other
    states stay as they are.
    """
    batch, steps = x.shape[0], x.shape[1]
    kept, used = state[: len(state) - steps * parts], state[len(state) - steps * parts :]
    oldest_first = [xp.stack([*used[part::parts]][::-1], 1) for part in range(parts)]
    made, after = run(x.reshape(batch * steps, 1, *x.shape[2:]), tuple(_flat(part) for part in oldest_first))
    ended = [part.reshape(batch, steps, *part.shape[1:]) for part in after]
    newest_first = [ended[part][:, step] for step in reversed(range(steps)) for part in range(parts)]
    return made.reshape(batch, steps, *made.shape[2:]), (*newest_first, *kept)


def _flat(phase: Array) -> Array:
    return phase.reshape(phase.shape[0] * phase.shape[1], *phase.shape[2:])
