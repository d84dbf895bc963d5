"""Runs an evaluation of sets: baselines beside the model, their scores, and paired tests between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools
from rnncli.baselines.sets.baseline import CountedSets, SetBaseline, SetDocuments
from rnncli.data.panel import offsets_of
from rnncli.errors import InputRefused, RnncliError
from rnncli.evaluation.paired import called, compare, summed
from rnncli.evaluation.run import MODEL
from rnncli.evaluation.sets.report import SetReport
from rnncli.evaluation.sets.scores import SaidOfSets, SetScores
from rnncli.evaluation.tokens.scores import Octaves, Part, by_document, octave_of
from rnncli.metrics.sets import EXPECTED, log_probability
from rnncli.registry import BASELINES, find


@dataclass(frozen=True)
class AskedSets:
    """Documents of which a model said what set comes next, and their `ids`; `dishonest` [documents] marks those that
    training saw (None where that is not known).
    """

    documents: SetDocuments
    ids: tuple[str, ...]
    dishonest: Bools | None = None
    notes: tuple[str, ...] = ()


def evaluate_sets(asked: AskedSets, said: SaidOfSets, trained: SetDocuments | None) -> SetReport:
    """Score what a model said of every step beside baselines that are counted in what it was `trained` on (none without
    it). InputRefused where no set is known.
    """
    documents = asked.documents
    if len(said.log_probabilities) != documents.rows or len(asked.ids) != len(documents):
        raise RnncliError(f"{len(said.log_probabilities)} answers for {documents.rows} steps")
    places = np.flatnonzero(documents.known)
    if not len(places):
        raise InputRefused("no set is known", hint="give documents whose sets are not missing")
    every = {MODEL: said} | ({} if trained is None else _baselines(documents, trained))
    answers = {name: SaidOfSets(one.log_probabilities[places], one.expected[places]) for name, one in every.items()}
    owner = np.repeat(np.arange(len(documents)), np.diff(documents.offsets))[places]
    position = places - documents.offsets[owner]
    offsets = offsets_of(np.bincount(owner, minlength=len(documents)))
    parts, octaves = by_document(offsets, asked.ids, None), Octaves(octave_of(position))
    came, whole = documents.hot[places] > 0, Part("", slice(None), len(places))
    losses = {name: -one.log_probabilities for name, one in answers.items()}
    rivals = list(answers)[1:]
    return SetReport(
        scores={name: SetScores(one, came, whole, parts, octaves) for name, one in answers.items()},  # type: ignore[misc]
        documents=tuple((part.name, part.count) for part in parts),
        positions=octaves.counts,
        vocabulary=documents.hot.shape[1],
        unknown=int(documents.hot[places, 0].sum()),
        dishonest=None if asked.dishonest is None else asked.dishonest[np.unique(owner)],
        comparisons={
            rival: (called(compare(summed(offsets, losses, "cross_entropy"), MODEL, rival)),) for rival in rivals
        },
        notes=asked.notes,
    )


def said_by(counted: CountedSets, documents: SetDocuments) -> SaidOfSets:
    """The answers of a baseline to every step of documents."""
    log_p, expected = np.zeros(documents.rows), np.zeros(documents.hot.shape, np.bool_)
    for rows in documents.blocks():
        p = counted.probabilities(documents, rows)
        log_p[rows] = log_probability(p, documents.hot[rows])
        expected[rows] = p > EXPECTED
    return SaidOfSets(log_p, expected)


def _baselines(documents: SetDocuments, trained: SetDocuments) -> dict[str, SaidOfSets]:
    found: list[SetBaseline] = [find(BASELINES["sets"], name, "baseline") for name in BASELINES["sets"]]
    return {baseline.name: said_by(baseline.learn(trained), documents) for baseline in found}
