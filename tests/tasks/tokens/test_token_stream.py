"""What is said of documents is what the network says of them, in one process or in several."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli.baselines.tokens.documents import Documents
from rnncli.layers.encoder import outputs
from rnncli.tasks import document_table as tables
from rnncli.tasks.seen import head_weights
from rnncli.tasks.tokens import head, stream
from tests.tasks.tokens.conftest import Trained


def scores(data: Any, model: Trained, **options: Any) -> dict[str, list[Any]]:
    return pa.table(rnncli.predict(data, str(model.path), score="token", **options)).to_pydict()


def test_a_score_is_the_probability_that_members_give_on_average_pooled_with_n_grams(
    case_model: Trained, cases_table: Path
) -> None:
    model, found = case_model.model, scores(str(cases_table), case_model)
    code = {token: number for number, token in enumerate(model.vocabulary)}
    for case in ("c0", "c17"):
        rows = [row for row, name in enumerate(found["case"]) if name == case]
        codes = np.array([code[found["token"][row]] for row in rows])
        assert found["position"][rows[0]] == 1
        assert found["token"][rows[-1]] == "<end>"
        p = 0.0
        for member in range(2):
            weights = {name: weight[member] for name, weight in model.weights.items()}
            own = head_weights(weights)
            seen = head.embedded(own["embedding"], np.array([[model.spec.boundary, *codes[:-1]]]), np)
            logits = head.head(model.spec, own, outputs(model.network, weights, seen)[0], np).astype(np.float64)
            p = p + np.exp(head.log_softmax(logits, np)) / 2
        assert model.pool is not None
        before = Documents(codes, np.array([0, len(codes)])).history(model.pool.steps)
        p = (1 - model.pool.share) * p + model.pool.share * model.pool.ngrams.probabilities(before)
        own_p = p[np.arange(len(codes)), codes]
        np.testing.assert_allclose(np.exp([found["log_p"][row] for row in rows]), own_p, rtol=1e-4)
        assert [found["rank"][row] for row in rows] == [1 + int((p[at] > own_p[at]).sum()) for at in range(len(codes))]


def test_a_document_is_as_likely_as_its_tokens_together(case_model: Trained, cases_table: Path) -> None:
    tokens = scores(str(cases_table), case_model)
    by_document = pa.table(rnncli.predict(str(cases_table), str(case_model.path), score="document")).to_pydict()
    for case, count, log_p, perplexity in zip(*(by_document[name] for name in by_document), strict=True):
        own = [log for name, log in zip(tokens["case"], tokens["log_p"], strict=True) if name == case]
        assert count == len(own)
        assert log_p == pytest.approx(sum(own))
        assert perplexity == pytest.approx(np.exp(-np.mean(own)))


def test_a_case_that_is_unlike_all_others_is_the_least_likely(case_model: Trained, cases_table: Path) -> None:
    table = cases_table.read_text() + "odd,close B\nodd,wait\nodd,open\nodd,A\n"
    path = cases_table.parent / "odd.csv"
    path.write_text(table)
    found = pa.table(rnncli.predict(str(path), str(case_model.path), score="document")).to_pydict()
    assert found["case"][int(np.argmax(found["perplexity"]))] == "odd"


def test_what_is_read_in_parts_is_scored_with_the_same_bits(case_model: Trained, cases_table: Path) -> None:
    with cases_table.open() as file:
        rows = list(csv.DictReader(file))
    ends = len(rows) // 2
    table, state = pa.Table.from_pylist(rows), cases_table.parent / "state"
    parts = [scores(table.slice(*at), case_model, state=state) for at in ((0, ends), (ends, len(rows)))]
    whole = scores(table, case_model)
    places = zip(whole["case"], whole["position"], strict=True)
    told = dict(zip(places, whole["log_p"], strict=True))
    assert sum(len(part["token"]) for part in parts) == len(rows) == len(told) - whole["token"].count("<end>")
    before: dict[str, int] = {}
    for part in parts:
        for case, log in zip(part["case"], part["log_p"], strict=True):
            before[case] = before.get(case, 0) + 1
            assert log == told[case, before[case]]


def test_how_much_is_read_and_written_at_a_time_changes_no_bit(
    case_model: Trained, cases_table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> tuple[list[bytes], float]:
        answers = [rnncli.predict(str(cases_table), str(case_model.path), score=of) for of in ("token", "document")]
        scores = rnncli.evaluate(str(cases_table), str(case_model.path)).report.model_scores
        return [answers[0].encode(), answers[0].encode("jsonl"), answers[1].encode()], scores["perplexity"]

    whole, perplexity = said()
    monkeypatch.setattr(stream, "DOCUMENTS", 7)
    monkeypatch.setattr(stream, "ROWS", 20)
    monkeypatch.setattr(tables, "AT_ONCE", 50)
    parts, same = said()
    assert parts == whole
    assert same == pytest.approx(perplexity, rel=1e-12)


def test_the_likeliest_next_tokens_of_every_case_are_written(case_model: Trained, tmp_path: Path) -> None:
    rows = [("x", "open"), ("x", "A"), ("y", "open"), ("y", "B"), ("z", "open")]
    table = pa.table({"case": [case for case, _ in rows], "event": [event for _, event in rows]})
    state = tmp_path / "state"
    found = pa.table(rnncli.predict(table, str(case_model.path), top=3, state=state)).to_pydict()
    assert (found["case"], found["rank"]) == ([*"xxxyyyzzz"], [1, 2, 3] * 3)
    assert found["token"][0] == found["token"][3] == "wait"
    assert set(found["token"][6:8]) == {"A", "B"}
    assert all(0 < p < 1 for p in found["p"])
    later = pa.table({"case": ["x", "y", "z"], "event": ["wait", "wait", "B"]})
    second = pa.table(rnncli.predict(later, str(case_model.path), top=1, state=state)).to_pydict()
    whole = pa.concat_tables([table, later])
    assert second == pa.table(rnncli.predict(whole, str(case_model.path), top=1)).to_pydict()
