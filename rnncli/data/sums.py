"""Sums that parts of the data add to without rounding."""

from __future__ import annotations

import math
from collections.abc import Sequence


def exact(values: Sequence[float]) -> list[float]:
    """A few numbers whose sum is exactly that of `values`, each what the sum leaves after those before it."""
    found: list[float] = []
    try:
        while rest := math.fsum([*values, *(-one for one in found)]):
            found.append(rest)
    except (OverflowError, ValueError):  # beyond what a number can be, or was so before
        return [math.inf]
    return found
