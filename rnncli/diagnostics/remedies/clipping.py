"""Clipping at twice the usual norm: it cuts what is out of proportion, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

TIMES = 2.0


def clip(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """0.5 to 10 times the average norm is usual (Pascanu, Mikolov & Bengio 2013)."""
    against = named(findings, "exploding", "dominated", "clip-small", "clipped", "chaotic")
    norms = np.array(evidence.steps.norms)
    usual = float(np.median(norms[np.isfinite(norms)])) if np.isfinite(norms).any() else 0.0
    limit = float(f"{TIMES * usual:.2g}")
    short = {"clip-small", "clipped"}
    raised = "clip-small" in against or not set(against) - short
    helps = limit > evidence.subject.clip if raised else limit < evidence.subject.clip
    against = tuple(name for name in against if (name in short) == raised)
    if against and usual > 0 and helps:
        yield Proposal("clip", against, f"twice the usual norm of a gradient, {usual:.2g}", {"clip": limit})
