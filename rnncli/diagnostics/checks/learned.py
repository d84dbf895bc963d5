"""Trained networks that know nothing of these data, that know the rows by heart, or that say what needs no network."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import FAULT, NOTE, Finding
from rnncli.diagnostics.learned import Asked, excess

LEAST, GAP, NEAR, WORSE = 0.05, 0.25, 0.1, 0.05
LAST, SEASON = "last", "first season"
UNTAUGHT = (
    "on rows that training saw the loss is not certainly lower than that of the same network untrained, and certainly"
    f" not by {LEAST:.0%}: by the interval of the difference"
)
OVERFITTED = (
    f"training made the loss lower on rows that it saw, and by {GAP:.0%} less on rows held out, where it is not lower"
    " than that of the untrained network; each with its whole interval"
)
ECHO = (
    f"forecasts differ from the last value by less than {NEAR:.0%} of what then comes, and so does the whole interval;"
    " a fault where a plain forecast is better than the last value, with its whole interval"
)
NAIVE = (
    f"on rows held out forecasts are worse by more than {WORSE:.0%} than the last value and than the last season, each"
    " with its whole interval"
)


def untaught(evidence: Evidence) -> Iterator[Finding]:
    """Weights that do not belong to these data: shuffled, of other series, or never trained."""
    if evidence.learned is None:
        return
    asked = evidence.learned.saw
    found = asked.gain_interval
    if found is not None and found[0] <= 0 and found[1] < LEAST:
        says = (
            f"its loss is {_than(-asked.gain)} than that of the same network untrained: do these weights belong here?"
        )
        yield Finding("untaught", says, UNTAUGHT, asked.gain)


def overfitted(evidence: Evidence) -> Iterator[Finding]:
    """What was learnt by heart."""
    learned = evidence.learned
    if learned is None or learned.held is None:
        return
    saw, held = learned.saw.gain_interval, learned.held.gain_interval
    if saw is not None and held is not None and saw[0] > 0 and held[1] < min(0.0, saw[0] - GAP):
        says = (
            f"training made the loss {learned.saw.gain:.0%} lower on rows it saw, and it is"
            f" {_than(-learned.held.gain)} on those held out"
        )
        yield Finding("overfitted", says, OVERFITTED, learned.held.gain)


def echo(evidence: Evidence) -> Iterator[Finding]:
    """Forecasts that say the last value again."""
    learned = evidence.learned
    asked = learned and (learned.held or learned.saw)
    if not asked or asked.far is None or LAST not in asked.plain:
        return
    moved = asked.plain[LAST]
    share, found = excess(asked.far, moved, asked.groups)
    if found is None or 1 + found[1] >= NEAR:
        return
    better = _better(asked)
    rather = f"; {better} would be better" if better else ", and here nothing plain is better"
    says = f"its forecasts are the last value, but for {1 + share:.1%} of what then comes{rather}"
    yield Finding("echo", says, ECHO, 1 + share, severity=FAULT if better else NOTE)


def _better(asked: Asked) -> str:
    """A plain forecast that is certainly better than the last value, "" where there is none."""
    for name, error in asked.plain.items():
        _, found = excess(error, asked.plain[LAST], asked.groups)
        if found is not None and found[1] < 0:
            return name
    return ""


def worse_than_naive(evidence: Evidence) -> Iterator[Finding]:
    """Forecasts for which no network is needed."""
    held = evidence.learned and evidence.learned.held
    if not held or held.error is None:
        return
    naive = [excess(held.error, held.plain[name], held.groups) for name in (LAST, SEASON) if name in held.plain]
    if naive and all(found is not None and found[0] > WORSE for _, found in naive):
        more = min(share for share, _ in naive)
        says = f"on rows held out its error is {_than(more)} than that of naive forecasts"
        yield Finding("worse-than-naive", says, NAIVE, more)


def _than(more: float) -> str:
    return f"{more:.0%} higher" if more > 0 else f"{-more:.1%} lower"
