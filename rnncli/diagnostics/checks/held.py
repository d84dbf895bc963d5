"""Gates that never let go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding

FAR, MOST = 5, 0.5
RULE = (
    f"more than {MOST:.0%} of the units of a gated layer keep their state for {FAR} times the context and the longest"
    " lag that matters, or for ever"
)


def held(evidence: Evidence) -> Iterator[Finding]:
    """Layers whose state is what came first, and hardly changes any more."""
    subject = evidence.subject
    enough = FAR * max(subject.context, *subject.lags_that_matter, 1)
    for activity in evidence.activity:
        share = float(np.mean(activity.kept > enough)) if len(activity.kept) and activity.memory_gates else 0.0
        if share > MOST:
            middle = float(np.median(activity.kept))
            long = f"{middle:,.0f} steps" if np.isfinite(middle) else "for ever"
            says = f"its units keep what they hold {long}, and the context has {subject.context}"
            yield Finding("held", says, RULE, share, activity.layer, direction=activity.direction)
