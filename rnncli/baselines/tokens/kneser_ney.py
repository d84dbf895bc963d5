"""Interpolated modified Kneser-Ney smoothing of n-grams (Kneser & Ney 1995; Chen & Goodman 1999)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.baseline import FIRST, Said, TokenBaseline
from rnncli.baselines.tokens.documents import NOTHING, Documents

FALLBACK = (0.5, 1.0, 1.5)  # discounts where counts of counts are too few to tell
_AT_ONCE = 1 << 20  # tokens

Small = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Level:
    """The n-grams of one order over a vocabulary of V = `size`: of context c those at `first[c]` up to `first[c + 1]`
    [C + 1], by their last `tokens` [M], which ascend there, with their `counts` [M].

    Where an n-gram lies among those of its order is its number as a context of the order above.
    """

    size: int
    first: Ints
    tokens: Small
    counts: Small

    def __len__(self) -> int:
        """How many n-grams there are."""
        return len(self.tokens)

    @cached_property
    def followers(self) -> Ints:
        """How many different tokens follow each context: [C]."""
        return np.diff(self.first)

    @cached_property
    def keys(self) -> Ints:
        """The context times V, plus the last token, of each n-gram: [M], ascending."""
        return np.repeat(np.arange(len(self.followers)) * self.size, self.followers) + self.tokens

    @cached_property
    def _discounts(self) -> Floats:
        return np.array([0.0, *discounts(self.counts)])

    @cached_property
    def _discount(self) -> Floats:
        return np.asarray(self._discounts[np.minimum(self.counts, 3)])

    @cached_property
    def _total(self) -> Floats:
        return self._sums(self.counts.astype(np.float64))

    @cached_property
    def share(self) -> Floats:
        """(c - D(c)) / total of each n-gram: [M]."""
        return np.asarray((self.counts - self._discount) / np.repeat(self._total, self.followers))

    @cached_property
    def left(self) -> Floats:
        """What each context leaves to the order below, all where nothing follows it: [C]."""
        return np.where(self.followers > 0, self._sums(self._discount) / np.maximum(self._total, 1), 1.0)

    def _sums(self, numbers: Floats) -> Floats:
        """Of numbers [M] over the n-grams of each context: [C]."""
        return np.where(self.followers > 0, np.add.reduceat(np.append(numbers, 0.0), self.first[:-1]), 0.0)

    def place(self, contexts: Ints, tokens: Ints) -> Ints:
        """Where the n-gram of each context and token lies [n]; -1 where there is none, or no such context."""
        if not len(self):
            return np.full(len(contexts), -1)
        wanted = contexts * self.size + tokens
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self) - 1)
        return np.where((contexts >= 0) & (tokens >= 0) & (self.keys[at] == wanted), at, -1)

    def place_of(self, context: int, token: int) -> int:
        """Where the n-gram of one context and token lies, as `place` says it."""
        if context < 0:
            return -1
        begin, end = self.first[context : context + 2].tolist()
        at = int(self.tokens[begin:end].searchsorted(token))
        return begin + at if begin + at < end and self.tokens[begin + at] == token else -1

    def of(self, context: int) -> tuple[Small, Floats, float]:
        """The tokens that follow one context, what each has of the `share`, and what is `left`."""
        here = slice(*self.first[context : context + 2].tolist())
        counts = self.counts[here]
        discount, total = self._discounts[np.minimum(counts, 3)], max(int(counts.sum()), 1)
        return self.tokens[here], (counts - discount) / total, discount.sum() / total if len(counts) else 1.0

    def after(self, contexts: Ints) -> tuple[Ints, Ints]:
        """The n-grams of contexts [n], of which some are -1: which context each is of, and its place [m]."""
        count = np.where(contexts >= 0, self.followers[contexts], 0)
        at = np.repeat(self.first[contexts] - np.cumsum(count) + count, count) + np.arange(count.sum())
        return np.repeat(np.arange(len(contexts)), count), at


@dataclass(frozen=True)
class KneserNey:
    """n-grams of orders 1, 2 ... that were counted, over a vocabulary of V = `size`.

    P(w | context) = (c - D(c)) / total + left * P(w | context without its oldest token), where D(c) is the discount of
    a count of 1, 2, or 3 and more, and `left` makes the sum 1; below the first order is 1 / V.
    """

    size: int
    levels: tuple[Level, ...]

    @property
    def steps(self) -> int:
        """How many tokens back it looks."""
        return len(self.levels) - 1

    def context(self, history: Ints, steps: int) -> Ints:
        """The number of the last `steps` tokens of histories [n, K] as a context: [n]; -1 where these were not seen, or
        are too few: before a document there is NOTHING once, and its number is behind those of all tokens.
        """
        place = np.zeros(len(history), np.int64)
        for level, tokens in zip(self.levels, history.T[history.shape[1] - steps :], strict=False):
            found = level.place(place, tokens)
            place = np.where(tokens == NOTHING, len(level), found) if level is self.levels[0] else found
        return place

    def probabilities(self, history: Ints) -> Floats:
        """Of every next token after histories [n, K], the newest token last: [n, V]."""
        found = np.full((len(history), self.size), 1 / self.size)
        for steps, level in enumerate(self.levels):
            context = self.context(history, steps)
            found *= np.where(context >= 0, level.left[context], 1.0)[:, None]
            rows, at = level.after(context)
            found[rows, level.tokens[at]] += level.share[at]
        return found

    def probability(self, history: Ints, tokens: Ints, order: int | None = None) -> Floats:
        """Of one token [n] after each history [n, K], by n-grams up to an order (all if None): [n]."""
        found = np.full(len(history), 1 / self.size)
        for steps, level in enumerate(self.levels[:order]):
            context = self.context(history, steps)
            at = level.place(context, tokens)
            left = np.where(context >= 0, level.left[context], 1.0)
            found = left * found + np.where(at >= 0, level.share[at], 0.0)
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
        context = self.context(history, order - 1)
        rows, at = level.after(context)
        lower = self.first(history, order - 1)
        more = np.repeat(np.arange(len(history)), lower.shape[1])
        fresh = level.place(context[more], lower.ravel()) < 0
        rows = np.concatenate([rows, more[fresh]])
        tokens = np.concatenate([level.tokens[at], lower.ravel()[fresh]])
        ranked = np.lexsort((tokens, -self.probability(history[rows], tokens, order), rows))
        begins = np.searchsorted(rows[ranked], np.arange(len(history)))
        return np.asarray(tokens[ranked[begins[:, None] + np.arange(lower.shape[1])]][which])

    def said(self, documents: Documents) -> Said:
        """Of every token of documents; ranks are counted up to FIRST."""
        log_probabilities = np.empty(documents.rows, np.float32)
        ranks = np.empty(documents.rows, np.uint8)
        for rows in _blocks(documents):
            history = documents.before(rows, self.steps)
            tokens = documents.codes[rows].astype(np.int64)
            log_probabilities[rows] = np.log(self.probability(history, tokens))
            right = self.first(history) == tokens[:, None]
            ranks[rows] = np.where(right.any(axis=1), right.argmax(axis=1), FIRST)
        return Said(log_probabilities, ranks)


class Walk:
    """One document, read on token after token from the last tokens of its `history` [steps]: what comes next."""

    def __init__(self, ngrams: KneserNey, history: Ints) -> None:
        self._size, self._levels = ngrams.size, ngrams.levels
        self._contexts = [0] + [-1] * ngrams.steps
        for token in history.tolist():
            self.step(token)

    def probabilities(self) -> Floats:
        """Of every next token: [V]."""
        found = np.full(self._size, 1 / self._size)
        for level, context in zip(self._levels, self._contexts, strict=True):
            if context >= 0:
                tokens, share, left = level.of(context)
                found *= left
                found[tokens] += share
        return found

    def step(self, token: int) -> None:
        """This token came, or the document has NOTHING before its first one."""
        longer = zip(self._levels, self._contexts[:-1], strict=False)
        places = [level.place_of(context, token) for level, context in longer]
        if token == NOTHING:
            places = [len(self._levels[0])] + [-1] * (len(places) - 1) if places else places
        self._contexts = [0, *places]


def _different(history: Ints, size: int) -> tuple[Ints, Ints]:
    """The place of one of each kind of histories [n, K], and which of these every one is [n]."""
    one, which = np.zeros(min(len(history), 1), np.int64), np.zeros(len(history), np.int64)
    for tokens in history.T:
        _, one, which = np.unique(which * (size + 1) + tokens + 1, return_index=True, return_inverse=True)
    return one, which


def counted(documents: Documents, size: int, order: int, most: float = np.inf) -> KneserNey:
    """n-grams up to an order, of documents over a vocabulary of V = `size`; up to a lower one where they would be more
    than `most` (those of order 1 are always there).

    Of the highest order they are counted as they are, below it by the different tokens that come before them (n-grams
    that begin a document, before which nothing comes, as they are).
    """
    highest = _found(documents, None, _keys(documents, None, size), size)
    levels = [highest.level]
    while len(levels) < order:
        keys = _keys(documents, highest, size)
        if not len(keys) or sum(map(len, levels)) + len(keys) > most:
            break
        longer = _found(documents, highest, keys, size)
        different = np.bincount(highest.ending[longer.last].astype(np.int64) - 1, minlength=len(highest.level))
        counts = np.where(different > 0, different, highest.level.counts)
        levels[-1:] = [replace(highest.level, counts=counts), longer.level]
        highest = longer
    return KneserNey(size, tuple(levels))


@dataclass(frozen=True)
class _Found:
    """The n-grams of one order in documents: a row at which each ends, `last` [M], and which one is `ending` at each
    row: its place + 1, 0 where too few tokens come before [rows].
    """

    level: Level
    last: Ints
    ending: Small

    @property
    def contexts(self) -> int:
        """How many contexts the order above has; NOTHING is one where a context is one token."""
        return len(self.level) + (len(self.level.followers) == 1)


def _blocks(documents: Documents) -> Iterator[Ints]:
    """All rows, a block at a time."""
    for begin in range(0, documents.rows, _AT_ONCE):
        yield np.arange(begin, min(begin + _AT_ONCE, documents.rows))


def _key(documents: Documents, below: _Found | None, rows: Ints, size: int) -> Ints:
    """The keys of the n-grams that end at some rows [n], which are one token longer than those `below`; -1 where too
    few come before.
    """
    tokens = documents.codes[rows].astype(np.int64)
    if below is None:
        return tokens
    before = below.ending[rows - 1].astype(np.int64) - 1
    begins = rows == documents.offsets[documents.owner_of(rows)]
    context = np.where(begins, len(below.level) if below.contexts > len(below.level) else -1, before)
    return np.where(context >= 0, context * size + tokens, -1)


def _keys(documents: Documents, below: _Found | None, size: int) -> Ints:
    """The keys of all n-grams that are one token longer than those `below`, in order."""
    keys = np.zeros(0, np.int64)
    for rows in _blocks(documents):
        keys = np.union1d(keys, _key(documents, below, rows, size))
    return keys[keys >= 0]


def _found(documents: Documents, below: _Found | None, keys: Ints, size: int) -> _Found:
    """The n-grams with these keys."""
    counts, last = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    ending = np.zeros(documents.rows, np.min_scalar_type(len(keys)))
    for rows in _blocks(documents):
        key = _key(documents, below, rows, size)
        there = np.flatnonzero(key >= 0)
        place = np.searchsorted(keys, key[there])
        counts += np.bincount(place, minlength=len(keys))
        last[place], ending[rows[there]] = rows[there], place + 1
    contexts = 1 if below is None else below.contexts
    first = np.concatenate([[0], np.cumsum(np.bincount(keys // size, minlength=contexts))])
    return _Found(Level(size, first, keys % size, counts), last, ending)


def discounts(counts: Small) -> Sequence[float]:
    """The discounts of n-grams that are counted once, twice, and more often (Chen & Goodman 1999, equation 26)."""
    n = [int(np.count_nonzero(counts == count)) for count in (1, 2, 3, 4)]
    if min(n) == 0:
        return FALLBACK
    y = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3)]
    return found if all(0 <= d <= k for k, d in enumerate(found, 1)) else FALLBACK


unigram = TokenBaseline("unigram", partial(counted, order=1))
bigram = TokenBaseline("bigram", partial(counted, order=2))
trigram = TokenBaseline("trigram", partial(counted, order=3))
