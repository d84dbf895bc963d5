"""Gradients that point somewhere else at every step."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding

DROPPED = 0.5
RULE = f"more than {DROPPED:.0%} of the units are left out at random, in every layer and at the origin"


def noisy(evidence: Evidence) -> Iterator[Finding]:
    """Dropout that hides the signal."""
    dropout = evidence.subject.dropout
    if dropout > DROPPED:
        yield Finding("noisy", f"{dropout:.0%} of the units are left out in training", RULE, dropout)
