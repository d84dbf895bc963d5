"""Fewer layers, where one of them does nothing or lets nothing through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named


def depth(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """One layer fewer."""
    against = named(findings, "frozen", "vanishing", "dead-units")
    layers = evidence.subject.layers
    if against and layers > 1:
        yield Proposal("depth", against, "a gradient has one layer less to pass", {"layers": layers - 1})


def fresh(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Propose to train again from the initialisation that the network had, where its weights have gone astray."""
    against = named(findings, "frozen", "dead-units", "saturated", "exploding", "chaotic", "vanishing")
    if against and evidence.subject.trained:
        yield Proposal("fresh", against, "training begins anew, from fresh weights", {"init": evidence.subject.init})
