"""Whether a forecast's network is worth having, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.tasks.forecast.pool import NETWORK, Pool


def verdict(record: Mapping[str, Any], pool: Pool) -> str:
    """What the validation says, also where it is not what one would like to hear."""
    validation, origins = record["validation"], record["validated_origins"]
    if not validation or all(value is None for value in validation[NETWORK].values()):
        return "the series are too short to tell whether the network is better than a naive forecast"
    found = record["comparisons"][NETWORK]
    scored = validation[NETWORK], validation[found["rival"]]
    wins = _lower(*(s["mase"] for s in scored)), _lower(*(s["wql"] for s in scored))
    figures = [
        f"{metric.upper()} {_shown(scored[0][metric])} against {_shown(scored[1][metric])}"
        for metric in ("mase", "wql")
    ]
    figures += [_count(origins, "origin"), *([] if found["p"] is None else [f"p = {found['p']:.2g}"])]
    what = {(True, True): "better", (False, False): "no better"}.get(wins, _DIVIDED[wins[0]])
    unsure = " (but this may be chance)" if any(wins) and (found["p"] is None or found["p"] > ALPHA) else ""
    return (
        f"the network is {what}{unsure} than the {found['rival']} forecast on held-out rows ({', '.join(figures)}); "
        f"the forecast is {pool}"
    )


ALPHA = 0.05
_DIVIDED = {
    True: "better in its median, but not in its quantiles,",
    False: "better in its quantiles, but not in its median,",
}


def _lower(one: float | None, other: float | None) -> bool:
    return one is not None and (other is None or one < other)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"


def _count(number: int, word: str) -> str:
    plural = word if number == 1 or word.endswith("s") else f"{word}s"
    return f"{number:,} {plural}"
