"""Baselines that say when the next event comes: quantiles of all times, or of those after the same event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats
from rnncli.baselines.tokens.baseline import FIRST, Said, TokenBaseline
from rnncli.baselines.tokens.documents import Documents

ALL = 0  # the place of the quantiles of all times; those after code c are at c + 1


@dataclass(frozen=True)
class Waits:
    """The quantiles of times that were seen, of all and after each token: [1 + V, levels]."""

    quantiles: Floats
    by_token: bool

    def said(self, documents: Documents) -> Said:
        """Of every token of documents, when it was to come; nothing else."""
        place = documents.history(1)[:, 0] + 1 if self.by_token else np.full(documents.rows, ALL)
        nothing = np.full(documents.rows, np.nan)
        return Said(nothing, np.full(documents.rows, FIRST), self.quantiles[place])


def learnt(documents: Documents, size: int, *, by_token: bool) -> Waits:
    """Quantiles of the times in documents over a vocabulary of `size`; after a token that none came after, of all."""
    assert documents.waits is not None
    levels, known = documents.levels, ~np.isnan(documents.waits)
    waits, before = documents.waits[known], documents.history(1)[known, 0]
    if not waits.size:
        return Waits(np.full((1 + size, len(levels)), np.nan), by_token)
    found = np.tile(np.quantile(waits, levels), (1 + size, 1))
    if by_token:
        for code in np.unique(before).tolist():
            found[code + 1] = np.quantile(waits[before == code], levels)
    return Waits(found, by_token)


def _all(documents: Documents, size: int) -> Waits:
    return learnt(documents, size, by_token=False)


def _after(documents: Documents, size: int) -> Waits:
    return learnt(documents, size, by_token=True)


time = TokenBaseline("time", _all, timed=True)
time_after = TokenBaseline("time-after", _after, timed=True)
