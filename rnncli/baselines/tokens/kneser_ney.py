"""Interpolated modified Kneser-Ney smoothing of n-grams (Kneser & Ney 1995; Chen & Goodman 1999)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnncli.arrays import Bools, Floats, Ints
from rnncli.baselines.tokens.baseline import FIRST, Said, TokenBaseline
from rnncli.baselines.tokens.documents import NOTHING, Documents

FALLBACK = (0.5, 1.0, 1.5)  # discounts where counts of counts are too few to tell
_AT_ONCE = 1 << 20  # tokens


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

    def after(self, contexts: Ints) -> tuple[Ints, Ints]:
        """The n-grams of contexts [n]: which context each is of, and its place [m]."""
        place, known = self.found(contexts)
        begin, count = self.offsets[place], np.where(known, np.diff(self.offsets)[place], 0)
        at = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
        return np.repeat(np.arange(len(contexts)), count), at

    def grams_of(self, contexts: Ints, tokens: Ints, size: int) -> tuple[Ints, Bools]:
        """The place of the n-gram of each context and token [n] of a vocabulary of a size, and whether it is there."""
        wanted = contexts * size + tokens
        at = np.minimum(np.searchsorted(self.grams, wanted), len(self.grams) - 1)
        return at, (contexts >= 0) & (self.grams[at] == wanted)


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
            context = _context(history, order, self.size)
            place, known = level.found(context)
            found *= np.where(known, level.left[place], 1.0)[:, None]
            rows, at = level.after(context)
            found[rows, level.tokens[at]] += level.share[at]
        return found

    def probability(self, history: Ints, tokens: Ints, order: int | None = None) -> Floats:
        """Of one token [n] after each history [n, K], by n-grams up to an order (all if None): [n]."""
        found = np.full(len(history), 1 / self.size)
        for n, level in enumerate(self.levels[:order], 1):
            context = _context(history, n, self.size)
            place, known = level.found(context)
            at, seen = level.grams_of(context, tokens, self.size)
            found = np.where(known, level.left[place], 1.0) * found + np.where(seen, level.share[at], 0.0)
        return found

    def first(self, history: Ints, order: int | None = None) -> Ints:
        """The most probable tokens after each history [n, K], FIRST of them or all, in order; of equal ones the lower
        code comes first: [n, F].

        After a context they are among the tokens that came after it and the first ones without its oldest token: of
        all others the order is as it is there.
        """
        order = len(self.levels) if order is None else order
        if not order:
            return np.tile(np.arange(min(FIRST, self.size)), (len(history), 1))
        level, keys = self.levels[order - 1], _key(history, order, self.size)
        _, one, which = np.unique(keys, return_index=True, return_inverse=True)
        history = history[one]  # the different ones
        context = _context(history, order, self.size)
        rows, at = level.after(context)
        lower = self.first(history, order - 1)
        more = np.repeat(np.arange(len(history)), lower.shape[1])
        fresh = ~level.grams_of(context[more], lower.ravel(), self.size)[1]
        rows = np.concatenate([rows, more[fresh]])
        tokens = np.concatenate([level.tokens[at], lower.ravel()[fresh]])
        ranked = np.lexsort((tokens, -self.probability(history[rows], tokens, order), rows))
        begins = np.searchsorted(rows[ranked], np.arange(len(history)))
        return np.asarray(tokens[ranked[begins[:, None] + np.arange(lower.shape[1])]][which])

    def said(self, documents: Documents) -> Said:
        """Of every token of documents; ranks are counted up to FIRST."""
        log_probabilities = np.empty(documents.rows)
        ranks = np.empty(documents.rows, np.int64)
        for begin in range(0, documents.rows, _AT_ONCE):
            here = slice(begin, begin + _AT_ONCE)
            history = documents.history(self.steps, begin, begin + _AT_ONCE)
            tokens = documents.codes[here].astype(np.int64)
            log_probabilities[here] = np.log(self.probability(history, tokens))
            right = self.first(history) == tokens[:, None]
            ranks[here] = np.where(right.any(axis=1), right.argmax(axis=1), FIRST)
        return Said(log_probabilities, ranks)


def _key(history: Ints, order: int, size: int) -> Ints:
    """The last order - 1 tokens as one number [n], in which NOTHING is a token of its own."""
    key = np.zeros(len(history), np.int64)
    for back in range(order - 1, 0, -1):
        key = key * (size + 1) + (history[:, -back] + 1)
    return key


def _context(history: Ints, order: int, size: int) -> Ints:
    """The key of the last order - 1 tokens [n]; -1 where there are too few: before a document there is NOTHING once."""
    key = _key(history, order, size)
    return np.where(history[:, -(order - 2)] == NOTHING, -1, key) if order > 2 else key


def counted(documents: Documents, size: int, order: int) -> KneserNey:
    """n-grams up to an order, of documents over a vocabulary of V = `size`.

    Of the highest order they are counted as they are, below it by the different tokens that come before them (n-grams
    that begin a document, before which nothing comes, as they are).
    """
    levels: list[Level] = []
    longer: Ints | None = None
    for n in range(order, 0, -1):
        grams, counts = _grams(documents, size, n)
        if longer is not None:  # the n-grams of the order above, of which each has another token before it
            below, different = np.unique(longer % ((size + 1) ** (n - 1) * size), return_counts=True)
            counts[np.searchsorted(grams, below)] = different
        longer = grams
        levels.append(_level(grams, counts, size))
    return KneserNey(tuple(reversed(levels)), size)


def _grams(documents: Documents, size: int, order: int) -> tuple[Ints, Ints]:
    """The n-grams of an order as sorted keys, and how often each is there; a block of tokens is counted at a time."""
    grams, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for begin in range(0, documents.rows, _AT_ONCE):
        end = min(begin + _AT_ONCE, documents.rows)
        context = _context(documents.history(order - 1, begin, end), order, size)
        usable = context >= 0
        more, often = np.unique(
            context[usable] * size + documents.codes[begin:end][usable].astype(np.int64), return_counts=True
        )
        grams, which = np.unique(np.concatenate([grams, more]), return_inverse=True)
        counts = np.bincount(which, np.concatenate([counts, often]), len(grams)).astype(np.int64)
    return grams, counts


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
