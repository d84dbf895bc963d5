"""A context as long as a lag that matters, or as short as what is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.checks.context import LONGEST, lag_bridged
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named

FEWEST = 8


def context(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """What a lag that matters needs; or twice what is used, but never less than that. Series that are read whole have
    no context to choose.
    """
    if evidence.subject.whole:
        return
    option = evidence.subject.context_option
    needed, used = lag_bridged(evidence.subject), evidence.memory.used
    if short := named(findings, "context-short"):
        yield Proposal(
            "context",
            short,
            f"a {evidence.subject.lag_name} of {needed} steps then fits",
            {option: _holding(needed)},
        )
    if beyond := named(findings, "dilation-beyond"):
        longest = max(evidence.subject.dilations)
        yield Proposal("context", beyond, f"a state passed over {longest} steps then comes back", {option: 2 * longest})
    shorter = max(FEWEST, 2 * used, _holding(needed))
    if (long := named(findings, "context-long")) and shorter < evidence.subject.context:
        why = "fewer steps take less time; --try says whether training does as well with them"
        yield Proposal("context", long, why, {option: shorter})


def tbptt(evidence: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Gradients that go back as far as a lag that matters."""
    needed = lag_bridged(evidence.subject)
    if short := named(findings, "tbptt-short"):
        why = f"gradients then go back through a {evidence.subject.lag_name} of {needed} steps"
        yield Proposal("tbptt", short, why, {"tbptt": _holding(needed)})


def _holding(lag: int) -> int:
    """Twice a short lag and a long one once, as planned by default."""
    return min(LONGEST, 2 * lag if lag <= LONGEST // 4 else lag)
