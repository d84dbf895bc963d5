"""What cannot reach as far back as it is asked to."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.checks.context import lag_bridged
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding

TRUNCATED = "gradients go back through fewer steps than a lag that matters (a season) has"
SKIPPING = "a dilated layer passes its state over more steps than the network is run"


def tbptt_short(evidence: Evidence) -> Iterator[Finding]:
    """The state is carried on, and no gradient says what should be in it."""
    subject, needed = evidence.subject, lag_bridged(evidence.subject)
    if subject.tbptt is not None and subject.tbptt < needed:
        says = f"gradients go back through {subject.tbptt} steps, and a {subject.lag_name} has {needed}"
        yield Finding("tbptt-short", says, TRUNCATED, float(subject.tbptt))


def dilation_beyond(evidence: Evidence) -> Iterator[Finding]:
    """No state of such a layer ever comes back to it."""
    subject = evidence.subject
    for layer, dilation in enumerate(subject.dilations):
        if dilation > 1 and dilation >= subject.context:
            says = f"it passes its state over {dilation} steps, and the context has {subject.context}"
            yield Finding("dilation-beyond", says, SKIPPING, float(dilation), layer)
