"""Gradients of which nothing is left at the lags that matter."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.profile import LayerFlow
from rnncli.diagnostics.verdict import RULES


def vanishing(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged, and those that carry what they lose."""
    for flow, verdict in zip(evidence.flow.layers, evidence.verdicts, strict=True):
        if verdict.name == "vanishing":
            above = _remembering(evidence, range(flow.layer + 1, evidence.subject.layers))
            beside = bypass(evidence, flow.layer) or (f"; more is kept in {above} above it" if above else "")
            says, rule = _says(flow.own, verdict.reason) + beside, RULES["vanishing"]
            yield Finding("vanishing", says, rule, verdict.number, flow.layer, direction=flow.direction)


def bypass(evidence: Evidence, layer: int) -> str:
    """The way past a layer that keeps nothing for long, in words: what lower layers remember is added to what it says,
    or goes through it at one step. "" where none remembers.
    """
    below = _remembering(evidence, range(layer))
    way = "past it by the residual" if evidence.subject.residual else "through it at one step"
    return f"; what is kept in {below} goes {way}" if below else ""


def _remembering(evidence: Evidence, layers: range) -> str:
    """The healthy ones of some layers, in words."""
    pairs = zip(evidence.flow.layers, evidence.verdicts, strict=True)
    places = [str(flow.layer) for flow, verdict in pairs if flow.layer in layers and verdict.name == "healthy"]
    return f"layer{'s' if len(places) > 1 else ''} {' and '.join(dict.fromkeys(places))}" if places else ""


def _says(flow: LayerFlow, reason: str) -> str:
    gone = flow.gone
    return reason if gone is None else f"{reason}, and it is gone, below float32's precision, from lag {gone} on"
