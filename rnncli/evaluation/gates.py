"""What a score must be: the gates of an evaluation, and whether they were passed."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rnncli.baselines.baseline import Baseline
from rnncli.errors import UsageError
from rnncli.evaluation.paired import Comparison, compare
from rnncli.evaluation.report import Report
from rnncli.evaluation.run import MODEL
from rnncli.near import did_you_mean
from rnncli.registry import BASELINES, METRICS, find

_CONDITION = re.compile(r"\s*([a-z][a-z0-9_.-]*)\s*(>=|<=|>|<)\s*([-+]?[0-9.]+(?:e[-+]?\d+)?)\s*", re.IGNORECASE)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Condition:
    """A score that must not be so: `mase>1`."""

    text: str
    metric: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether the score is so; of one that is undefined nobody knows that it is not."""
        return math.isnan(value) or _COMPARISONS[self.sign](value, self.limit)


@dataclass(frozen=True)
class Outcome:
    """A gate, whether it was passed, and why."""

    gate: str
    passed: bool
    reason: str
    facts: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {"gate": self.gate, "passed": self.passed, "reason": self.reason, **self.facts}


def read_condition(text: str) -> Condition:
    """A condition such as `mase>1`. UsageError if it is none, or of a metric that there is not."""
    match = _CONDITION.fullmatch(text)
    if match is None or not _is_number(match[3]):
        raise UsageError(f"--fail-if cannot be {text!r}", hint="for example --fail-if 'mase>1', with >, >=, < or <=")
    name = match[1].lower()
    if not any(name == metric or name.startswith(f"{metric}_") for metric in METRICS["forecast"]):
        raise _unknown(name, list(METRICS["forecast"]))
    return Condition(text.strip(), name, match[2], float(match[3]))


def rival_name(text: str) -> str:
    """The baseline that `--must-beat` names, as reports call it."""
    if text not in BASELINES["forecast"]:
        raise UsageError(f"--must-beat cannot be {text!r}", hint=did_you_mean(text, BASELINES["forecast"]))
    baseline: Baseline = find(BASELINES["forecast"], text, "baseline")
    return baseline.name


def outcomes(report: Report, conditions: Sequence[Condition], rivals: Sequence[str], alpha: float) -> list[Outcome]:
    """Every gate's outcome. UsageError if a metric is not in the report."""
    if report.in_sample:
        reason = "the scores are in-sample, and prove nothing"
        return [Outcome(name, passed=False, reason=reason, facts={}) for name in _names(conditions, rivals)]
    return [
        *(_of_condition(report, condition) for condition in conditions),
        *(_of_rival(compare(report.losses, MODEL, rival), alpha) for rival in rivals),
    ]


def _names(conditions: Sequence[Condition], rivals: Sequence[str]) -> list[str]:
    return [condition.text for condition in conditions] + [f"better than {rival}" for rival in rivals]


def _of_condition(report: Report, condition: Condition) -> Outcome:
    scores = report.scores[MODEL].overall
    if condition.metric not in scores:
        raise _unknown(condition.metric, list(scores))
    value = scores[condition.metric]
    shown = "undefined" if math.isnan(value) else f"{value:.4g}"
    facts = {"value": None if math.isnan(value) else value}
    return Outcome(condition.text, not condition.holds(value), f"{condition.metric} is {shown}", facts)


def _of_rival(found: Comparison, alpha: float) -> Outcome:
    shown = found.method if math.isnan(found.p) else f"p = {found.p:.3g} ({found.method})"
    reason = f"MASE differs by {found.difference:.3g} from that of the {found.rival} forecast, {shown}"
    return Outcome(f"better than {found.rival}", found.better(alpha), reason, found.to_json() | {"alpha": alpha})


def _unknown(name: str, known: list[str]) -> UsageError:
    return UsageError(f"there is no metric {name!r}", hint=did_you_mean(name, known))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
