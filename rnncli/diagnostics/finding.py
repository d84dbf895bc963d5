"""What a check finds, and what may be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnncli.diagnostics.direction import layer_name
from rnncli.diagnostics.evidence import Evidence
from rnncli.registry import GRADIENT_CHECKS, REMEDIES, find

FAULT, NOTE = "fault", "note"


@dataclass(frozen=True)
class Finding:
    """One thing a check found: in which layer, and direction of it, if in one; the number it rests on, and the rule;
    `series` by id.

    A fault keeps the network from learning; a note is worth knowing.
    """

    check: str
    says: str
    rule: str
    number: float | None = None
    layer: int | None = None
    severity: str = FAULT
    series: tuple[str, ...] = ()
    direction: str = ""

    @property
    def place(self) -> str:
        """The layer by name, "" where it is in none."""
        return "" if self.layer is None else layer_name(self.layer, self.direction)


@dataclass(frozen=True)
class Proposal:
    """A remedy: options of `train` by keyword, against which findings, and why it should help. Without options it is
    something to look at, and cannot be tried.
    """

    remedy: str
    against: tuple[str, ...]
    why: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def flags(self) -> str:
        """The options as they are typed."""
        return " ".join(_flag(f"--{name.replace('_', '-')}", value) for name, value in self.options.items())


def _flag(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"without {name}"
    return f"{name} {value:.2g}" if isinstance(value, float) else f"{name} {value}"


Check = Callable[[Evidence], Iterable[Finding]]
Remedy = Callable[[Evidence, Sequence[Finding]], Iterable[Proposal]]


def examine(evidence: Evidence) -> tuple[Finding, ...]:
    """Whatever any check finds, faults first, otherwise in the registry's order."""
    checks: list[Check] = [find(GRADIENT_CHECKS, name, "check") for name in GRADIENT_CHECKS]
    found = [finding for check in checks for finding in check(evidence)]
    return tuple(sorted(found, key=lambda finding: finding.severity != FAULT))


def prescribe(evidence: Evidence, findings: Sequence[Finding]) -> tuple[Proposal, ...]:
    """What may be done, the best first: remedies in the registry's order, those against the first finding before
    those against later ones; each set of options once.
    """
    order = {name: place for place, name in reversed(list(enumerate(finding.check for finding in findings)))}
    remedies: list[Remedy] = [find(REMEDIES, name, "remedy") for name in REMEDIES]
    proposals = [p for remedy in remedies for p in remedy(evidence, findings)]
    ranked = sorted(proposals, key=lambda p: min(order.get(name, len(order)) for name in p.against))
    return tuple(
        {p.flags or p.why: p for p in reversed(ranked)}[key] for key in dict.fromkeys(p.flags or p.why for p in ranked)
    )


def named(findings: Sequence[Finding], *checks: str) -> tuple[str, ...]:
    """The names among `checks` of which there is a finding."""
    return tuple(check for check in checks if any(finding.check == check for finding in findings))
