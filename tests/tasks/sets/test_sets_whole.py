"""Documents of sets from a table to what is said of them, by the commands and in Python."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.errors import InputRefused, UsageError

SMALL: dict[str, Any] = {"token": "notes", "multi_hot": True, "id": "piece", "members": 1}
STAYS, COMES = 0.8, 0.1  # the probability of a token that was on, and of one that was off


def chain(documents: int, steps: int, tokens: int = 4, seed: int = 0) -> pa.Table:
    """Sets of tokens that stay, or come, each on its own: a Markov chain of known entropy."""
    rng, rows = np.random.default_rng(seed), []
    for document in range(documents):
        on = np.zeros(tokens, np.bool_)
        for _ in range(steps):
            on = rng.random(tokens) < np.where(on, STAYS, COMES)
            rows.append({"piece": f"p{document}", "notes": np.flatnonzero(on).tolist()})
    return pa.Table.from_pylist(rows)


def entropy(table: pa.Table, tokens: int = 4) -> float:
    """-log p of all sets by the law itself, in nats a step."""
    total, before, name = 0.0, np.zeros(tokens, np.bool_), ""
    for row in table.to_pylist():
        if row["piece"] != name:
            before, name = np.zeros(tokens, np.bool_), row["piece"]
        on = np.isin(np.arange(tokens), row["notes"])
        p = np.where(before, STAYS, COMES)
        total -= float(np.log(np.where(on, p, 1 - p)).sum())
        before = on
    return total / len(table)


@pytest.fixture(scope="session")
def known_law(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of sets from a chain of known entropy."""
    path = tmp_path_factory.mktemp("sets") / "chain.safetensors"
    options = SMALL | {"hidden": 16, "steps": 250, "dropout": 0, "learning_rate": 0.02}
    rnncli.train(chain(40, 40), output=path, **options)
    return path


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.encode().decode())))


def test_the_network_comes_near_the_entropy_of_a_known_law(known_law: Path) -> None:
    test, trained = chain(30, 40, seed=1), chain(40, 40)
    report = rnncli.evaluate(test, known_law, trained_on=trained).report
    least, found = entropy(test), report.scores["model"].overall["cross_entropy"]
    assert least - 0.02 < found < least + 0.08
    assert report.scores["frequencies"].overall["cross_entropy"] > least + 0.2
    assert report.scores["persistence"].overall["cross_entropy"] == pytest.approx(least, abs=0.03)
    assert report.against("frequencies").better(0.05)


def test_scores_of_steps_are_those_of_the_document_and_of_evaluate(known_law: Path) -> None:
    test = chain(3, 20, seed=2)
    steps = rows(rnncli.predict(test, known_law, score="step"))
    whole = rows(rnncli.predict(test, known_law, score="document"))
    assert [row["position"] for row in steps[:3]] == ["1", "2", "3"]
    for document in whole:
        own = [float(row["log_p"]) for row in steps if row["piece"] == document["piece"]]
        assert sum(own) == pytest.approx(float(document["log_p"]))
        assert float(document["cross_entropy"]) == pytest.approx(-sum(own) / 20)
    found = rnncli.evaluate(test, known_law).report.model_scores["cross_entropy"]
    assert found == pytest.approx(-np.mean([float(row["log_p"]) for row in steps]))


def test_the_next_set_is_what_is_likelier_than_not_and_top_says_how_many(known_law: Path) -> None:
    table = pa.table({"piece": ["a", "a", "b"], "notes": [[0, 1], [1, 2], []]})
    said = rows(rnncli.predict(table, known_law))
    assert {row["token"] for row in said if row["piece"] == "a"} == {"1", "2"}
    assert [row["rank"] for row in said if row["piece"] == "b"] == ["1"]
    assert len(rows(rnncli.predict(table, known_law, top=3))) == 6
    p = {row["token"]: float(row["p"]) for row in said if row["piece"] == "a"}
    assert p["1"] == pytest.approx(STAYS, abs=0.12)


def test_sets_go_on_in_the_form_in_which_they_came_and_as_the_law_says(known_law: Path) -> None:
    table = chain(20, 5, seed=3)
    made = rnncli.predict(table, known_law, generate=60, seed=4)
    drawn = made.to_arrow()
    assert drawn.column_names == ["piece", "position", "notes"]
    assert pa.types.is_integer(drawn.schema.field("notes").type.value_type)
    assert drawn["position"].to_pylist()[:2] == [6, 7]
    later = drawn["notes"].to_pylist()
    on = np.array([[token in notes for token in range(4)] for notes in later]).reshape(20, 60, 4)
    before, after = on[:, :-1], on[:, 1:]
    assert after[before].mean() == pytest.approx(STAYS, abs=0.07)
    assert after[~before].mean() == pytest.approx(COMES, abs=0.05)
    again = rnncli.predict(table, known_law, generate=60, seed=4)
    assert again.encode() == made.encode()
    alone = table.slice(35, 5)
    one = rnncli.predict(alone, known_law, generate=60, seed=4).to_arrow()["notes"].to_pylist()
    assert one == later[7 * 60 : 8 * 60]
    assert "0,1" in made.encode().decode() or "1,2" in made.encode().decode()


