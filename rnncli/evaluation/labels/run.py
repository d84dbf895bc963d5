"""Runs an evaluation of labels: baselines beside the model, their scores, and paired tests between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.baselines.labels.baseline import ClassBaseline, NumberBaseline
from rnncli.baselines.labels.sequences import Sequences
from rnncli.errors import RnncliError
from rnncli.evaluation.labels.report import LabelReport
from rnncli.evaluation.labels.scores import Groups, LabelScores, score_classes, score_numbers
from rnncli.evaluation.paired import Comparison, Losses, compare, mcnemar
from rnncli.evaluation.run import MODEL
from rnncli.metrics.labels import log_losses, said
from rnncli.metrics.quantile import pinball
from rnncli.registry import BASELINES, find

B = TypeVar("B", ClassBaseline, NumberBaseline)
Comparisons = dict[str, tuple[Comparison, ...]]


@dataclass(frozen=True)
class Labelled:
    """Sequences and the labels [n] of what carries one: each sequence, or each row of those that are `per_step`.

    Labels are codes of classes (integers), -1 where there is none, or numbers (floats), NaN where there is none.
    """

    sequences: Sequences
    labels: Ints | Floats

    def __post_init__(self) -> None:
        if len(self.labels) != self.sequences.carriers:
            raise RnncliError(f"{len(self.labels)} labels for {self.sequences.carriers} sequences or steps")

    @property
    def known(self) -> Ints:
        """Places [k] of the labels that there are."""
        return np.flatnonzero(~np.isnan(self.labels) & (self.of_numbers | (self.labels >= 0)))

    @property
    def of_numbers(self) -> bool:
        """Whether labels are numbers."""
        return bool(np.issubdtype(self.labels.dtype, np.floating))

    @property
    def sequence(self) -> Ints:
        """The sequence [n] of every label."""
        return self.sequences.owner if self.sequences.per_step else np.arange(len(self.sequences))


@dataclass(frozen=True)
class Asked(Labelled):
    """What a model was asked and is scored on: `dishonest` [sequences] marks sequences that training saw (None where
    that is not known), `groups` has the group of every label [n].
    """

    dishonest: Bools | None = None
    groups: Groups | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Made:
    """Answers [k, ...] of the model (first) and the baselines for the labels that there are, by name, and why some
    baselines have none.
    """

    answers: dict[str, Floats]
    left_out: dict[str, str]


def evaluate_classes(
    asked: Asked, probabilities: Floats, classes: tuple[str, ...], trained: Labelled | None
) -> LabelReport:
    """Score a model's probabilities [n, K] beside baselines that learn from what it was `trained` on (none without it).

    The K classes that the model knows come first among `classes`; a label that is one of the others can only be wrong.
    """
    count, unseen = probabilities.shape[1], len(classes) - probabilities.shape[1]
    if len(probabilities) != len(asked.labels) or unseen < 0:
        raise RnncliError(
            f"probabilities {probabilities.shape} for {len(asked.labels)} labels of {len(classes)} classes"
        )

    def answer(baseline: ClassBaseline, trained: Labelled) -> Floats:
        return baseline.of(trained.sequences, trained.labels.astype(np.int64), count, asked.sequences)

    made = _made(ClassBaseline, probabilities, asked, trained, answer)
    truth = asked.labels[asked.known].astype(np.int64)
    every = {name: np.pad(one, ((0, 0), (0, unseen))) for name, one in made.answers.items()}
    right = {name: said(one) == truth for name, one in every.items()}
    losses = {name: log_losses(truth, one) for name, one in every.items()}
    scores = {name: score_classes(truth, one, _groups(asked)) for name, one in every.items()}
    comparisons: Comparisons = {
        rival: (_accuracy(asked, right, rival), compare(_by_sequence(asked, losses, "log_loss"), MODEL, rival))
        for rival in list(every)[1:]
    }
    return replace(_report(asked, scores, comparisons, made.left_out), classes=classes, unseen=classes[count:])


def evaluate_numbers(
    asked: Asked, quantiles: Floats, levels: tuple[float, ...], trained: Labelled | None
) -> LabelReport:
    """Score a model's quantiles [n, Q] at `levels` of number labels beside baselines: see `evaluate_classes`."""
    if quantiles.shape != (len(asked.labels), len(levels)):
        raise RnncliError(f"quantiles {quantiles.shape} for {len(asked.labels)} labels at {len(levels)} levels")

    def answer(baseline: NumberBaseline, trained: Labelled) -> Floats:
        return baseline.of(trained.sequences, trained.labels.astype(np.float64), levels, asked.sequences)

    made = _made(NumberBaseline, quantiles, asked, trained, answer)
    truth = asked.labels[asked.known].astype(np.float64)
    with np.errstate(all="ignore"):  # where every label is 0 there is no weighted quantile loss
        unit = np.abs(truth).mean() if len(truth) else np.nan
        losses = {name: 2 * pinball(truth, one, levels).mean(axis=-1) / unit for name, one in made.answers.items()}
    scores = {name: score_numbers(truth, one, levels, _groups(asked)) for name, one in made.answers.items()}
    comparisons: Comparisons = {
        rival: (compare(_by_sequence(asked, losses, "wql"), MODEL, rival),) for rival in list(made.answers)[1:]
    }
    return replace(_report(asked, scores, comparisons, made.left_out), levels=levels)


