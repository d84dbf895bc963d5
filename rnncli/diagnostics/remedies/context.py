"""A context as long as the season, or as short as what is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.checks.context import LONGEST
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named


def context(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Twice a short season and one long one, as planned by default; or twice what is used."""
    subject = evidence.subject
    if short := named(findings, "context-short"):
        season = max(m for m in subject.seasons if m <= min(LONGEST, subject.rows // 2))
        steps = min(LONGEST, 2 * season if season <= LONGEST // 4 else season)
        yield Proposal("context", short, f"a season of {season} steps then fits", {"context": steps})
    if long := named(findings, "context-long"):
        steps = max(8, 2 * evidence.memory.used)
        yield Proposal("context", long, "the rest costs time and changes nothing", {"context": steps})
