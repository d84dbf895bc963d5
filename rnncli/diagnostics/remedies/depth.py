"""Fewer layers, where one of them does nothing or lets nothing through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

ASTRAY = (
    "frozen",
    "dead-units",
    "saturated",
    "exploding",
    "chaotic",
    "vanishing",
    "alike",
    "unmoved",
    "untaught",
    "echo",
)


def depth(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """One layer fewer."""
    against = named(findings, "depth-vanishing", "depth-exploding", "frozen", "vanishing", "dead-units")
    layers, cells = evidence.subject.layers, evidence.subject.cell.split(",")
    if against and layers > 1:
        fewer = {"cell": ",".join(cells[:-1])} if len(cells) > 1 else {}
        yield Proposal("depth", against, "a gradient has one layer less to pass", {**fewer, "layers": layers - 1})


def residual(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """A way past each layer (He et al. 2016)."""
    against = named(findings, "depth-vanishing", "depth-exploding")
    if against and not evidence.subject.residual:
        why = "what a layer is given is added to what it says, so that a gradient comes past it"
        yield Proposal("residual", against, why, {"plain_stack": False})


def fresh(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Propose to train again from the initialisation that the network had, where its weights have gone astray."""
    against = named(findings, *ASTRAY)
    if against and evidence.subject.trained:
        yield Proposal("fresh", against, "training begins anew, from fresh weights", {"init": evidence.subject.init})
