"""The recurrent cells that there are, and what each costs at a size."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.convolved import convolved
from rnncli.cells.dilated import dilated
from rnncli.cells.fir import over
from rnncli.layers.bidirectional import bidirectional
from rnncli.layers.encoder import RecurrentLayer, recurrent_layers
from rnncli.outline import Outline, shown
from rnncli.registry import CELLS, find
from rnncli.workflows.arguments import public

SCHEMA = "rnncli.cells/1"
INPUTS, HIDDEN = 32, 64


@dataclass(frozen=True)
class CellFacts:
    """A cell with `inputs` and `hidden` units: `parameters`, numbers of the `state` that it
    carries from step to step, multiplications of a step.
    """

    name: str
    formula: str
    source: str
    parameters: int
    state: int
    cost: int
    gates: tuple[str, ...]
    activations: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        listed = {"gates": list(self.gates), "activations": list(self.activations)}
        sizes = {"parameters": self.parameters, "state": self.state, "multiplications_per_step": self.cost}
        return {"name": self.name, "formula": self.formula, "source": self.source} | sizes | listed


@shown
@dataclass(frozen=True)
class CellList:
    """Every cell at one size, and what wraps a cell."""

    inputs: int
    hidden: int
    cells: tuple[CellFacts, ...]
    wrappers: tuple[tuple[str, str], ...]

    def outline(self) -> Outline:
        """Every cell with its sizes."""
        header = ["cell", "parameters", "state", "multiplications"]
        rows = [[one.name, f"{one.parameters:,}", f"{one.state:,}", f"{one.cost:,}"] for one in self.cells]
        return Outline("Cells", [("sizes", f"{self.inputs:,} inputs, {self.hidden:,} units")], header, rows)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        wrappers = [{"name": name, "formula": formula} for name, formula in self.wrappers]
        sizes = {"inputs": self.inputs, "hidden": self.hidden}
        return {"schema": SCHEMA} | sizes | {"cells": [cell.to_json() for cell in self.cells], "wrappers": wrappers}


@public
def list_cells(*, inputs: int = INPUTS, hidden: int = HIDDEN) -> CellList:
    """The cells that `--cell` takes, each with its formula, its source and its size for so many inputs and units.

    UsageError where these are not above 0.
    """
    wrappers = (
        ("fir:STEPS", over),
        ("dilated:CELL", dilated),
        ("bidirectional:CELL", bidirectional),
        ("conv:KERNEL:CELL", convolved),
    )
    return CellList(
        inputs,
        hidden,
        tuple(_facts(name, inputs, hidden) for name in CELLS),
        tuple((name, inspect.getdoc(wrapper) or "") for name, wrapper in wrappers),
    )


def _facts(name: str, inputs: int, hidden: int) -> CellFacts:
    cell: Cell = find(CELLS, name, "cell")
    source = inspect.getdoc(import_module(CELLS[name].partition(":")[0])) or ""
    return CellFacts(
        name,
        inspect.getdoc(cell.advance) or "",
        source.partition("\n\n")[0],
        parameter_count(cell, inputs, hidden),
        hidden * cell.carried,
        multiplications(cell, inputs, hidden),
        cell.gate_names,
        cell.activations,
    )


def parameter_count(layer: Cell | RecurrentLayer, inputs: int, hidden: int) -> int:
    """The number of trained weights of a layer, or of a layer of this cell."""
    return sum(math.prod(shape) for shape in layer.shapes(inputs, hidden).values())


def multiplications(cell: Cell, inputs: int, hidden: int) -> int:
    """Multiplications in the matrix products of one step of one sequence: nearly all that a cell does."""
    return sum(math.prod(shape) for shape in cell.shapes(inputs, hidden).values() if len(shape) > 1)


def sharing(cell_list: str, layers: int, sizes: tuple[int, int], steps: int) -> dict[str, int]:
    """What sharing weights over time saves: parameters of the recurrent layers, of the same network unrolled over
    `steps` steps with weights of its own at each, and of a dense network of as many layers of `hidden` units a step
    that sees all steps at once. `sizes` are the inputs and the units.
    """
    inputs, hidden = sizes
    widths = [inputs, *[hidden] * (layers - 1)]
    shared = sum(
        parameter_count(layer, width, hidden)
        for layer, width in zip(recurrent_layers(cell_list, layers), widths, strict=True)
    )
    dense = sum((steps * width + 1) * steps * hidden for width in widths)
    return {"recurrent": shared, "untied": steps * shared, "dense_window": dense}
