"""Dilated recurrence (Chang et al. 2017, "Dilated Recurrent Neural Networks", arXiv:1710.02224)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rnncli.cells.cell import Array, Cell, Gates, State
from rnncli.errors import UsageError

LARGEST = 1 << 16  # steps; no more states are made than a sequence has steps


def dilated(cell: Cell, dilation: int) -> Cell:
    """The cell whose step goes on from the state of `dilation` steps before:

    state_t = cell(x_t, state_{t-d})

    Its state is the last d states, newest first, so that the output is the first part as everywhere.
    """
    if not 1 <= dilation <= LARGEST:
        raise UsageError(f"a dilation must lie between 1 and {LARGEST:,} steps, not {dilation}")
    if cell.inner is not None:
        raise UsageError(f"{cell.name} is dilated already", hint="a dilation is one number: dilated:24:lstm")
    parts = len(cell.state_names)

    def advance(weights: Mapping[str, Array], a: Array, state: State, xp: Any, activation: str) -> tuple[State, Gates]:
        after, gates = cell.advance(weights, a, state[-parts:], xp, activation)
        return (*after, *state[:-parts]), gates

    before = [f"{name}-{lag}" for lag in range(1, dilation) for name in cell.state_names]
    starts = {f"{name}-{lag}": value for name, value in cell.initial.items() for lag in range(1, dilation)}
    return replace(
        cell,
        name=f"dilated:{dilation}:{cell.name}",
        state_names=(*cell.state_names, *before),
        advance=advance,
        initial={**cell.initial, **starts},
        dilation=dilation,
        inner=cell,
    )
