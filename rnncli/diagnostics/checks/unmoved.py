"""Layers that go their way whatever comes in."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.checks.saturated import saturated
from rnncli.diagnostics.direction import tensor_prefix
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.gates import LayerActivity

LEAST, NOTHING = 0.01, 1e-4
RULE = (
    f"after the same number of steps of different data the outputs of a layer differ by less than {LEAST:.0%}, or the"
    f" input weights of a unit have, in the mean, a norm below {NOTHING:g}"
)


def unmoved(evidence: Evidence) -> Iterator[Finding]:
    """The lowest layer that ignores its inputs, for those above it can know no more; one that is saturated is called
    that.
    """
    stuck = {(one.layer, one.direction) for one in saturated(evidence)}
    for activity in evidence.activity:
        place = (activity.layer, activity.direction)
        differs = 0.0 if _blind(evidence, activity) else activity.driven
        if differs is not None and differs < LEAST and place not in stuck:
            says = f"it ignores its inputs: whatever they are, what it puts out differs by {differs:.1g} of its size"
            yield Finding("unmoved", says, RULE, differs, activity.layer, direction=activity.direction)
            return


def _blind(evidence: Evidence, activity: LayerActivity) -> bool:
    """Whether the weights of a layer's inputs are next to 0, for each of its units and gates."""
    name = f"{tensor_prefix(activity.layer, activity.direction)}weight_ih"
    rows = evidence.subject.hidden * max(1, len(activity.gates))
    return any(t.tensor == name and t.weight / rows**0.5 < NOTHING for t in evidence.flow.tensors)
