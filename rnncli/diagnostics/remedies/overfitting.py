"""Less of a network to learn rows by heart with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

USUAL = 0.3
FEWEST_UNITS = 16


def regularise(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Dropout (Srivastava et al. 2014), and fewer units."""
    against = named(findings, "overfitted", "worse-than-naive")
    if against and evidence.subject.dropout < USUAL:
        yield Proposal("regularise", against, "no unit can then rely on another one", {"dropout": USUAL})


def smaller(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """A quarter of the weights."""
    against, half = named(findings, "overfitted"), evidence.subject.hidden // 2
    if against and half >= FEWEST_UNITS:
        yield Proposal("smaller", against, "a quarter of the weights has less room for single rows", {"hidden": half})
