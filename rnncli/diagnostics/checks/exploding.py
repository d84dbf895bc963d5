"""Gradients that grow on their way back, or are not finite."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.verdict import EXPLODING_GROWTH, RULES


def exploding(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged, and chaotic ones whose gradient grows as well; a training that stops being finite."""
    for index, verdict in enumerate(evidence.verdicts):
        if verdict.name == "exploding":
            yield Finding("exploding", verdict.reason, RULES["exploding"], verdict.number, index)
        elif verdict.name == "chaotic" and _grows(evidence, index):
            yield Finding("exploding", "its gradient grows with it", RULES["exploding"], verdict.number, index)
    if evidence.diverged and not any(verdict.name == "exploding" for verdict in evidence.verdicts):
        yield Finding("exploding", f"training from here breaks down: {evidence.diverged}", RULES["exploding"], math.inf)


def _grows(evidence: Evidence, layer: int) -> bool:
    flow = evidence.flow.layers[layer]
    return (flow.decay_rate or 0.0) * (flow.lags - 1) > math.log(EXPLODING_GROWTH)
