"""Look at the series that dominate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncli.diagnostics.dominance import NAMED
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding, Proposal, named


def series(_: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """Their units, jumps and outliers: `rnncli check` names them, and `--fix` mends what can be."""
    against = named(findings, "dominated")
    for finding in findings:
        if finding.check == "dominated":
            shown = ", ".join(map(repr, finding.series[:NAMED]))
            yield Proposal("series", against, f"look at {shown} with `rnncli check`: a unit, a jump, an outlier?")


def sorted_rows(_: Evidence, findings: Sequence[Finding]) -> Iterator[Proposal]:
    """The column of times says in which order rows come; nothing else does."""
    if against := named(findings, "unordered"):
        yield Proposal(
            "sorted-rows", against, "see whether --time names the column that orders the rows of each series"
        )
