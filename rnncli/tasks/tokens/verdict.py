"""Whether a network that knows how documents go on is worth having, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.outline import metric_name
from rnncli.tasks.tokens.decide import NETWORK


def verdict(record: Mapping[str, Any]) -> str:
    """What the held-out tokens say, also where it is not what one would like to hear."""
    validation = record["validation"]
    if NETWORK not in validation:
        return "there are too few tokens to tell whether the network is better than what is simpler"
    network = validation[NETWORK]
    rival = min((name for name in validation if name != NETWORK), key=lambda name: validation[name]["cross_entropy"])
    figures = [
        f"{metric_name(name)} {_shown(value)} against {_shown(validation[rival][name])}"
        for name, value in network.items()
    ]
    figures += [f"{record['validated_origins']:,} tokens"]
    better = network["cross_entropy"] < validation[rival]["cross_entropy"]
    what = "better" if better else "no better"
    return f"the network is {what} than {rival} on held-out tokens ({', '.join(figures)})"


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
