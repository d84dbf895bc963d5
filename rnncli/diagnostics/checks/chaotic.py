"""States that a small disturbance throws off their course."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.verdict import RULES


def chaotic(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged."""
    for index, verdict in enumerate(evidence.verdicts):
        if verdict.name == "chaotic":
            yield Finding("chaotic", verdict.reason, RULES["chaotic"], verdict.number, index)
