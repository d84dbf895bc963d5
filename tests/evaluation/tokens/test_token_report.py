"""A model of tokens beside n-grams: what is scored, how honestly, who is better, and the gates over it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from rnncli.baselines.tokens.baseline import FIRST, Said
from rnncli.baselines.tokens.documents import Documents
from rnncli.baselines.tokens.kneser_ney import bigram, trigram
from rnncli.errors import InputRefused, RnncliError, UsageError
from rnncli.evaluation.gates import outcomes, read_condition, rival_name
from rnncli.evaluation.tokens.report import TokenReport
from rnncli.evaluation.tokens.run import Asked, evaluate_tokens
from rnncli.metrics import tokens as metrics
from rnncli.metrics.tokens import Predicted, bits_per_byte, perplexity
from rnncli.outline import as_text

SIZE = 12


def chain(seed: int, count: int, longest: int = 40) -> Documents:
    """Documents in which each token depends on the one before it; code 0 never occurs."""
    rng = np.random.default_rng(seed)
    table = np.random.default_rng(0).dirichlet(np.full(SIZE - 1, 0.3), SIZE - 1)
    texts = []
    for _ in range(count):
        text = [int(rng.integers(SIZE - 1))]
        for _ in range(int(rng.integers(1, longest))):
            text.append(int(rng.choice(SIZE - 1, p=table[text[-1]])))
        texts.append(np.array(text) + 1)
    return Documents(np.concatenate(texts).astype(np.uint8), np.cumsum([0, *map(len, texts)]))


def true_model(documents: Documents) -> Said:
    """What somebody says who knows how `chain` draws; of a first token nothing."""
    table = np.random.default_rng(0).dirichlet(np.full(SIZE - 1, 0.3), SIZE - 1)
    before, now = documents.history(1)[:, 0], documents.codes.astype(np.int64)
    p = table[before - 1, now - 1]
    ranks = (table[before - 1] > p[:, None]).sum(axis=1)
    return Said(np.where(before < 0, np.nan, np.log(p)), ranks)


def report(count: int = 30, longest: int = 40, **about: object) -> TokenReport:
    trained, asked = chain(1, 20), chain(2, count, longest)
    ids = tuple(f"d{s}" for s in range(len(asked)))
    return evaluate_tokens(Asked(asked, ids, SIZE, **about), true_model(asked), trained)  # type: ignore[arg-type]


def test_the_model_comes_first_and_n_grams_follow() -> None:
    assert list(report().scores) == ["model", "unigram", "bigram", "trigram"]


def test_only_what_was_asked_is_scored_of_all() -> None:
    asked, found = chain(2, 30), report()
    said = true_model(asked)
    known = ~np.isnan(said.log_probabilities)
    assert found.tokens == asked.rows - 30 == known.sum()
    mine = Predicted(said.log_probabilities[known], said.ranks[known])
    assert found.model_scores["perplexity"] == pytest.approx(perplexity(mine))
    theirs = bigram.learn(chain(1, 20), SIZE).said(asked)
    expected = perplexity(Predicted(theirs.log_probabilities[known], theirs.ranks[known]))
    assert found.scores["bigram"].overall["perplexity"] == pytest.approx(expected)


def test_scores_of_documents_and_positions_make_those_of_all() -> None:
    found = report()
    for parts, by in ((found.documents, "document"), (found.positions, "position")):
        counts = np.array([count for _, count in parts])
        losses = [row["cross_entropy"] for row in found.rows(by) if row["forecaster"] == "trigram"]
        assert (counts * losses).sum() / counts.sum() == pytest.approx(found.scores["trigram"].overall["cross_entropy"])
    assert [name for name, _ in found.positions] == ["2", "3-4", "5-8", "9-16", "17-32", "33-64"]
    assert found.documents[3][0] == "d3"


def test_bits_per_byte_are_of_the_text_that_is_scored() -> None:
    asked = chain(2, 30)
    lengths = np.diff(asked.offsets)
    found = report(text_bytes=3 * lengths)
    said = true_model(asked)
    known = ~np.isnan(said.log_probabilities)
    mine = Predicted(said.log_probabilities[known], said.ranks[known], 3.0 * (lengths - 1).sum())
    assert found.model_scores["bits_per_byte"] == pytest.approx(bits_per_byte(mine))
    assert math.isnan(report().model_scores["bits_per_byte"])
    assert "bits_per_byte" not in report().metrics


def test_who_knows_more_is_better_by_the_test_over_documents() -> None:
    found = report(60)
    entropy, accuracy = found.comparisons["unigram"]
    assert (entropy.metric, entropy.units, entropy.count) == ("cross_entropy", "documents", 60)
    assert entropy.method == "bootstrap over documents"
    scores = {name: one.overall for name, one in found.scores.items()}
    assert entropy.difference == pytest.approx(scores["model"]["cross_entropy"] - scores["unigram"]["cross_entropy"])
    assert accuracy.difference == pytest.approx(scores["model"]["accuracy"] - scores["unigram"]["accuracy"])
    assert entropy.better(0.01)
    assert accuracy.better(0.01)


def test_one_document_is_compared_over_its_stretches() -> None:
    trained, asked = chain(1, 20), chain(3, 1, 3000)
    said = trigram.learn(trained, SIZE).said(asked)
    found = evaluate_tokens(Asked(asked, ("all",), SIZE), said, trained)
    same, better = found.against("trigram"), found.against("unigram")
    assert (same.difference, same.better(0.05)) == (0, False)
    assert found.comparisons["trigram"][1].difference == 0
    assert (better.units, better.method) == ("stretches", "Diebold-Mariano over stretches")
    assert better.better(0.01)


def test_ranks_are_counted_as_far_as_metrics_look() -> None:
    assert FIRST >= metrics.FIRST


def test_gates_read_the_report() -> None:
    conditions = [read_condition("perplexity>1000", "tokens"), read_condition("accuracy<0.99", "tokens")]
    found = outcomes(report(60), conditions, [rival_name("unigram", "tokens")], 0.05)
    assert [outcome.passed for outcome in found] == [True, False, True]


def test_what_training_saw_is_marked_and_proves_nothing() -> None:
    found = report(dishonest=np.arange(30) == 4)
    assert found.in_sample
    rows = [row for row in found.rows("document") if row["forecaster"] == "model"]
    assert [row["in_sample"] for row in rows] == [place == 4 for place in range(30)]
    assert found.tables()[0].header[1] == "model (in-sample)"
    assert not outcomes(found, [read_condition("perplexity>1000", "tokens")], [], 0.05)[0].passed


def test_without_what_was_trained_on_there_is_no_rival() -> None:
    asked = chain(2, 5)
    found = evaluate_tokens(Asked(asked, tuple("abcde"), SIZE), true_model(asked), None)
    assert list(found.scores) == ["model"]
    with pytest.raises(UsageError) as refused:
        found.against("bigram")
    assert "--trained-on" in refused.value.hint
    with pytest.raises(UsageError, match="tokens have no baseline"):
        report().against("bygram")
    with pytest.raises(RnncliError):
        evaluate_tokens(Asked(asked, ("a",), SIZE), true_model(asked), None)


def test_where_no_token_was_asked_about_that_is_said() -> None:
    asked = Documents(np.array([3, 4]), np.array([0, 1, 2]))
    with pytest.raises(InputRefused, match="of no token was asked"):
        evaluate_tokens(Asked(asked, ("a", "b"), SIZE), true_model(asked), None)


def test_tokens_that_are_unknown_are_counted() -> None:
    asked = Documents(np.array([3, 0, 0, 4]), np.array([0, 4]))
    said = Said(np.log(np.array([0.5, 0.5, 0.25, 0.25])), np.zeros(4, np.int64))
    found = evaluate_tokens(Asked(asked, ("a",), SIZE), said, None)
    assert found.unknown == 2
    assert "2 tokens (50.0%) are not in the vocabulary" in dict(found.facts())["unknown"]


def test_it_is_shown_and_written() -> None:
    found = report(notes=("so it is",))
    assert found.headline().endswith("tokens of 30 documents, a vocabulary of 12")
    assert "so it is" in found.remarks()
    assert "perplexity" in as_text(found.outline())
    document = json.loads(json.dumps(found.to_json(by="position"), allow_nan=False))
    assert document["scores"]["model"]["perplexity"] == pytest.approx(found.model_scores["perplexity"])
    assert (document["task"], len(document["by_position"])) == ("tokens", 4 * len(found.positions))
    assert found.tables("document")[1].header[:3] == ["document", "tokens", "forecaster"]
    assert [row["forecaster"] for row in found.rows()] == list(found.scores)
