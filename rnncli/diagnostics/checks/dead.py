"""Units that never move, such as a ReLU whose input is always below 0."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import FAULT, NOTE, Finding

MANY, SOME = 0.5, 0.1
RULE = (
    f"more than {MANY:.0%} of a layer's units have the same output at every step of every series ({SOME:.0%}: a note)"
)


def dead(evidence: Evidence) -> Iterator[Finding]:
    """Layers with such units."""
    for activity in evidence.activity:
        if activity.dead > SOME:
            severity = FAULT if activity.dead > MANY else NOTE
            says = f"{activity.dead:.0%} of its units never move"
            yield Finding(
                "dead-units", says, RULE, activity.dead, activity.layer, severity, direction=activity.direction
            )
