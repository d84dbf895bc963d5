"""Whether a network that knows how documents go on is worth having, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.outline import metric_name
from rnncli.tasks.tokens.decide import NETWORK, OF_TIMES, TIMES

ALPHA = 0.05


def verdict(record: Mapping[str, Any]) -> str:
    """What the held-out tokens say, also where it is not what one would like to hear."""
    validation, found = record["validation"], record["comparisons"].get(NETWORK)
    if not validation or found is None:
        return "there are too few tokens to tell whether the network is better than what is simpler"
    rival, count = found["rival"], record["validated_origins"]
    figures = [
        f"{metric_name(name)} {_shown(value)} against {_shown(validation[rival][name])}"
        for name, value in validation[NETWORK].items()
        if name not in OF_TIMES
    ]
    p = found["p"]
    figures += [f"{count:,} token{'s' * (count != 1)}", *([] if p is None else [f"p = {p:.2g}"])]
    better = found["better"]
    unsure = " (but this may be chance)" if better and (p is None or p > ALPHA) else ""
    what = "better" if better else "no better"
    told = f"the network is {what}{unsure} than the {rival} on held-out tokens ({', '.join(figures)})"
    timed = record["comparisons"].get(TIMES)
    return told if timed is None else f"{told}; {_of_times(validation, timed)}"


RIVALS = {"time": "the median of all times", "time-after": "the median after the same event"}


def _of_times(validation: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What the held-out times say of the median time to the next event."""
    metric, rival, p = found["metric"], found["rival"], found["p"]
    ours, theirs = (_shown(validation[name][metric]) for name in (NETWORK, rival))
    better = found["better"]
    unsure = " (but this may be chance)" if better and (p is None or p > ALPHA) else ""
    p_is = "" if p is None else f", p = {p:.2g}"
    what = f"{'better' if better else 'no better'}{unsure} than {RIVALS[rival]}"
    return f"of the time to the next event it is {what} (off by {ours} against {theirs} {metric.split('_')[1]}{p_is})"


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
