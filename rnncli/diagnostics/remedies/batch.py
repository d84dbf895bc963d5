"""More crops in a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

USUAL = 32


def batch(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """The mean of many crops' gradients points where that of one does not."""
    del evidence
    if against := named(findings, "batch-one"):
        yield Proposal("batch", against, f"{USUAL} crops a step are usual", {"batch": USUAL})