def test_a_state_goes_on_as_if_all_had_been_given_at_once(known_law: Path, tmp_path: Path) -> None:
    table, state = chain(3, 30, seed=5), tmp_path / "state"
    place = np.arange(90) % 30
    first, second = table.filter(pa.array(place < 17)), table.filter(pa.array(place >= 17))
    whole = rows(rnncli.predict(table, known_law, score="step"))
    parts = [rows(rnncli.predict(part, known_law, score="step", state=state)) for part in (first, second)]
    by_piece = sorted(float(row["log_p"]) for part in parts for row in part)
    assert by_piece == pytest.approx(sorted(float(row["log_p"]) for row in whole), abs=1e-6)
    assert len({row["position"] for row in parts[1]}) == 13


def test_tokens_that_training_never_saw_are_told_and_cost_a_finite_price(known_law: Path) -> None:
    table = pa.table({"piece": ["a"] * 3, "notes": [[0], [0, 77, 78], [0]]})
    told: list[Any] = []
    found = rnncli.evaluate(table, known_law, on_event=told.append).report
    assert found.unknown == 2
    assert any("2 tokens are not known: each costs 7.38 nats" in note for note in found.notes)
    assert any("not in the model's vocabulary" in str(event) for event in told)
    steps = [float(row["log_p"]) for row in rows(rnncli.predict(table, known_law, score="step"))]
    assert steps[1] == pytest.approx(steps[2] - 2 * np.log(1602), abs=1.5)


def test_a_missing_set_is_neither_learnt_from_nor_scored(known_law: Path) -> None:
    table = pa.table({"piece": ["a"] * 4, "notes": [[0], None, [1], []]})
    assert [row["position"] for row in rows(rnncli.predict(table, known_law, score="step"))] == ["1", "3", "4"]
    assert rnncli.evaluate(table, known_law).report.tokens == 3


def test_text_with_a_separator_is_as_lists_are(tmp_path: Path, known_law: Path) -> None:
    lists = chain(6, 10, seed=6)
    texts = pa.table({"piece": lists["piece"], "notes": [" | ".join(map(str, n)) for n in lists["notes"].to_pylist()]})
    parquet.write_table(texts, tmp_path / "t.parquet")
    options = {"hidden": 4, "steps": 5}
    one = rnncli.train(lists, **SMALL | options).model.model
    other = rnncli.train(tmp_path / "t.parquet", set_separator="|", **SMALL | options).model.model
    assert one.vocabulary == other.vocabulary
    assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)
    drawn = rnncli.predict(tmp_path / "t.parquet", other, generate=5).to_arrow()
    assert drawn.schema.field("notes").type in (pa.string(), pa.large_string())
    assert any("|" in text for text in drawn["notes"].to_pylist())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"score": "token"}, "not scored one by one"),
        ({"top_k": 3, "generate": 2}, "--top-k is for tokens"),
        ({"score": "step", "top": 2}, "ask for two answers"),
        ({"temperature": 0, "generate": 2}, "temperature must be above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(known_law: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rnncli.predict(chain(2, 3), known_law, **options)


@pytest.mark.parametrize(
    ("notes", "options", "says"),
    [
        ([[], [], []], {}, "every set is empty"),
        ([None, None, None], {}, "every set is"),
        (["a,b", "a", ""], {}, "--set-separator ,"),
        ([["a", None], ["b"], []], {}, "a token is missing in a list"),
        ([["a"], ["b"], ["a", "c"]], {"min_count": 9}, "no token is seen 9 times"),
        ([[{"x": 1}], [], []], {}, "which are no tokens"),
    ],
)
def test_columns_that_are_no_sets_are_refused(notes: list[Any], options: dict[str, Any], says: str) -> None:
    kind = None if any(notes) else pa.list_(pa.string())
    table = pa.table({"piece": ["a", "a", "b"], "notes": pa.array(notes, kind)})
    with pytest.raises(InputRefused) as refused:
        rnncli.train(table, **SMALL | {"steps": 2} | options)
    assert says in f"{refused.value.message} {refused.value.hint}"


def test_multi_hot_needs_the_column_and_tokens_say_that_lists_are_sets() -> None:
    with pytest.raises(UsageError, match="--multi-hot needs the column"):
        rnncli.train(chain(2, 3), multi_hot=True, steps=2)
    with pytest.raises(InputRefused) as refused:
        rnncli.train(chain(2, 3), token="notes", id="piece", steps=2)
    assert "--multi-hot" in refused.value.hint
