"""Interpolated modified Kneser-Ney smoothing of n-grams (Kneser & Ney 1995; Chen & Goodman 1999)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """The n-grams of one order: the sorted numbers of `contexts` [C], the n-grams of context c at `offsets[c]` up to
    `offsets[c + 1]` as sorted keys `grams` [M] (context times V, plus token) with their last `tokens` [M] and the
    `share` [M] of the probability that their counts give them, and the share `left` [C] that each context leaves to the
    order below.
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
class Contexts:
    """The tokens before others, as numbers: of one token its code + 1, so that NOTHING is 0; of k tokens the place
    among those that were `seen` [k - 2]: the number of the older ones times (V + 1), plus that of the newest. So no
    number is larger than tokens times kinds of tokens, and int64 holds it.
    """

    size: int
    seen: tuple[Ints, ...] = ()

    def of(self, history: Ints, steps: int) -> Ints:
        """The number of the last `steps` tokens of histories [n, K]: [n]; -1 where these were not seen, or are too few:
        before a document there is NOTHING once.
        """
        if steps < 2:
            return history[:, -1] + 1 if steps else np.zeros(len(history), np.int64)
        key, seen = self.key(history, steps), self.seen[steps - 2]
        place = np.minimum(np.searchsorted(seen, key), len(seen) - 1)
        return np.where((key >= 0) & (seen[place] == key), place, -1) if len(seen) else np.full(len(key), -1)

    def key(self, history: Ints, steps: int) -> Ints:
        """What `seen` holds of the last two tokens, or more: [n]; -1 where these are too few, or the older ones were
        not seen.
        """
        older, newest = self.of(history[:, :-1], steps - 1), history[:, -1]
        return np.where((older >= 0) & (newest != NOTHING), older * (self.size + 1) + newest + 1, -1)


@dataclass(frozen=True)
class KneserNey:
    """n-grams of orders 1, 2 ... that were counted.

    P(w | context) = (c - D(c)) / total + left * P(w | context without its oldest token), where D(c) is the discount of
    a count of 1, 2, or 3 and more, and `left` makes the sum 1; below the first order is 1 / V.
    """

    levels: tuple[Level, ...]
    contexts: Contexts

    @property
    def size(self) -> int:
        """Tokens of the vocabulary."""
        return self.contexts.size

    @property
    def steps(self) -> int:
        """How many tokens back it looks."""
        return len(self.levels) - 1

    def probabilities(self, history: Ints) -> Floats:
        """Of every next token after histories [n, K], the newest token last: [n, V]."""
        found = np.full((len(history), self.size), 1 / self.size)
        for order, level in enumerate(self.levels, 1):
            context = self.contexts.of(history, order - 1)
            place, known = level.found(context)
            found *= np.where(known, level.left[place], 1.0)[:, None]
            rows, at = level.after(context)
            found[rows, level.tokens[at]] += level.share[at]
        return found

    def probability(self, history: Ints, tokens: Ints, order: int | None = None) -> Floats:
        """Of one token [n] after each history [n, K], by n-grams up to an order (all if None): [n]."""
        found = np.full(len(history), 1 / self.size)
        for n, level in enumerate(self.levels[:order], 1):
            context = self.contexts.of(history, n - 1)
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
        level = self.levels[order - 1]
        one, which = _different(history[:, history.shape[1] - order + 1 :], self.size)
        history = history[one]
        context = self.contexts.of(history, order - 1)
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
        log_probabilities = np.empty(documents.rows, np.float32)
        ranks = np.empty(documents.rows, np.uint8)
        for begin in range(0, documents.rows, _AT_ONCE):
            here = slice(begin, begin + _AT_ONCE)
            history = documents.history(self.steps, begin, begin + _AT_ONCE)
            tokens = documents.codes[here].astype(np.int64)
            log_probabilities[here] = np.log(self.probability(history, tokens))
            right = self.first(history) == tokens[:, None]
            ranks[here] = np.where(right.any(axis=1), right.argmax(axis=1), FIRST)
        return Said(log_probabilities, ranks)


def _different(history: Ints, size: int) -> tuple[Ints, Ints]:
    """The place of one of each kind of histories [n, K], and which of these every one is [n]."""
    one, which = np.zeros(min(len(history), 1), np.int64), np.zeros(len(history), np.int64)
    for tokens in history.T:
        _, one, which = np.unique(which * (size + 1) + tokens + 1, return_index=True, return_inverse=True)
    return one, which


def counted(documents: Documents, size: int, order: int) -> KneserNey:
    """n-grams up to an order, of documents over a vocabulary of V = `size`.

    Of the highest order they are counted as they are, below it by the different tokens that come before them (n-grams
    that begin a document, before which nothing comes, as they are).
    """
    contexts = Contexts(size)
    for steps in range(2, order):
        contexts = Contexts(size, (*contexts.seen, _seen(documents, contexts, steps)))
    levels: list[Level] = []
    longer: Ints | None = None
    for n in range(order, 0, -1):
        grams, counts, rows = _grams(documents, contexts, n)
        if longer is not None:  # rows with the n-grams of the order above, of which each has another token before it
            below, different = np.unique(_keys(documents, contexts, longer, n), return_counts=True)
            counts[np.searchsorted(grams, below)] = different
        longer = rows
        levels.append(_level(grams, counts, size))
    return KneserNey(tuple(reversed(levels)), contexts)


def _blocks(documents: Documents) -> Iterator[Ints]:
    """All rows, a block at a time."""
    for begin in range(0, documents.rows, _AT_ONCE):
        yield np.arange(begin, min(begin + _AT_ONCE, documents.rows))


def _seen(documents: Documents, contexts: Contexts, steps: int) -> Ints:
    """The sorted keys of all contexts of so many tokens; `contexts` has the shorter ones."""
    found = np.zeros(0, np.int64)
    for rows in _blocks(documents):
        found = np.union1d(found, contexts.key(documents.before(rows, steps), steps))
    return found[found >= 0]


def _keys(documents: Documents, contexts: Contexts, rows: Ints, order: int) -> Ints:
    """The keys of the n-grams of an order that end with some rows [n]; below 0 where the context is too short."""
    context = contexts.of(documents.before(rows, order - 1), order - 1)
    return np.where(context >= 0, context * contexts.size + documents.codes[rows].astype(np.int64), -1)


def _grams(documents: Documents, contexts: Contexts, order: int) -> tuple[Ints, Ints, Ints]:
    """The n-grams of an order as sorted keys, how often each is there, and a row with which it ends; a block of tokens
    is counted at a time.
    """
    grams, counts, ends = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    for rows in _blocks(documents):
        more, first, often = np.unique(_keys(documents, contexts, rows, order), return_index=True, return_counts=True)
        usable = more >= 0
        grams, one, which = np.unique(np.concatenate([grams, more[usable]]), return_index=True, return_inverse=True)
        ends = np.concatenate([ends, rows[first[usable]]])[one]
        counts = np.bincount(which, np.concatenate([counts, often[usable]]), len(grams)).astype(np.int64)
    return grams, counts, ends


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
