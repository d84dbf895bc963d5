"""Gradients of which nothing is left where the data repeat themselves."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.verdict import RULES


def vanishing(evidence: Evidence) -> Iterator[Finding]:
    """The layers so judged."""
    for index, verdict in enumerate(evidence.verdicts):
        if verdict.name == "vanishing":
            yield Finding(
                "vanishing", _says(evidence, index, verdict.reason), RULES["vanishing"], verdict.number, index
            )


def _says(evidence: Evidence, layer: int, reason: str) -> str:
    gone = evidence.flow.layers[layer].gone
    return reason if gone is None else f"{reason}, and it is gone, below float32's precision, from lag {gone} on"
