"""Whether a network that knows how documents go on, and when, is worth having."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.tasks.document_verdict import ALPHA, NETWORK
from rnncli.tasks.document_verdict import verdict as verdict_of
from rnncli.tasks.tokens.decide import OF_TIMES, POOL, TIMES

RIVALS = {"time": "the median of all times", "time-after": "the median after the same event"}


def verdict(record: Mapping[str, Any]) -> str:
    """What the held-out tokens say, and of events the times to them, also where it is not what one would like to
    hear.
    """
    validation, timed = record["validation"], record["comparisons"].get(TIMES)
    of_tokens = {name: {k: v for k, v in one.items() if k not in OF_TIMES} for name, one in validation.items()}
    told = verdict_of({**record, "validation": of_tokens}, "tokens", "token")
    if POOL in validation:
        told += f"; averaged with n-grams, as it predicts, its perplexity is {validation[POOL]['perplexity']:.4g}"
    return told if timed is None else f"{told}; {_of_times(validation, timed)}"


def _of_times(validation: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What the held-out times say of the median time to the next event."""
    metric, rival, p = found["metric"], found["rival"], found["p"]
    ours, theirs = (validation[name][metric] for name in (NETWORK, rival))
    better = found["better"]
    unsure = " (but this may be chance)" if better and (p is None or p > ALPHA) else ""
    p_is = "" if p is None else f", p = {p:.2g}"
    than = f"{'better' if better else 'no better'}{unsure} than {RIVALS[rival]}"
    return f"of the time to the next event it is {than} (off by {ours:.4g} against {theirs:.4g} {_unit(metric)}{p_is})"


def _unit(metric: str) -> str:
    return metric.removeprefix("mae_")
