"""Units at the end of their activation, where its slope is next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.gates import FLAT, HIGH, LOW, LayerActivity

STUCK = 0.5
RULE = (
    f"more than {STUCK:.0%} of the units have a tanh beyond {FLAT:g}, or a gate below {LOW:g} or above {HIGH:g} in more"
    " than half of their steps; gates that keep the state or let inputs in may be meant to, and do not count"
)


def saturated(evidence: Evidence) -> Iterator[Finding]:
    """Layers in which most units are stuck."""
    for activity in evidence.activity:
        name, share = max(_candidates(activity), key=lambda pair: pair[1])
        if share > STUCK:
            says = f"{share:.0%} of its units are stuck at an end of {name}"
            yield Finding("saturated", says, RULE, share, activity.layer, direction=activity.direction)


def _candidates(activity: LayerActivity) -> list[tuple[str, float]]:
    gates = [(f"gate {gate.name}", gate.stuck) for gate in activity.gates if gate.name not in activity.memory_gates]
    return [("their tanh", activity.stuck), *gates]
