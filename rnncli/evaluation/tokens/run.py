"""Runs an evaluation of tokens: n-grams beside the model, their scores, and paired tests between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Ints
from rnncli.baselines.tokens.baseline import Said, TokenBaseline
from rnncli.baselines.tokens.documents import Documents
from rnncli.errors import InputRefused, RnncliError
from rnncli.evaluation.paired import Comparison, called, compare, summed
from rnncli.evaluation.run import MODEL
from rnncli.evaluation.tokens.report import TokenReport
from rnncli.evaluation.tokens.scores import AT_ONCE, Octaves, Part, Times, TokenScores, by_document, octave_of
from rnncli.registry import BASELINES, find


@dataclass(frozen=True)
class Asked:
    """Documents of which a model said what comes next: their tokens as codes into a vocabulary of `size`, of which 0 is
    the unknown one, and their `ids`.

    `text_bytes` [documents] are those of their texts, where they are some; `dishonest` [documents] marks those that
    training saw (None where that is not known). Where documents have times, these are in days, or they `count` steps.
    """

    documents: Documents
    ids: tuple[str, ...]
    size: int
    text_bytes: Ints | None = None
    dishonest: Bools | None = None
    notes: tuple[str, ...] = ()
    count: bool = False

    def times(self, places: slice | Bools) -> Times | None:
        """When the tokens at these places came, None where documents have no times."""
        waits = self.documents.waits
        return None if waits is None else Times(waits[places], self.documents.levels, self.count)


@dataclass(frozen=True)
class _Scored:
    """The tokens [n] that are scored: where those of each document begin, and the octave of the position of each."""

    offsets: Ints
    octave: NDArray[np.uint8]


def evaluate_tokens(asked: Asked, said: Said, trained: Documents | None) -> TokenReport:
    """Score what a model said of every token (a log probability that is NaN where it was not asked) beside n-grams that
    are counted in what it was `trained` on (none without it). InputRefused where it was asked of none.
    """
    documents = asked.documents
    if len(said.log_probabilities) != documents.rows or len(asked.ids) != len(documents):
        raise RnncliError(f"{len(said.log_probabilities)} answers for {documents.rows} tokens")
    known = ~np.isnan(said.log_probabilities)
    if not known.any():
        raise InputRefused("of no token was asked", hint="give documents of two tokens at least")
    places = slice(None) if known.all() else known  # a view, where all were asked
    scored = _scored(documents, known)
    every = {MODEL: said} if trained is None else {MODEL: said} | _baselines(asked, trained)
    answers = {name: _at(one, places) for name, one in every.items()}
    text_bytes = _text_bytes(asked, scored)
    size = math.nan if text_bytes is None else float(text_bytes.sum())
    parts, octaves = by_document(scored.offsets, asked.ids, text_bytes), Octaves(scored.octave)
    whole = Part("", slice(None), len(scored.octave), size)
    times = asked.times(places)
    scores = {name: TokenScores(one, whole, parts, octaves, times) for name, one in answers.items()}
    there = np.flatnonzero(np.diff(scored.offsets))
    return TokenReport(
        scores=scores,
        documents=tuple((part.name, part.count) for part in parts),
        positions=octaves.counts,
        vocabulary=asked.size,
        unknown=int(np.count_nonzero(documents.codes[places] == 0)),
        dishonest=None if asked.dishonest is None else asked.dishonest[there],
        comparisons={rival: _compared(scored, answers, rival, times) for rival in list(answers)[1:]},
        notes=asked.notes,
    )


def _scored(documents: Documents, known: Bools) -> _Scored:
    """The tokens of documents that are known, a block of them at a time."""
    counts, done = np.zeros(len(documents), np.int64), 0
    octave = np.empty(np.count_nonzero(known), np.uint8)
    for begin in range(0, documents.rows, AT_ONCE):
        rows = begin + np.flatnonzero(known[begin : begin + AT_ONCE])
        owner = documents.owner_of(rows)
        counts += np.bincount(owner, minlength=len(documents))
        octave[done : done + len(rows)] = octave_of(rows - documents.offsets[owner])
        done += len(rows)
    return _Scored(np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]), octave)


def _baselines(asked: Asked, trained: Documents) -> dict[str, Said]:
    found: list[TokenBaseline] = [find(BASELINES["tokens"], name, "baseline") for name in BASELINES["tokens"]]
    able = [baseline for baseline in found if not baseline.timed or trained.waits is not None]
    return {baseline.name: baseline.learn(trained, asked.size).said(asked.documents) for baseline in able}


def _at(said: Said, places: slice | Bools) -> Said:
    waits = None if said.waits is None else said.waits[places]
    return Said(said.log_probabilities[places], said.ranks[places], waits)


def _text_bytes(asked: Asked, scored: _Scored) -> Floats | None:
    """The bytes of the text that is scored of each document: all of it, less the share of the tokens that are not."""
    if asked.text_bytes is None:
        return None
    share = np.diff(scored.offsets) / np.maximum(np.diff(asked.documents.offsets), 1)
    return np.asarray(asked.text_bytes * share)


def _compared(scored: _Scored, answers: dict[str, Said], rival: str, times: Times | None) -> tuple[Comparison, ...]:
    """The cross entropy and the accuracy of the model, compared with those of a rival over documents or, where these
    are few, over stretches of them: tokens of one document are not independent. With a rival that says when tokens
    come, how wrong the median of the time is.
    """
    if times is not None and answers[rival].waits is not None:
        return _compared_times(scored, answers, rival, times)
    losses = {name: -one.log_probabilities for name, one in answers.items()}
    wrong = {name: one.ranks > 0 for name, one in answers.items()}
    found = compare(summed(scored.offsets, wrong, "accuracy"), MODEL, rival)
    gain = float(wrong[rival].mean() - wrong[MODEL].mean())  # 0 where both are as often right, to the last bit
    accuracy = replace(found, difference=gain, direction="higher")
    return called(compare(summed(scored.offsets, losses, "cross_entropy"), MODEL, rival)), called(accuracy)


def _compared_times(scored: _Scored, answers: dict[str, Said], rival: str, times: Times) -> tuple[Comparison, ...]:
    median, known = times.levels.index(0.5), ~np.isnan(times.waited)
    wrong = {
        name: np.abs(times.waited - one.waits[:, median])[known]
        for name, one in answers.items()
        if one.waits is not None
    }
    if not known.any() or np.isnan(wrong[rival]).any():
        return ()
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(known)])[scored.offsets]
    metric = "mae_steps" if times.count else "mae_days"
    return (called(compare(summed(offsets, wrong, metric), MODEL, rival)),)
