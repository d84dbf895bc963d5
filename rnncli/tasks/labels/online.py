"""Labels of steps that must not wait for what comes later."""

from __future__ import annotations

from rnncli.cells.named import refuse_bidirectional


def refuse_what_looks_ahead(cell: str) -> None:
    """UsageError if a layer's cell is bidirectional."""
    refuse_bidirectional(cell, "what comes after a step must not enter its label with --online")
