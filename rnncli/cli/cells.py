"""`rnncli cells`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnncli.cli.streams import Streams
from rnncli.cli.table import table

if TYPE_CHECKING:
    from rnncli.workflows.list_cells import CellList


def cells(streams: Streams, inputs: int | None = None, hidden: int | None = None) -> None:
    """List the recurrent cells: formula, parameters, state, cost of a step, source."""
    from rnncli.workflows.list_cells import HIDDEN, INPUTS
    from rnncli.workflows.list_cells import list_cells as work

    found = work(inputs=inputs or INPUTS, hidden=hidden or HIDDEN)
    streams.result(found.to_json, "".join(f"{line}\n" for line in shown(found)).encode())


def shown(found: CellList) -> list[str]:
    """A table of sizes, and after it each formula."""
    header = ["cell", "parameters", "state", "multiplications a step", "gates"]
    rows = [
        [one.name, f"{one.parameters:,}", f"{one.state:,}", f"{one.cost:,}", " ".join(one.gates)] for one in found.cells
    ]
    lines = [f"with {found.inputs:,} inputs and {found.hidden:,} units:", "", *table(header, rows)]
    for one in found.cells:
        lines += ["", one.name, *_indented(one.source), "", *_indented(one.formula)]
    for name, formula in found.wrappers:
        lines += ["", name, *_indented(formula)]
    return lines


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]
