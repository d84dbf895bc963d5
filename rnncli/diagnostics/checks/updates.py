"""Steps that are too long for the weights they change, or are cut short all the time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median_low

import numpy as np

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import NOTE, Finding

LARGE = 0.3
MOSTLY = 0.9
UPDATES = (
    f"the recurrent and input matrices (the lower median of all) move by more than {LARGE:g} of their norm a step, at"
    " the peak rate"
)
CLIPPED = f"more than {MOSTLY:.0%} of the steps are clipped, so that their length says nothing"


def large_updates(evidence: Evidence) -> Iterator[Finding]:
    """The learning rate is too high."""
    steps = evidence.steps
    matrices = [name for name in steps.tensors if name.startswith("layer") and "weight" in name]
    updates = [steps.update(name) for name in matrices]
    typical = median_low(updates) if updates else 0.0  # weights next to 0, which move by much, are no sign of the rate
    if typical > LARGE or not math.isfinite(typical):
        says = f"a step moves the weights of a layer by {typical:.2g} of their norm"
        yield Finding("large-updates", says, UPDATES, typical)


def clipped(evidence: Evidence) -> Iterator[Finding]:
    """Nearly every step is clipped."""
    share = evidence.steps.clipped
    if share > MOSTLY and len(evidence.steps.norms) > 3:
        usual = float(np.median(evidence.steps.norms))
        says = f"{share:.0%} of the steps are clipped; a usual gradient has a norm of {usual:.3g}"
        yield Finding("clipped", says, CLIPPED, share, severity=NOTE)
