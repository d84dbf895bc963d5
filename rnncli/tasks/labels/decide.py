"""What held-out sequences decide, which pooling answers and how sure it may be, and what they say of the result."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.baselines.labels.sequences import Sequences
from rnncli.data.panel import Panel
from rnncli.evaluation.labels.report import LabelReport
from rnncli.evaluation.labels.run import Asked, Labelled, evaluate_classes, evaluate_numbers
from rnncli.evaluation.paired import Comparison
from rnncli.evaluation.run import MODEL
from rnncli.tasks.labels.pictures import summaries, summed_up
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.labels.temperature import fitted_temperature
from rnncli.tasks.labels.validation import Validated
from rnncli.tasks.plan import Trained

SMALLEST = 1e-15
NETWORK = "network"
CLASS_METRICS, NUMBER_METRICS = ("accuracy", "log_loss"), ("mae", "wql")  # that training shows


@dataclass(frozen=True)
class Decided:
    """Which of the poolings answers, and the temperature of its classes (1: as it is)."""

    pooling: int = 0
    temperature: float = 1.0


def decided(trained: Trained[LabelSpec]) -> Decided:
    """The first pooling, unless another one's held-out answers are better by more than a standard error of the
    difference; and the temperature of what it says.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None:
        return Decided()
    chosen = _pooling(found.losses(spec))
    if not spec.classes:
        return Decided(chosen)
    labels = np.where(np.isnan(found.labels), -1, found.labels).astype(np.int64)
    return Decided(chosen, fitted_temperature(_logs(found.said[:, chosen]), labels))


def _pooling(losses: Floats) -> int:
    known = losses[~np.isnan(losses).any(axis=1)]
    best, gain = 0, 0.0
    for place in range(1, known.shape[1]):
        better = known[:, 0] - known[:, place]
        if better.mean() > max(gain, better.std() / math.sqrt(max(len(better), 1))):
            best, gain = place, float(better.mean())
    return best


def _logs(probabilities: Floats) -> Floats:
    return np.log(np.maximum(probabilities, SMALLEST))


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities [..., C] at another temperature: p^(1/T), added up to 1."""
    if temperature == 1:
        return probabilities
    logs = _logs(probabilities) / temperature
    odds = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def scores(panel: Panel, trained: Trained[LabelSpec], decision: Decided) -> dict[str, Any]:
    """The training record's part about the held-out sequences: the scores of the network and of what is simpler and
    learns from the others, and whether the network is better than the best of these, by a paired test.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or np.isnan(found.labels).all():
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    report = _report(panel, found, decision, spec)
    shown = CLASS_METRICS if spec.classes else NUMBER_METRICS
    overall = {NETWORK if name == MODEL else name: one.overall for name, one in report.scores.items()}
    rivals = [name for name in overall if name != NETWORK]
    rival = min(rivals, key=lambda name: overall[name][shown[1]], default=None)
    comparison = {} if rival is None else {NETWORK: _compared(report.against(rival))}
    return {
        "validation": {name: {metric: _known(one[metric]) for metric in shown} for name, one in overall.items()},
        "validated_origins": report.labels,
        "comparisons": comparison,
    }


def _compared(found: Comparison) -> dict[str, Any]:
    better = found.difference > 0 if found.direction == "higher" else found.difference < 0
    numbers = {"difference": _known(found.difference), "p": _known(found.p)}
    return {"rival": found.rival, "metric": found.metric, "better": better, **numbers, "method": found.method}


def _report(panel: Panel, found: Validated, decision: Decided, spec: LabelSpec) -> LabelReport:
    held = found.holdout.series
    others = np.setdiff1d(np.arange(len(panel)), held)
    said = found.said[:, decision.pooling]
    asked, learnt = labelled(panel.select(held), spec), labelled(panel.select(others), spec)
    asked = Asked(asked.sequences, asked.labels)
    if not spec.classes:
        return evaluate_numbers(asked, said, spec.levels, learnt)
    return evaluate_classes(asked, tempered(said, decision.temperature), panel.channels[0].vocabulary, learnt)


def labelled(panel: Panel, spec: LabelSpec) -> Labelled:
    """The sequences of a panel as baselines take them, with their labels; frames are summed up in few numbers."""
    if spec.pictures is None:
        values, categories = panel.values[:, 1:], tuple(len(channel.vocabulary) for channel in panel.channels[1:])
    else:
        values, categories = summed_up(panel), (0,) * summaries(spec.pictures.shape)
    sequences = Sequences(values, panel.offsets, categories, spec.per_step)
    labels = panel.targets if spec.per_step else panel.targets[panel.offsets[:-1]]
    if not spec.classes:
        return Labelled(sequences, labels)
    return Labelled(sequences, np.where(np.isnan(labels), -1, labels).astype(np.int64))


def settled_spec(spec: LabelSpec, decision: Decided) -> LabelSpec:
    """The spec of the model that is kept: of the poolings the one that answers."""
    return replace(spec, poolings=(spec.poolings[decision.pooling],))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
