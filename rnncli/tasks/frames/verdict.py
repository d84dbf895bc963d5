"""Whether a network that knows how frames go on is worth having, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.outline import metric_name
from rnncli.tasks.frames.decide import NETWORK

ALPHA = 0.05


def verdict(record: Mapping[str, Any]) -> str:
    """What the held-out frames say, also where it is not what one would like to hear."""
    validation, found = record["validation"], record["comparisons"].get(NETWORK)
    if not validation or found is None:
        return "there are too few frames to tell whether the network is better than what is simpler"
    rival, count = found["rival"], record["validated_origins"]
    figures = [
        f"{metric_name(name)} {_shown(value)} against {_shown(validation[rival][name])}"
        for name, value in validation[NETWORK].items()
    ]
    p = found["p"]
    figures += [f"{count:,} forecast{'s' * (count != 1)}", *([] if p is None else [f"p = {p:.2g}"])]
    better = found["better"]
    unsure = " (but this may be chance)" if better and (p is None or p > ALPHA) else ""
    what = "better" if better else "no better"
    worse = _leads_where_worse(record.get("by_lead", {}), rival) if better else []
    where = f", though not at lead {', '.join(map(str, worse))}" if worse else ""
    return f"the network is {what}{unsure} than the {rival} on held-out frames{where} ({', '.join(figures)})"


def _leads_where_worse(by_lead: Mapping[str, list[float | None]], rival: str) -> list[int]:
    pairs = zip(by_lead.get(NETWORK, []), by_lead.get(rival, []), strict=False)
    return [1 + lead for lead, (ours, theirs) in enumerate(pairs) if ours and theirs and ours >= theirs]


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
