"""Steps that lead nowhere: too small, cut to nothing, or each after one crop alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import NOTE, Finding

LITTLE, LOW = 0.1, 1e-4
CUT = 100.0
SMALL = (
    f"all planned steps together move the median recurrent or input matrix by less than {LITTLE:g} of its norm, and the"
    f" learning rate is below {LOW:g}"
)
SHORT = f"a usual gradient is more than {CUT:g} times as long as the clip, so that steps keep nothing of its length"
ONE = "a step follows one crop alone"


def small_updates(evidence: Evidence) -> Iterator[Finding]:
    """The learning rate is too low for the planned steps."""
    steps, planned = evidence.steps, evidence.subject.steps
    updates = [steps.update(name) for name in steps.tensors if name.startswith("layer") and "weight" in name]
    way = float(np.median(updates)) * planned if updates else np.inf
    if way < LITTLE and evidence.subject.learning_rate < LOW:
        says = f"{planned:,} steps move the weights of a layer by {way:.2g} of their norm at most"
        yield Finding("small-updates", says, SMALL, way)


def clip_small(evidence: Evidence) -> Iterator[Finding]:
    """The clip is far below a usual gradient."""
    norms = np.array(evidence.steps.norms)
    usual = float(np.median(norms[np.isfinite(norms)])) if np.isfinite(norms).any() else 0.0
    if usual > CUT * evidence.subject.clip:
        says = f"gradients are clipped at {evidence.subject.clip:.2g}, and a usual one has a norm of {usual:.3g}"
        yield Finding("clip-small", says, SHORT, usual / evidence.subject.clip)


def batch_one(evidence: Evidence) -> Iterator[Finding]:
    """What one crop asks for is mostly noise."""
    if evidence.subject.batch == 1:
        yield Finding("batch-one", "each step follows one crop, and the next one another", ONE, 1.0, severity=NOTE)
