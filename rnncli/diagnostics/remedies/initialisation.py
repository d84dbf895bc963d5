"""Weights that begin so that gradients neither fade nor grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named


def memory(evidence: Evidence) -> int:
    """Steps that a memory should last: the longest lag that matters and that the context can hold, or the context."""
    held = [lag for lag in evidence.subject.lags_that_matter if lag <= evidence.subject.rows]
    return max(8, max(held, default=evidence.subject.context))


def chrono(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Gate biases for memories of up to the longest lag that matters (Tallec & Ollivier 2018)."""
    against = named(findings, "vanishing", "saturated", "held", "exploding", "chaotic", "frozen")
    subject, wanted = evidence.subject, f"chrono:{memory(evidence)}"
    if against and subject.keeps and _differs(subject.init, wanted, trained=subject.trained):
        yield Proposal(
            "chrono", against, f"gates begin with memories of up to {memory(evidence)} steps", {"init": wanted}
        )


def orthogonal(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Recurrent weights that turn a state but do not stretch it (Saxe et al. 2014)."""
    against = named(findings, "exploding", "chaotic", "saturated")
    subject = evidence.subject
    if against and not subject.keeps and _differs(subject.init, "orthogonal", trained=subject.trained):
        yield Proposal("orthogonal", against, "recurrent weights begin as a rotation", {"init": "orthogonal"})


def _differs(init: str, wanted: str, *, trained: bool) -> bool:
    """Weights that begin so and are trained may have left it; those that are fresh have nothing to gain."""
    return init != wanted or trained