def _made(
    kind: type[B], mine: Floats, asked: Asked, trained: Labelled | None, answer: Callable[[B, Labelled], Floats]
) -> _Made:
    """Baselines of a kind that can label what is asked, and are not too much work, beside the model."""
    known = asked.known
    answers, left_out = {MODEL: mine[known]}, {}
    for name in BASELINES["labels"]:
        baseline = find(BASELINES["labels"], name, "baseline")
        if trained is None or not isinstance(baseline, kind) or (asked.sequences.per_step and not baseline.per_step):
            continue
        reason = baseline.too_much(trained.sequences, asked.sequences)
        if reason:
            left_out[baseline.name] = reason
        else:
            answers[baseline.name] = answer(baseline, trained)[known]
    return _Made(answers, left_out)


def _report(
    asked: Asked,
    scores: dict[str, LabelScores],
    comparisons: Comparisons,
    left_out: dict[str, str],
) -> LabelReport:
    known = asked.known
    scored = np.unique(asked.sequence[known])
    return LabelReport(
        scores=scores,
        sequences=len(scored),
        labels=len(known),
        unlabelled=len(asked.labels) - len(known),
        per_step=asked.sequences.per_step,
        dishonest=None if asked.dishonest is None else asked.dishonest[scored],
        comparisons=comparisons,
        groups=_groups(asked),
        left_out=left_out,
        notes=asked.notes,
    )


def _groups(asked: Asked) -> Groups | None:
    """The groups of the labels that there are."""
    return None if asked.groups is None else replace(asked.groups, of=asked.groups.of[asked.known])


def _accuracy(asked: Asked, right: dict[str, Bools], rival: str) -> Comparison:
    """Whether the model is right more often [k]: of sequences by McNemar's test; steps of a sequence are not
    independent, and whole sequences are resampled.
    """
    ours, theirs = right[MODEL], right[rival]
    if asked.sequences.per_step:
        wrong = {name: (~one).astype(np.float64) for name, one in right.items()}
        found = compare(_by_sequence(asked, wrong, "accuracy"), MODEL, rival)
        return replace(found, difference=-found.difference, direction="higher")
    if not len(ours):
        return Comparison(rival, np.nan, np.nan, "no sequences can be compared", 0, "accuracy", "sequences", "higher")
    difference = float(ours.mean() - theirs.mean())
    test = "McNemar's exact test"
    return Comparison(rival, difference, mcnemar(ours, theirs), test, len(ours), "accuracy", "sequences", "higher")


def _by_sequence(asked: Asked, losses: dict[str, Floats], metric: str) -> Losses:
    """Losses of labels [k] summed in each sequence, so that their mean over sequences is that over labels."""
    names, owner, count = np.unique(asked.sequence[asked.known], return_inverse=True, return_counts=True)
    share = 1 / count.mean() if len(names) else 1.0
    of = {name: np.bincount(owner, one, len(names)) * share for name, one in losses.items()}
    return Losses(names, np.zeros(len(names), np.int64), 1, of, metric, units="sequences", resampled="sequences")
