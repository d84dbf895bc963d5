"""Sets foretold from counts: from how frequent each token is, and from whether it was in the set before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.baselines.sets.baseline import SetBaseline, SetDocuments

WEIGHT = 2.0  # steps for which a token's frequency counts beside those that were counted


def frequencies_in(documents: SetDocuments) -> Floats:
    """The share of the steps whose set has each token, (c + 1/2) / (n + 1) (Krichevsky & Trofimov 1981); of tokens that
    nobody knows (c + 1) / (n + 2), Laplace's rule of succession: never seen in n steps, one has a finite price.
    """
    hot = documents.hot[documents.known]
    count = (hot > 0).sum(axis=0)
    found = (count + 0.5) / (len(hot) + 1)
    found[:1] = (count[:1] + 1) / (len(hot) + 2)
    return np.asarray(found, np.float64)


@dataclass(frozen=True)
class Frequencies:
    """Every token as probable at each step as it is `frequent` [tokens]."""

    frequent: Floats

    def probabilities(self, documents: SetDocuments, rows: Ints) -> Floats:
        """The frequencies in each row: [n, tokens]."""
        del documents
        return np.broadcast_to(self.frequent, (len(rows), len(self.frequent)))


@dataclass(frozen=True)
class Persistence:
    """A Markov chain of each token: its probability at the first step of a document, after a set that does not have it,
    and after one that does, [3, tokens]; and how `frequent` [tokens] it is, where the set before is missing.
    """

    after: Floats
    frequent: Floats

    def probabilities(self, documents: SetDocuments, rows: Ints) -> Floats:
        """By the row before each: [n, tokens]."""
        before = documents.hot[np.maximum(rows - 1, 0)]
        found: Floats = np.where(before > 0, self.after[2], self.after[1])
        found[before[:, 0] < 0] = self.frequent
        found[documents.first[rows]] = self.after[0]
        return found


def learn_persistence(documents: SetDocuments) -> Persistence:
    """(c + w f) / (n + w) of the n steps in each case, of which c have the token and a share f of all steps does."""
    frequent, known, first = frequencies_in(documents), documents.known, documents.first
    there, before = documents.hot > 0, np.zeros(documents.hot.shape, np.bool_)
    before[1:] = there[:-1]
    follows = known & ~first & np.concatenate([[False], known[:-1]])
    cases = [np.broadcast_to((known & first)[:, None], there.shape)]
    cases += [follows[:, None] & ~before, follows[:, None] & before]
    after = [((there & case).sum(axis=0) + WEIGHT * frequent) / (case.sum(axis=0) + WEIGHT) for case in cases]
    found = np.stack(after)
    found[:, 0] = frequent[0]
    return Persistence(found, frequent)


frequencies = SetBaseline("frequencies", lambda documents: Frequencies(frequencies_in(documents)))
persistence = SetBaseline("persistence", learn_persistence)
