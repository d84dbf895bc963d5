"""Gradients of which nothing is left at the lags that matter."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.profile import LayerFlow
from rnncli.diagnostics.verdict import RULES


def vanishing(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged."""
    for flow, verdict in zip(evidence.flow.layers, evidence.verdicts, strict=True):
        if verdict.name == "vanishing":
            says, rule = _says(flow, verdict.reason), RULES["vanishing"]
            yield Finding("vanishing", says, rule, verdict.number, flow.layer, direction=flow.direction)


def _says(flow: LayerFlow, reason: str) -> str:
    gone = flow.gone
    return reason if gone is None else f"{reason}, and it is gone, below float32's precision, from lag {gone} on"
