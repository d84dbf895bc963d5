"""The gates of an evaluation: bounds that scores must keep, and whether they do."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rnncli.errors import UsageError
from rnncli.evaluation.paired import Comparison
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
        """Whether the score fails the gate; an undefined one does."""
        return math.isnan(value) or _COMPARISONS[self.sign](value, self.limit)


class Gated(Protocol):
    """A report as gates see it, whatever its task."""

    @property
    def in_sample(self) -> bool | None:
        """Whether any score is of what training may have seen; None if that is not known."""

    @property
    def model_scores(self) -> dict[str, float]:
        """The model's value of every metric, NaN where undefined."""

    def against(self, rival: str) -> Comparison:
        """The model compared with a baseline, as reports call it."""


@dataclass(frozen=True)
class Outcome:
    """A gate, whether it was passed, and why."""

    gate: str
    passed: bool
    reason: str
    facts: dict[str, Any]

    @property
    def undecided(self) -> bool:
        """Whether there was too little to test on."""
        return "p" in self.facts and self.facts["p"] is None

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {"gate": self.gate, "passed": self.passed, "reason": self.reason, **self.facts}


def read_condition(text: str, task: str) -> Condition:
    """A condition such as `mase>1`. UsageError if it is none, or of a metric that the task does not have."""
    found = condition_of(text)
    if not any(found.metric == metric or found.metric.startswith(f"{metric}_") for metric in METRICS[task]):
        raise _unknown(found.metric, list(METRICS[task]))
    return found


def condition_of(text: str, example: str = "mase>1") -> Condition:
    """A condition over numbers by name. UsageError, with an example, if it is none."""
    match = _CONDITION.fullmatch(text)
    if match is None or not _is_number(match[3]):
        raise UsageError(
            f"--fail-if cannot be {text!r}", hint=f"for example --fail-if '{example}', with >, >=, < or <="
        )
    return Condition(text.strip(), match[1].lower(), match[2], float(match[3]))


def rival_name(text: str, task: str) -> str:
    """The baseline of a task that `--must-beat` names, as reports call it."""
    known = BASELINES[task]
    if text not in known:
        raise UsageError(f"--must-beat cannot be {text!r}", hint=did_you_mean(text, known))
    return str(find(known, text, "baseline").name)


def outcomes(report: Gated, conditions: Sequence[Condition], rivals: Sequence[str], alpha: float) -> list[Outcome]:
    """Every gate's outcome. UsageError if a metric or a baseline is not in the report."""
    if report.in_sample:
        reason = "the scores are in-sample, and prove nothing"
        return [Outcome(name, passed=False, reason=reason, facts={}) for name in _names(conditions, rivals)]
    return [
        *(outcome_of(report.model_scores, condition) for condition in conditions),
        *(_of_rival(report.against(rival), alpha) for rival in rivals),
    ]


def _names(conditions: Sequence[Condition], rivals: Sequence[str]) -> list[str]:
    return [condition.text for condition in conditions] + [f"better than {rival}" for rival in rivals]


def outcome_of(scores: Mapping[str, float], condition: Condition) -> Outcome:
    """A condition's outcome over numbers by name. UsageError if its own is not among them."""
    if condition.metric not in scores:
        raise _unknown(condition.metric, list(scores))
    value = scores[condition.metric]
    shown = "undefined" if math.isnan(value) else f"{value:.4g}"
    facts = {"value": None if math.isnan(value) else value}
    return Outcome(condition.text, not condition.holds(value), f"{condition.metric} is {shown}", facts)


def _of_rival(found: Comparison, alpha: float) -> Outcome:
    shown = found.method if math.isnan(found.p) else f"p = {found.p:.3g} ({found.method})"
    reason = f"{found.metric} differs by {found.difference:.3g} from that of {found.rival}, {shown}"
    return Outcome(f"better than {found.rival}", found.better(alpha), reason, found.to_json() | {"alpha": alpha})


def _unknown(name: str, known: list[str]) -> UsageError:
    return UsageError(f"there is no metric {name!r}", hint=did_you_mean(name, known))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
