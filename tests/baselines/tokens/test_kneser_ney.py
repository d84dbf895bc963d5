"""n-grams: the equations of Chen & Goodman read word by word, laws of probability, and by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rnncli.baselines.tokens import kneser_ney
from rnncli.baselines.tokens.baseline import FIRST
from rnncli.baselines.tokens.documents import Documents
from rnncli.baselines.tokens.kneser_ney import FALLBACK, bigram, counted, discounts, trigram, unigram
from rnncli.registry import BASELINES, find

BEGIN = "begin"


def documents(texts: Sequence[Sequence[int]]) -> Documents:
    return Documents(np.concatenate([np.array(text, np.uint8) for text in texts]), np.cumsum([0, *map(len, texts)]))


def language(seed: int, size: int = 30, count: int = 40) -> list[list[int]]:
    """Documents in which a token depends on the two before it; some tokens never occur."""
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.full(size, 0.05), (size, size))
    texts = []
    for _ in range(count):
        text = [int(rng.integers(size - 2))]
        for _ in range(int(rng.integers(0, 60))):
            before = text[-2] if len(text) > 1 else 0
            text.append(int(min(rng.choice(size, p=table[before, text[-1]]), size - 3)))
        texts.append(text)
    return texts


class WordByWord:
    """The model as its equations stand in the paper, with dictionaries."""

    def __init__(self, texts: Sequence[Sequence[int]], size: int, order: int) -> None:
        grams: dict[int, Counter[tuple[Hashable, ...]]] = {n: Counter() for n in range(1, order + 1)}
        for text in texts:
            padded: list[Hashable] = [BEGIN, *text]
            for n, found in grams.items():
                found.update(tuple(padded[at : at + n]) for at in range(len(padded) - n + 1))
        del grams[1][(BEGIN,)]
        self.counts: dict[int, dict[tuple[Hashable, ...], int]] = {order: dict(grams[order])}
        for n in range(order - 1, 0, -1):
            before = defaultdict(set)
            for gram in grams[n + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[n] = {gram: len(before[gram]) or count for gram, count in grams[n].items()}
        self.discounts = {n: discounts(np.array(list(found.values()))) for n, found in self.counts.items()}
        self.size = size

    def probability(self, context: tuple[Hashable, ...], token: int) -> float:
        n = len(context) + 1
        below = 1 / self.size if n == 1 else self.probability(context[1:], token)
        after = {gram: count for gram, count in self.counts[n].items() if gram[:-1] == context}
        if not after:
            return below
        d = [0.0, *self.discounts[n]]
        total = sum(after.values())
        count = after.get((*context, token), 0)
        left = sum(d[min(one, 3)] for one in after.values()) / total
        return max(count - d[min(count, 3)], 0.0) / total + left * below


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_probability_is_that_of_the_equations(order: int) -> None:
    texts, size = language(0), 30
    found, plain = counted(documents(texts), size, order), WordByWord(texts, size, order)
    asked = language(1, count=3)
    read = documents(asked)
    said = found.said(read).log_probabilities
    exact = found.probability(read.history(found.steps, 0, read.rows), read.codes.astype(np.int64))
    expected = []
    for text in asked:
        padded: list[Hashable] = [BEGIN, *text]
        for at, token in enumerate(text, 1):
            expected.append(plain.probability(tuple(padded[max(at - order + 1, 0) : at]), token))
    assert exact == pytest.approx(np.array(expected), rel=1e-9)
    assert np.array_equal(said, np.log(exact).astype(np.float32))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_of_every_next_token_sum_to_one_and_are_those_said(order: int) -> None:
    learnt, asked = documents(language(2)), documents(language(3, count=5))
    found = counted(learnt, 30, order)
    every = found.probabilities(asked.history(3))
    assert every.sum(axis=1) == pytest.approx(np.ones(asked.rows))
    assert (every > 0).all()
    said = found.said(asked)
    own = np.take_along_axis(every, asked.codes.astype(np.int64)[:, None], axis=1)[:, 0]
    assert np.exp(said.log_probabilities) == pytest.approx(own)
    order = np.argsort(-every.round(14), axis=1, kind="stable")
    assert found.first(asked.history(3)).tolist() == order[:, :FIRST].tolist()
    places = [int(np.flatnonzero(row == token)[0]) for row, token in zip(order, asked.codes, strict=True)]
    assert said.ranks.tolist() == [min(place, FIRST) for place in places]


def test_of_few_tokens_all_are_ranked() -> None:
    found = trigram.learn(documents([[0, 1, 2, 0, 1]]), 3)
    assert found.said(documents([[0, 1, 2], [2]])).ranks.max() < 3


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = documents(language(3, count=5))
    found = trigram.learn(documents(language(2)), 30)
    whole = found.said(asked)
    monkeypatch.setattr(kneser_ney, "_AT_ONCE", 7)
    found = trigram.learn(documents(language(2)), 30)
    assert found.said(asked).ranks.tolist() == whole.ranks.tolist()
    assert found.said(asked).log_probabilities.tolist() == whole.log_probabilities.tolist()


def test_millions_of_kinds_of_tokens_are_told_apart_as_few_are() -> None:
    size, texts, asked = 1 << 24, language(2), language(3, count=5)
    far = np.random.default_rng(0).choice(size, 30, replace=False).astype(np.uint32)
    few, many = counted(documents(texts), 30, 3), counted(Documents(*_renamed(texts, far)), size, 3)
    history = documents(asked).history(2)
    codes = documents(asked).codes.astype(np.int64)
    renamed = np.where(history < 0, -1, far[history].astype(np.int64))
    found = many.probability(renamed, far[codes].astype(np.int64))
    below = np.array([level.left[0] for level in few.levels[:1]]) * (1 / 30 - 1 / size)
    shared = np.ones(len(codes))
    for order in (2, 3):
        context = few.context(history, order - 1)
        shared *= np.where(context >= 0, few.levels[order - 1].left[context], 1.0)
    assert found == pytest.approx(few.probability(history, codes) - shared * below, rel=1e-9)


def _renamed(texts: Sequence[Sequence[int]], names: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    plain = documents(texts)
    return names[plain.codes], plain.offsets


def test_discounts_by_hand() -> None:
    counts = np.repeat([1, 2, 3, 4, 9], [40, 16, 8, 4, 3])
    y = 40 / (40 + 2 * 16)
    assert discounts(counts) == pytest.approx([1 - 2 * y * 16 / 40, 2 - 3 * y * 8 / 16, 3 - 4 * y * 4 / 8])
    assert discounts(np.array([1, 1, 2, 7])) == FALLBACK


def test_a_document_begins_anew() -> None:
    found = bigram.learn(documents([[0, 1], [0, 1], [0, 1], [2, 1]]), 4)
    begins = found.probabilities(np.array([[-1, -1]]))[0]
    assert begins.argmax() == 0
    assert found.probabilities(np.array([[0, 1]]))[0].argmax() == found.probabilities(np.array([[-1, 1]]))[0].argmax()
    history = documents([[5, 6], [7]]).history(2)
    assert history.tolist() == [[-1, -1], [-1, 5], [-1, -1]]


def test_more_context_tells_more_where_there_is_something_to_tell() -> None:
    learnt, asked = documents(language(4, count=400)), documents(language(4, count=440)[400:])
    losses = [
        -baseline.learn(learnt, 30).said(asked).log_probabilities.mean() for baseline in (unigram, bigram, trigram)
    ]
    assert losses[0] > losses[1] > losses[2]


def test_baselines_are_found_by_their_names() -> None:
    assert [find(BASELINES["tokens"], name, "baseline").name for name in BASELINES["tokens"]] == list(
        BASELINES["tokens"]
    )
