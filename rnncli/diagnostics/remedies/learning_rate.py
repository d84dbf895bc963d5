"""Steps of the usual length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

USUAL = 3e-3
WANTED = 0.01  # of a weight's norm, a step
TIMES = 3.0


def learning_rate(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """The usual rate where the present one is far above it, or a third of it where steps are still too long.

    A rate is to blame for where training goes, not for weights whose gradients explode before the first step.
    """
    rate = evidence.subject.learning_rate
    if small := named(findings, "small-updates"):
        why = f"at {rate:.2g} the planned steps leave the weights where they are"
        yield Proposal("learning-rate", small, why, {"learning_rate": USUAL})
        return
    against = named(findings, "large-updates", "exploding", "chaotic", "saturated", "dead-units")
    stray = bool(evidence.diverged) and not any(v.name in ("exploding", "chaotic") for v in evidence.verdicts)
    if not against or not (stray or rate > TIMES * USUAL or "large-updates" in against):
        return
    lower = USUAL if rate > TIMES * USUAL else rate / TIMES
    update = float(np.median([evidence.steps.update(name) for name in evidence.steps.tensors] or [np.nan]))
    why = f"a step moves a tensor by {update:.2g} of its norm; about {WANTED:g} is usual"
    yield Proposal("learning-rate", against, why, {"learning_rate": float(f"{lower:.2g}")})
