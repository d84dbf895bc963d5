"""A few series that decide where training goes."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.dominance import NAMED, SHARE, TIMES
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding

RULE = (
    f"series with more than {TIMES:g} times the loss, or the gradient, of the median series make up {SHARE:.0%} of all"
)


def dominated(evidence: Evidence) -> Iterator[Finding]:
    """Series that dominate the loss or the gradient, by id."""
    shares = evidence.series
    for what, values in (("loss", shares.losses), ("gradient", shares.gradients)):
        ids = shares.dominant(values)
        if ids:
            part = sum(shares.share(name, values) for name in ids)
            shown = ", ".join(map(repr, ids[:NAMED])) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")
            yield Finding("dominated", f"{part:.0%} of the {what} is from {shown}", RULE, part, series=ids)
            return
