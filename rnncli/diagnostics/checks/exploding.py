"""Gradients that grow on their way back, or are not finite."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.profile import LayerFlow
from rnncli.diagnostics.verdict import EXPLODING_GROWTH, RULES


def exploding(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged, and chaotic ones whose gradient grows as well; a training that stops being finite."""
    for flow, verdict in zip(evidence.flow.layers, evidence.verdicts, strict=True):
        if verdict.name == "exploding" or (verdict.name == "chaotic" and _grows(flow)):
            says = verdict.reason if verdict.name == "exploding" else "its gradient grows with it"
            rule = RULES["exploding"]
            yield Finding("exploding", says, rule, verdict.number, flow.layer, direction=flow.direction)
    if evidence.diverged and not any(verdict.name == "exploding" for verdict in evidence.verdicts):
        yield Finding("exploding", f"training from here breaks down: {evidence.diverged}", RULES["exploding"], math.inf)


def _grows(flow: LayerFlow) -> bool:
    return (flow.own.decay_rate or 0.0) * (flow.lags - 1) > math.log(EXPLODING_GROWTH)
