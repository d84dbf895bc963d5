"""States that a small disturbance throws off their course."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.verdict import RULES


def chaotic(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged."""
    for flow, verdict in zip(evidence.flow.layers, evidence.verdicts, strict=True):
        if verdict.name == "chaotic":
            rule = RULES["chaotic"]
            yield Finding("chaotic", verdict.reason, rule, verdict.number, flow.layer, direction=flow.direction)
