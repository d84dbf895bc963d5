"""Rows whose order says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding

RULE = (
    "the autocorrelations of the series and of their ranks, at lags 1, 2, 3 and those that matter, are no larger than"
    " those of the same rows shuffled are by chance (four standard deviations above their mean)"
)


def unordered(evidence: Evidence) -> Iterator[Finding]:
    """Rows that were shuffled, or numbers that do not depend on each other: there is nothing to remember."""
    order = evidence.order
    if order is not None and order.found <= order.limit:
        says = (
            f"rows might come in any order: their autocorrelation is {order.found:.2g}, and up to {order.limit:.2g} by"
            " chance; was the table shuffled, or its time column lost?"
        )
        yield Finding("unordered", says, RULE, order.found)
