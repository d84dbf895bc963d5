"""Cells by the names that `--cell` takes, one for every layer or a list with one for each."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.cells.cell import Cell
from rnncli.cells.convolved import convolved
from rnncli.cells.dilated import dilated
from rnncli.cells.fir import over
from rnncli.cells.name import BIDIRECTIONAL, CONV, DILATED, CellName, Kernel, parsed, parsed_list
from rnncli.errors import UsageError
from rnncli.registry import CELLS, find


def cell_named(name: str | CellName) -> Cell:
    """The cell that makes the steps of a layer, in one direction. UsageError if there is none of that name."""
    name = parsed(name) if isinstance(name, str) else name
    if name.head == DILATED and name.inner is not None:
        return _dilated(name, name.inner)
    if name.head == CONV and name.inner is not None and name.kernel is not None:
        return convolved(cell_named(name.inner), name.kernel)
    if name.bidirectional:
        raise UsageError(
            f"{name} reads a sequence from both ends, and has no step that could be taken alone",
            hint=f"{BIDIRECTIONAL}: stands first and once, before the cell of a layer",
        )
    if name.number is not None:
        return over(name.number)
    cell: Cell = find(CELLS, name.head, "cell")
    return cell


def _dilated(name: CellName, inner: CellName) -> Cell:
    if name.number is None:
        raise UsageError(f"{str(name)!r} does not say by how much it is dilated", hint="for example dilated:24:lstm")
    return dilated(cell_named(inner), name.number)


def direction_named(name: CellName) -> Cell:
    """The cell that a layer runs: of a bidirectional layer, the one that it runs in each direction."""
    return cell_named(name.inner if name.bidirectional and name.inner is not None else name)


def names_of(text: str, layers: int) -> tuple[CellName, ...]:
    """The cell's name of each layer. UsageError if they do not fit."""
    names = parsed_list(text)
    if len(names) not in (1, layers):
        raise UsageError(f"{text} names {len(names)} layers, but there are {layers}", hint="leave --layers out")
    return names if len(names) == layers else names * layers


def cells_of(text: str, layers: int) -> tuple[Cell, ...]:
    """The cell of each layer whose state is carried from step to step: one for all of them, or a list with one for
    each. UsageError if they do not fit, or one of them is bidirectional.
    """
    refuse_bidirectional(text, "has no state to carry on from step to step")
    return tuple(cell_named(name) for name in names_of(text, layers))


def layers_of(text: str) -> int | None:
    """The number of layers that a list of cells asks for; None if it is one cell, for any number of them."""
    names = parsed_list(text)
    return len(names) if len(names) > 1 else None


def resolved(text: str, layers: int, seasons: Sequence[int]) -> str:
    """These cells with a number in each dilation: `dilated:CELL` takes the seasons, shortest first, one a layer, and
    twice the last one where there are no more; without seasons 2, 4, 8 and so on.
    """
    names = list(parsed_list(text))
    names = names * layers if len(names) == 1 and names[0].waits else names
    waiting = sorted({season for season in seasons if season > 1}) or [2]
    for place, name in enumerate(names):
        if name.waits:
            names[place] = name.dilated_by(waiting[0])
            waiting = waiting[1:] or [2 * waiting[0]]
    return ",".join(map(str, names))


def takes_activation(name: CellName) -> bool:
    """Whether the cell of this name has an activation to choose; another ignores what is chosen."""
    return bool(direction_named(name.dilated_by(1)).activations)


def chooses_activation(text: str) -> bool:
    """Whether any of these cells has an activation to choose."""
    return any(map(takes_activation, parsed_list(text)))


def with_activation(text: str, activation: str) -> str:
    """The cells as people are told of them, `rnn (relu)`: with the activation if one of them has it to choose."""
    return f"{text} ({activation})" if chooses_activation(text) else text


def refuse_unused_activation(text: str, activation: str | None) -> None:
    """UsageError where an activation is chosen, and no layer of these cells has one."""
    if activation is not None and not chooses_activation(text):
        others = ", ".join(name for name in CELLS if takes_activation(parsed(name)))
        raise UsageError(
            f"--activation is given, but {text} has none to choose",
            hint=f"leave it out, or choose a cell that has one: --cell {others}",
        )


def refuse_bidirectional(text: str, reason: str) -> None:
    """UsageError with this reason where one of these cells reads a sequence from both ends."""
    for name in parsed_list(text):
        if name.bidirectional:
            raise UsageError(f"{name} reads a sequence from both ends, and {reason}", hint=f"use {name.inner}")


def refuse_convolution(text: str) -> None:
    """UsageError where one of these cells sees the pixels around each one, and there are no frames."""
    for name in parsed_list(text):
        if kernel_of(name) is not None:
            raise UsageError(
                f"{name} sees the pixels around each one, and there are no frames",
                hint=f"use {name.core}, or say what frames are: --frame COLUMN",
            )


def asks_for_gaps(text: str, layers: int) -> bool:
    """Whether the first layer asks for columns about gaps. UsageError if a later one does, which does not see them."""
    first, *later = (direction_named(name.dilated_by(1)) for name in names_of(text, layers))
    for cell in later:
        if cell.asks:
            raise UsageError(
                f"{cell.name} asks for the columns {', '.join(cell.asks)}, which the first layer alone sees",
                hint=f"for example {cell.name},gru, or --layers 1",
            )
    return bool(first.asks)


def refuse_gaps(text: str) -> None:
    """UsageError where one of these cells asks for columns about gaps, and there are none."""
    for name in parsed_list(text):
        if direction_named(name.dilated_by(1)).asks:
            raise UsageError(f"{name} asks for the gaps between values, which only forecasts tell it", hint="use gru")


def on_grid(text: str) -> bool:
    """Whether any of these cells sees the pixels around each one."""
    return any(kernel_of(name) is not None for name in parsed_list(text))


def kernel_of(name: CellName) -> Kernel | None:
    """The kernel in a cell's name, whatever is wrapped around it; None if it has none."""
    return name.kernel if name.kernel is not None or name.inner is None else kernel_of(name.inner)


def convolves(cells: str) -> bool:
    """Whether these cells see the pixels around each one. UsageError where some do and others do not."""
    found = {kernel_of(name) is not None for name in parsed_list(cells)}
    if len(found) > 1:
        raise UsageError(
            f"{cells} has layers with a grid and without one", hint=f"put {CONV}:3: before each of the cells, or none"
        )
    return found.pop()


def checked(text: str) -> str:
    """What `--cell` was given, if each of its parts names a cell. UsageError as in `cell_named`."""
    for name in parsed_list(text):
        direction_named(name.dilated_by(1))
    return text
