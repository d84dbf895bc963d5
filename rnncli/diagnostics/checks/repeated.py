"""Series that are there twice."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.dominance import NAMED
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import FAULT, NOTE, Finding

MANY = 0.5
RULE = f"series have the very rows of another one (more than {MANY:.0%} of all: a fault)"


def repeated(evidence: Evidence) -> Iterator[Finding]:
    """Copies teach nothing, weigh more than others, and are in what is learnt where they are held out."""
    ids = evidence.repeated
    if not ids:
        return
    share = len(ids) / max(1, evidence.subject.series)
    shown = ", ".join(map(repr, ids[:NAMED])) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")
    severity = FAULT if share > MANY else NOTE
    yield Finding("repeated", f"{shown}: the rows of another series", RULE, share, severity=severity, series=ids)
