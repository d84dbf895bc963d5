"""Units that all say the same."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.gates import SAME

MANY = 0.5
RULE = (
    f"more than {MANY:.0%} of the units of a layer that move have a correlation above {SAME:g} with another one, on"
    " every path that was looked at"
)


def alike(evidence: Evidence) -> Iterator[Finding]:
    """Layers of copies: units that begin alike get the same gradient, and stay alike."""
    for activity in evidence.activity:
        if activity.twins > MANY:
            says = f"{activity.twins:.0%} of its units move as another one does, so that it has as many fewer"
            yield Finding("alike", says, RULE, activity.twins, activity.layer, direction=activity.direction)
