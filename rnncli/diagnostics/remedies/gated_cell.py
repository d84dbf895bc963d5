"""A gated cell instead of one matrix and one activation, through which little survives for long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named
from rnncli.diagnostics.remedies.initialisation import memory


def gated_cell(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """An LSTM keeps its memory cell by a gate of slope 1; it also begins with memory for the longest lag there is."""
    against = named(findings, "vanishing", "dead-units", "exploding", "chaotic", "saturated")
    if against and not evidence.subject.keeps:
        why = "its memory cell is kept by a gate, not by a product of matrices"
        yield Proposal("gated-cell", against, why, {"cell": "lstm", "init": f"chrono:{memory(evidence)}"})
