"""Interpolated modified Kneser-Ney smoothing of n-grams (Kneser & Ney 1995; Chen & Goodman 1999)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.baselines.tokens.baseline import Said, TokenBaseline, ranks_of
from rnncli.baselines.tokens.documents import NOTHING, Documents

FALLBACK = (0.5, 1.0, 1.5)  # discounts where counts of counts are too few to tell
_CELLS = 4_000_000  # of a block of probabilities


@dataclass(frozen=True)
class Level:
    """The n-grams of one order: `contexts` [C] as sorted keys, the n-grams of context c at `offsets[c]` up to
    `offsets[c + 1]` as sorted keys `grams` [M] with their last `tokens` [M] and the `share` [M] of the probability that
    their counts give them, and the share `left` [C] that each context leaves to the order below.
    """

    contexts: Ints
    offsets: Ints
    grams: Ints
    tokens: Ints
    share: Floats
    left: Floats

    def found(self, contexts: Ints) -> tuple[Ints, Bools]:
        """The place of each context [n], and whether it is there."""
        place = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        return place, self.contexts[place] == contexts


@dataclass(frozen=True)
class KneserNey:
    """n-grams of orders 1, 2 ... that were counted.

    P(w | context) = (c - D(c)) / total + left * P(w | context without its oldest token), where D(c) is the discount of
    a count of 1, 2, or 3 and more, and `left` makes the sum 1; below the first order is 1 / V.
    """

    levels: tuple[Level, ...]
    size: int

    @property
    def steps(self) -> int:
        """How many tokens back it looks."""
        return len(self.levels) - 1

    def probabilities(self, history: Ints) -> Floats:
        """Of every next token after histories [n, K], the newest token last: [n, V]."""
        found = np.full((len(history), self.size), 1 / self.size)
        for order, level in enumerate(self.levels, 1):
            place, known = level.found(_context(history, order, self.size))
            found *= np.where(known, level.left[place], 1.0)[:, None]
            begin, count = level.offsets[place], np.where(known, np.diff(level.offsets)[place], 0)
            at = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
            found[np.repeat(np.arange(len(history)), count), level.tokens[at]] += level.share[at]
        return found

    def probability(self, history: Ints, tokens: Ints) -> Floats:
        """Of one token [n] after each history [n, K]: [n]."""
        found = np.full(len(history), 1 / self.size)
        for order, level in enumerate(self.levels, 1):
            context = _context(history, order, self.size)
            place, known = level.found(context)
            wanted = context * self.size + tokens
            at = np.minimum(np.searchsorted(level.grams, wanted), len(level.grams) - 1)
            seen = known & (level.grams[at] == wanted)
            found = np.where(known, level.left[place], 1.0) * found + np.where(seen, level.share[at], 0.0)
        return found

    def said(self, documents: Documents) -> Said:
        """Of every token of documents."""
        history, tokens = documents.history(self.steps), documents.codes.astype(np.int64)
        ranks = np.zeros(documents.rows, np.int64)
        size = max(1, _CELLS // self.size)
        before, which = _distinct(history)
        order = np.argsort(which, kind="stable")  # tokens after one history stand together
        ends = np.searchsorted(which[order], np.arange(len(before) + 1))
        for begin in range(0, len(before), size):
            here = order[ends[begin] : ends[min(begin + size, len(before))]]
            every = self.probabilities(before[begin : begin + size])
            for some in (here[at : at + size] for at in range(0, len(here), size)):
                ranks[some] = ranks_of(every[which[some] - begin], tokens[some])
        return Said(np.log(self.probability(history, tokens)), ranks)


def _distinct(history: Ints) -> tuple[Ints, Ints]:
    """The different histories, and which of them each is."""
    if not history.shape[1]:
        return history[:1], np.zeros(len(history), np.int64)
    different, which = np.unique(history, axis=0, return_inverse=True)
    return different, which.reshape(-1)


def _context(history: Ints, order: int, size: int) -> Ints:
    """The last order - 1 tokens as one key [n], in which NOTHING is a token of its own; -1 where there are too few: a
    document's beginning stands for one token alone.
    """
    key = np.zeros(len(history), np.int64)
    for back in range(order - 1, 0, -1):
        key = key * (size + 1) + (history[:, -back] + 1)
    if order > 2:
        key = np.where(history[:, -(order - 2)] == NOTHING, -1, key)
    return key


def counted(documents: Documents, size: int, order: int) -> KneserNey:
    """n-grams up to an order, of documents over a vocabulary of V = `size`.

    Of the highest order they are counted as they are, below it by the different tokens that come before them (n-grams
    that begin a document, before which nothing comes, as they are).
    """
    history, tokens = documents.history(order - 1), documents.codes.astype(np.int64)
    levels: list[Level] = []
    longer: Ints | None = None
    for n in range(order, 0, -1):
        context = _context(history, n, size)
        usable = context >= 0
        keys = context[usable] * size + tokens[usable]
        grams, counts = np.unique(keys, return_counts=True)
        if longer is not None:  # the n-grams of the order above, of which each has another token before it
            below, different = np.unique(longer % ((size + 1) ** (n - 1) * size), return_counts=True)
            counts[np.searchsorted(grams, below)] = different
        longer = grams
        levels.append(_level(grams, counts, size))
    return KneserNey(tuple(reversed(levels)), size)


def _level(grams: Ints, counts: Ints, size: int) -> Level:
    contexts, begins = np.unique(grams // size, return_index=True)
    offsets = np.append(begins, len(grams))
    discount = np.array([0.0, *discounts(counts)])[np.minimum(counts, 3)]
    total = np.add.reduceat(counts, begins)
    of = np.repeat(np.arange(len(contexts)), np.diff(offsets))
    return Level(
        contexts,
        offsets,
        grams,
        grams % size,
        (counts - discount) / total[of],
        np.add.reduceat(discount, begins) / total,
    )


def discounts(counts: Ints) -> Sequence[float]:
    """The discounts of n-grams that are counted once, twice, and more often (Chen & Goodman 1999, equation 26)."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if min(n) == 0:
        return FALLBACK
    y = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3)]
    return found if all(0 <= d <= k for k, d in enumerate(found, 1)) else FALLBACK


unigram = TokenBaseline("unigram", partial(counted, order=1))
bigram = TokenBaseline("bigram", partial(counted, order=2))
trigram = TokenBaseline("trigram", partial(counted, order=3))
