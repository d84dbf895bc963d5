"""The result of `inspect-gradients`, as data: a table, a picture or JSON is made from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.diagnostics import document
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import FAULT, Finding, Proposal, examine, prescribe
from rnncli.diagnostics.reach import told
from rnncli.diagnostics.trial import Trial
from rnncli.diagnostics.verdict import Verdict
from rnncli.outline import Outline, shown
from rnncli.registry import TRIAL_CHECKS, find

SCHEMA = "rnncli.inspect-gradients/2"
OUTLINED = 4  # layers, and findings


@shown
@dataclass(frozen=True)
class GradientReport:
    """What was measured, what is wrong, what may be done; `before` and `trials` where remedies were tried."""

    evidence: Evidence
    findings: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    before: Trial | None = None
    trials: tuple[Trial, ...] = ()

    @classmethod
    def of(cls, evidence: Evidence) -> GradientReport:
        """What the checks and remedies make of the evidence."""
        with np.errstate(all="ignore"):
            findings = examine(evidence)
            return cls(evidence, findings, prescribe(evidence, findings))

    def tried(self, before: Trial, trials: tuple[Trial, ...]) -> GradientReport:
        """The report with remedies tried, and what that shows."""
        shown = [one for name in TRIAL_CHECKS for one in find(TRIAL_CHECKS, name, "check")(before, trials)]
        return replace(self, findings=(*self.findings, *shown), before=before, trials=trials)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict on each layer, and on each direction of a bidirectional one, the lowest first."""
        return self.evidence.verdicts

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that keep a network from learning."""
        return tuple(finding for finding in self.findings if finding.severity == FAULT)

    @property
    def diagnosis(self) -> str:
        """The first fault's name, "healthy" where there is none, "not enough data" where nothing can be said."""
        if self.faults:
            return self.faults[0].check
        names = {verdict.name for verdict in self.verdicts}
        return "healthy" if names != {"not enough data"} else "not enough data"

    def outline(self) -> Outline:
        """The diagnosis, the verdict on each layer, what is wrong and what may be done."""
        layers = [
            (flow.name, f"{verdict.name}: {verdict.reason}")
            for flow, verdict in zip(self.evidence.flow.layers, self.verdicts, strict=True)
        ]
        found = [(finding.check, finding.says) for finding in self.findings]
        remedies = [("remedy", f"{p.flags}: {p.why}" if p.flags else p.why) for p in self.proposals]
        facts = [("diagnosis", self.diagnosis), *layers[:OUTLINED], *found[:OUTLINED], *remedies[:1]]
        reach = self.evidence.reach
        return Outline("GradientReport", facts, *(() if reach is None else told(reach)))

    def has(self, name: str) -> bool:
        """Whether a verdict or a finding has this name."""
        return any(v.name == name for v in self.verdicts) or any(f.check == name for f in self.findings)

    def layers_with(self, name: str) -> tuple[int, ...]:
        """The layers with this verdict or finding."""
        pairs = zip(self.evidence.flow.layers, self.verdicts, strict=True)
        judged = {flow.layer for flow, verdict in pairs if verdict.name == name}
        return tuple(sorted(judged | {f.layer for f in self.findings if f.check == name and f.layer is not None}))

    def advice(self, names: Iterable[str]) -> str:
        """The first remedy against any of these, as a flag."""
        wanted = set(names)
        return next((f"try train {p.flags}" for p in self.proposals if p.flags and wanted & set(p.against)), "")

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`: finite numbers or null."""
        evidence = self.evidence
        body = {
            "schema": SCHEMA,
            "diagnosis": self.diagnosis,
            **document.subject(evidence),
            "rules": document.rules(),
            "layers": [document.layer(evidence, index) for index in range(len(evidence.flow.layers))],
            "memory": document.memory(evidence),
            **({} if evidence.reach is None else {"reach": document.reach(evidence.reach)}),
            "parameters": document.parameters(evidence),
            "training_steps": document.training_steps(evidence),
            "series_shares": document.series(evidence),
            "findings": [document.finding(finding) for finding in self.findings],
            "remedies": [document.proposal(proposal) for proposal in self.proposals],
            "before": None if self.before is None else self.before.to_json(),
            "trials": [trial.to_json() for trial in self.trials],
        }
        plain: dict[str, Any] = _finite(body)
        return plain


def _finite(value: Any) -> Any:
    """A value of JSON, with null for numbers that are not finite."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
