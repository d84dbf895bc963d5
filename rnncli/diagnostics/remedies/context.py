"""A context as long as the season, or as short as what is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.checks.context import LONGEST, season_bridged
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

FEWEST = 8


def context(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """What a season needs; or twice what is used, but never less than a season needs."""
    season, used = season_bridged(evidence.subject), evidence.memory.used
    if short := named(findings, "context-short"):
        yield Proposal("context", short, f"a season of {season} steps then fits", {"context": _holding(season)})
    shorter = max(FEWEST, 2 * used, _holding(season))
    if (long := named(findings, "context-long")) and shorter < evidence.subject.context:
        why = "fewer steps take less time; --try says whether training does as well with them"
        yield Proposal("context", long, why, {"context": shorter})


def _holding(season: int) -> int:
    """Twice a short season and one long one, as planned by default."""
    return min(LONGEST, 2 * season if season <= LONGEST // 4 else season)
