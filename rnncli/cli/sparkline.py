"""A row of numbers as a row of bars, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

BARS = "▁▂▃▄▅▆▇█"
NONE = " "


def sparkline(values: Sequence[float], low: float, high: float, width: int) -> str:
    """Bars between low and high; each stands for as many values as have to share one, by their mean. A blank is a
    value below low, or none.
    """
    return "".join(_bar(sum(shared) / len(shared), low, high) for shared in _shared(values, width))


def log_sparkline(values: Sequence[float], smallest: float, width: int) -> str:
    """Bars on a logarithmic scale from `smallest` to 1, each for the largest of its values, so that those that stand
    apart are seen; a blank is a value below `smallest`.
    """
    logs = [math.log10(value) if value > 0 else -math.inf for value in values]
    return "".join(_bar(max(shared), math.log10(smallest), 0.0) for shared in _shared(logs, width))


def _shared(values: Sequence[float], width: int) -> list[Sequence[float]]:
    """The values in as many parts as there are bars."""
    count = min(width, len(values))
    edges = [round(place * len(values) / count) for place in range(count + 1)] if count else []
    return [values[a:b] for a, b in pairwise(edges)]


def _bar(value: float, low: float, high: float) -> str:
    if not value >= low:
        return NONE
    place = (min(value, high) - low) / (high - low) if high > low else 1.0
    return BARS[min(len(BARS) - 1, int(place * len(BARS)))]
