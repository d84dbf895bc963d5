"""The verdict on a network that knows how documents go on, from held-out rows: in numbers, and in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rnncli.evaluation.paired import Comparison
from rnncli.outline import metric_name

NETWORK = "network"
ALPHA = 0.05


def compared(found: Comparison) -> dict[str, Any]:
    """A paired test of the network as a training record has it."""
    return {
        "rival": found.rival,
        "metric": found.metric,
        "better": found.difference < 0,
        "difference": finite(found.difference),
        "p": finite(found.p),
        "method": found.method,
    }


def finite(value: float) -> float | None:
    """A number as JSON has it: None where it is undefined."""
    return value if math.isfinite(value) else None


def verdict(record: Mapping[str, Any], what: str, unit: str) -> str:
    """The verdict of held-out rows, also where it is not what one would like to hear; they are so many of a `unit`, and
    together they are called `what`.
    """
    validation, found = record["validation"], record["comparisons"].get(NETWORK)
    if not validation or found is None:
        return f"there are too few {what} to tell whether the network is better than what is simpler"
    rival, count = found["rival"], record["validated_origins"]
    figures = [
        f"{metric_name(name)} {_shown(value)} against {_shown(validation[rival][name])}"
        for name, value in validation[NETWORK].items()
    ]
    p = found["p"]
    figures += [f"{count:,} {unit}{'s' * (count != 1)}", *([] if p is None else [f"p = {p:.2g}"])]
    better = found["better"]
    unsure = " (but this may be chance)" if better and (p is None or p > ALPHA) else ""
    than = "better" if better else "no better"
    return f"the network is {than}{unsure} than the {rival} on held-out {what} ({', '.join(figures)})"


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
