"""Less dropout, where the gradient drowns in its noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

USUAL = 0.1


def dropout(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """A tenth of the units is enough to leave out."""
    against = named(findings, "noisy")
    if against and evidence.subject.dropout > USUAL:
        yield Proposal("dropout", against, "most of the gradient is then signal", {"dropout": USUAL})
