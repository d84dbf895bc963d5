"""Cells by the names that `--cell` takes: `lstm`, `fir:24`, `dilated:24:gru`, and a list for a stack of layers."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.cells.cell import Cell
from rnncli.cells.dilated import dilated
from rnncli.cells.fir import over
from rnncli.errors import UsageError
from rnncli.registry import CELLS, find

DILATED, BIDIRECTIONAL, FIR = "dilated", "bidirectional", "fir"
WRAPPERS = (DILATED, BIDIRECTIONAL)


def cell_named(name: str) -> Cell:
    """The cell of one layer. UsageError if there is none of that name, or it cannot forecast."""
    head, colon, rest = name.partition(":")
    if colon and head == BIDIRECTIONAL:
        raise UsageError(
            f"{name} reads a sequence from both ends, and what comes after its origin must not enter a forecast",
            hint=f"use {rest}",
        )
    if colon and head == FIR and _is_number(rest):
        return over(int(rest))
    if not colon or head != DILATED:
        cell: Cell = find(CELLS, name, "cell")
        return cell
    steps, colon, inner = rest.partition(":")
    if not colon or not _is_number(steps):
        raise UsageError(f"{name!r} does not say by how much it is dilated", hint="for example dilated:24:lstm")
    return dilated(cell_named(inner), int(steps))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def cells_of(text: str, layers: int) -> tuple[Cell, ...]:
    """The cell of each layer: one for all of them, or a list with one for each. UsageError if they do not fit."""
    names = text.split(",")
    if len(names) not in (1, layers):
        raise UsageError(f"{text} names {len(names)} layers, but there are {layers}", hint="leave --layers out")
    cells = [cell_named(name) for name in names]
    return tuple(cells if len(cells) == layers else cells * layers)


def layers_of(text: str) -> int | None:
    """How many layers a list of cells asks for; None if it is one cell, for any number of them."""
    names = text.split(",")
    return len(names) if len(names) > 1 else None


def resolved(text: str, layers: int, seasons: Sequence[int]) -> str:
    """The same cells with a number in each dilation: `dilated:CELL` takes the seasons, shortest first, one a layer, and
    twice the last one where there are no more; without seasons 2, 4, 8 and so on.
    """
    names = text.split(",")
    names = names * layers if len(names) == 1 and _waits(names[0]) else names
    waiting = sorted({season for season in seasons if season > 1}) or [2]
    for place, name in enumerate(names):
        if _waits(name):
            names[place] = f"{DILATED}:{waiting[0]}:{name.partition(':')[2]}"
            waiting = waiting[1:] or [2 * waiting[0]]
    return ",".join(names)


def _waits(name: str) -> bool:
    """Whether a dilation has no number yet."""
    head, colon, rest = name.partition(":")
    return bool(colon) and head == DILATED and not rest.partition(":")[0].isdigit()


def takes_activation(text: str) -> bool:
    """Whether a layer of these cells has an activation to choose; others ignore what is chosen."""
    return any(_cell(name).activations for name in text.split(","))


def refuse_unused_activation(text: str, activation: str | None) -> None:
    """UsageError where an activation is chosen, and no layer of these cells has one."""
    if activation is not None and not takes_activation(text):
        others = ", ".join(name for name in CELLS if takes_activation(name))
        raise UsageError(
            f"--activation is given, but {text} has none to choose",
            hint=f"leave it out, or choose a cell that has one: --cell {others}",
        )


def _cell(name: str) -> Cell:
    """The cell of a name, also of one whose dilation waits for its number."""
    return cell_named(resolved(name, 1, ()))


def checked(text: str) -> str:
    """What `--cell` was given, if each of its parts names a cell. UsageError as in `cell_named`."""
    for name in text.split(","):
        _cell(name)
    return text
