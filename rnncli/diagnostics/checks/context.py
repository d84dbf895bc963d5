"""A context that is shorter than a lag that matters needs, or longer than anything the network uses."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence, Subject
from rnncli.diagnostics.finding import NOTE, Finding

LONGEST = 336  # steps; a longer lag is not bridged step by step
UNUSED = 8  # times what is used
SHORT = f"the network is run over fewer steps than a lag that matters (a season), up to {LONGEST} steps, has"
LONG = f"a trained network's loss stays the same when the context is cut to 1 / {UNUSED} of it"


def lag_bridged(subject: Subject) -> int:
    """The longest lag that matters and that a state is asked to carry over, in steps; 0 where there is none."""
    longest = min(LONGEST, subject.rows // 2)
    return max((lag for lag in subject.lags_that_matter if lag <= longest), default=0)


def context_short(evidence: Evidence) -> Iterator[Finding]:
    """No state can carry over a lag what never was in it."""
    subject = evidence.subject
    needed = lag_bridged(subject)
    if subject.context < needed:
        says = f"{subject.context} steps cannot hold a {subject.lag_name} of {needed}"
        yield Finding("context-short", says, SHORT, float(subject.context))


def context_long(evidence: Evidence) -> Iterator[Finding]:
    """What is not used costs time."""
    subject, used = evidence.subject, evidence.memory.used
    if subject.trained and used * UNUSED <= subject.context:
        says = f"the loss is the same with {used} of the {subject.context} steps"
        yield Finding("context-long", says, LONG, float(used), severity=NOTE)
