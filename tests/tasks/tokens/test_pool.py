"""n-grams beside a network say with it what comes next, where held-out tokens are likelier for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli import model as models
from rnncli.baselines.tokens.documents import NOTHING, Documents
from rnncli.baselines.tokens.kneser_ney import Walk, counted
from rnncli.errors import UsageError
from rnncli.tasks.tokens import pool, pool_file
from rnncli.tasks.tokens.pool import best_share, judged

SMALL = {"split": "char", "hidden": 16, "steps": 30, "batch": 8, "members": 1}


def test_the_share_is_the_one_with_which_tokens_are_the_likeliest() -> None:
    network, ngrams = np.random.default_rng(0).random((2, 1_000)) ** 3
    shares = np.linspace(0, 1, 10_001)
    losses = [-np.log((1 - w) * network + w * ngrams).mean() for w in shares]
    assert best_share(network, ngrams) == pytest.approx(shares[int(np.argmin(losses))], abs=1e-4)
    assert best_share(network, network * 0.9) == pytest.approx(0, abs=1e-9)
    assert best_share(network, network * 1.1) == pytest.approx(1, abs=1e-9)


def test_n_grams_that_add_nothing_are_left_out() -> None:
    network = np.random.default_rng(1).uniform(0.1, 1, 1_000)
    assert judged(np.log(network), network * 0.99) is None
    found = judged(np.log(network), 1.1 - network)
    assert found is not None
    assert found.cross_entropy < -np.log(network).mean()


def test_token_after_token_they_say_what_they_say_of_whole_histories() -> None:
    codes = np.random.default_rng(2).choice(9, 600, p=np.arange(1, 10) / 45)
    read = Documents(codes, np.array([0, 200, 600]))
    ngrams = counted(read, 9, 5)
    asked = Documents(np.concatenate([codes[40:90], codes[::-1][:50]]), np.array([0, 100]))
    history = asked.history(4)
    walk = Walk(ngrams, np.full(4, NOTHING))
    for at, expected in enumerate(ngrams.probabilities(history)):
        np.testing.assert_allclose(walk.probabilities(), expected, rtol=1e-13)
        walk.step(int(asked.codes[at]))
    late = Walk(ngrams, history[-1])
    np.testing.assert_allclose(late.probabilities(), ngrams.probabilities(history[-1:])[0], rtol=1e-13)


def test_there_are_no_more_n_grams_than_a_model_holds() -> None:
    codes = np.random.default_rng(3).integers(0, 30, 5_000)
    whole, cut = (counted(Documents(codes, np.array([0, 5_000])), 30, 6, most) for most in (np.inf, 6_000))
    assert len(cut.levels) < len(whole.levels)
    assert sum(map(len, cut.levels)) <= 6_000
    history = Documents(codes, np.array([0, 5_000])).history(cut.steps)
    expected = counted(Documents(codes, np.array([0, 5_000])), 30, len(cut.levels)).probabilities(history[:50])
    np.testing.assert_array_equal(cut.probabilities(history[:50]), expected)


def test_long_texts_are_counted_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "COUNTED", 100)
    codes = np.arange(1_000) // 300
    found = pool.ngrams_in(Documents(codes, np.array([0, 150, 850, 1_000])), 4, 2)
    assert found.levels[0].tokens.tolist() == [3]


def test_a_network_alone_is_trained_as_one_with_n_grams(verse: Path, tmp_path: Path) -> None:
    made = {}
    for order in (0, 3):
        path = tmp_path / f"{order}.safetensors"
        done = rnncli.train(str(verse), output=path, ngrams=order, **SMALL)
        assert ("pool" in done.model.record["validation"]) == (order > 0)
        made[order] = models.load(path)
    assert made[0].pool is None
    assert len(made[3].pool.ngrams.levels) == 3
    for name, weight in made[0].weights.items():
        np.testing.assert_array_equal(made[3].weights[name], weight)
    alone, pooled = (rnncli.evaluate(str(verse), made[order]).report.model_scores["perplexity"] for order in (0, 3))
    assert pooled < alone
    assert "up to order 3" in str(rnncli.info(made[3]))


def test_n_grams_that_know_what_is_held_out_by_heart_are_not_judged_by_it(tmp_path: Path) -> None:
    path = tmp_path / "noise.txt"
    path.write_text("".join(np.random.default_rng(0).choice([*"abcdefgh"], 2_000)))
    alone = rnncli.train(str(path), output=tmp_path / "first.safetensors", ngrams=6, **SMALL).model
    codes = np.array([alone.vocabulary.index(letter) for letter in path.read_text()])
    known = counted(Documents(codes, np.array([0, len(codes)])), len(alone.vocabulary), 6)
    first = dataclasses.replace(alone, pool=pool.Pool(known, 0.25))
    again = rnncli.train(str(path), output=tmp_path / "again.safetensors", warm_start=first, steps=5).model
    held_out = again.record["validation"]
    assert held_out.get("pool", held_out["network"])["cross_entropy"] > 0.97 * np.log(8)  # nothing foretells noise
    assert again.pool.share < 0.5


def test_a_model_that_goes_on_learning_counts_what_it_is_given(verse: Path, tmp_path: Path) -> None:
    first = rnncli.train(str(verse), output=tmp_path / "first.safetensors", **SMALL).model
    path = tmp_path / "more.txt"
    path.write_text(verse.read_text() * 2)
    again = rnncli.train(str(path), output=tmp_path / "again.safetensors", warm_start=first, steps=5).model
    assert again.pool.ngrams.levels[-1].counts.sum() > 1.9 * first.pool.ngrams.levels[-1].counts.sum()
    path.write_text("the cat ran")  # too short for anything to be held out
    other = rnncli.train(str(path), output=tmp_path / "other.safetensors", warm_start=first, steps=1).model
    assert other.pool.share == first.pool.share
    assert other.pool.ngrams.levels[-1].counts.tolist() == first.pool.ngrams.levels[-1].counts.tolist()


def test_a_file_is_about_as_large_as_is_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_file, "TOLD", 1 << 12)
    rng = np.random.default_rng(5)
    for kinds, order in ((20, 4), (2_000, 3)):
        p = 1 / (np.arange(kinds) + 2.7)
        for rows in (1_000, 6_000, 40_000):
            codes = rng.choice(kinds, rows, p=p / p.sum())
            read = Documents(codes, np.array([0, rows // 3, rows]))
            made = pool_file.to_file(pool.Pool(pool.ngrams_in(read, kinds, order), 0.5)).tensors
            size = sum(tensor.nbytes for tensor in made.values())
            assert pool_file.expected_bytes(read, kinds, order) == pytest.approx(size, rel=0.3)


def test_a_vocabulary_of_very_many_kinds_has_no_n_grams(tmp_path: Path) -> None:
    path = tmp_path / "many.txt"
    path.write_text(" ".join(f"w{number}" for number in range(50_001)))
    with pytest.raises(UsageError, match="--ngrams is for up to 50,000"):
        rnncli.train(
            str(path),
            output=tmp_path / "many.safetensors",
            split="space",
            min_count=1,
            vocabulary=60_000,
            ngrams=2,
            steps=1,
        )
