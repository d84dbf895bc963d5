"""What is drawn, and that a text goes on in a second process as it would have in the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli import checkpoint
from rnncli import model as models
from rnncli.errors import UsageError
from rnncli.events import Generated
from rnncli.layers.encoder import outputs
from rnncli.tasks.seen import head_weights
from rnncli.tasks.tokens import head
from rnncli.tasks.tokens.generate import Drawing, drawn
from tests.tasks.tokens.conftest import VERSE, Trained

LOGS = np.log(np.array([0.5, 0.05, 0.3, 0.15], np.float32))
EVENLY = (np.arange(2_000) + 0.5) / 2_000


def shares(drawing: Drawing, never: int | None = None) -> list[float]:
    """How often each token is drawn by numbers that lie evenly between 0 and 1."""
    codes = [drawn(LOGS, drawing, float(uniform), never) for uniform in EVENLY]
    return (np.bincount(codes, minlength=4) / len(codes)).round(3).tolist()


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    assert shares(Drawing()) == [0.5, 0.05, 0.3, 0.15]
    powers = np.array([0.5, 0.05, 0.3, 0.15]) ** 2
    np.testing.assert_allclose(shares(Drawing(temperature=0.5)), powers / powers.sum(), atol=1e-3)


def test_only_the_likeliest_are_drawn() -> None:
    assert shares(Drawing(top_k=1)) == [1, 0, 0, 0]
    assert shares(Drawing(top_k=2)) == [0.625, 0, 0.375, 0]
    assert shares(Drawing(top_p=0.5)) == [1, 0, 0, 0]
    assert shares(Drawing(top_p=0.81)) == [0.526, 0, 0.316, 0.158]
    assert shares(Drawing(top_p=1.0)) == shares(Drawing(top_k=9)) == [0.5, 0.05, 0.3, 0.15]


def test_an_unknown_token_is_not_drawn() -> None:
    assert shares(Drawing(), never=0) == [0, 0.1, 0.6, 0.3]
    assert shares(Drawing(top_k=1), never=0) == [0, 0, 1, 0]


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_what_cannot_be_drawn_from_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Drawing(**wrong)  # type: ignore[arg-type]


def continued(text: str, model: Trained, tmp_path: Path, count: int, **options: object) -> str:
    path = tmp_path / "prompt.txt"
    path.write_text(text)
    return str(rnncli.predict(str(path), str(model.path), generate=count, **options))


def test_a_text_that_was_learnt_goes_on(text_model: Trained, tmp_path: Path) -> None:
    assert continued("and my", text_model, tmp_path, 40, top_k=1) == (VERSE * 2).partition("and my")[2][:40]


def test_the_likeliest_token_is_that_of_the_whole_text_read_at_once(text_model: Trained, tmp_path: Path) -> None:
    model, text = text_model.model, "my cat\nran"
    code = {token: number for number, token in enumerate(model.vocabulary)}
    weights = {name: weight[0] for name, weight in model.weights.items()}
    expected = text
    for _ in range(12):
        codes = np.array([[model.spec.boundary, *(code[letter] for letter in expected)]])
        own = head_weights(weights)
        states = outputs(model.network, weights, head.embedded(own["embedding"], codes, np))
        logits = head.head(model.spec, own, states[:, -1], np)[0]
        logits[0] = -np.inf  # what is unknown
        expected += model.vocabulary[int(logits.argmax())]
    assert text + continued(text, text_model, tmp_path, 12, top_k=1) == expected


def test_the_same_seed_gives_the_same_text(text_model: Trained, tmp_path: Path) -> None:
    texts = [continued("the", text_model, tmp_path, 60, temperature=2.0, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert [len(text) for text in texts] == [60] * 3


def test_a_text_goes_on_from_a_state_as_in_one_go(text_model: Trained, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = continued("and", text_model, tmp_path, 15, top_k=1, state=state)
    second = continued("", text_model, tmp_path, 15, top_k=1, state=state)
    third = continued("the", text_model, tmp_path, 15, top_k=1, state=state)
    assert first + second == continued("and", text_model, tmp_path, 30, top_k=1)
    assert third == continued(f"and{first}{second}the", text_model, tmp_path, 15, top_k=1)


def test_text_is_told_as_it_is_made(text_model: Trained, tmp_path: Path) -> None:
    path, told = tmp_path / "prompt.txt", list[str]()
    path.write_text("the ")

    def hear(event: object) -> None:
        if isinstance(event, Generated):
            told.append(event.text)

    made = rnncli.predict(str(path), str(text_model.path), generate=20, on_event=hear)
    assert "".join(told) == str(made)
    assert told[:20] == list(str(made))


def test_a_document_that_ends_is_not_gone_on_with(case_model: Trained, tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text("case,event\nx,open\nx,A\nx,wait\n")
    told: list[object] = []
    made = rnncli.predict(str(path), str(case_model.path), generate=50, top_k=1, on_event=told.append)
    assert str(made).endswith("close A")
    assert made.rows < 6
    assert any("ended" in str(event) for event in told)


def test_bytes_become_the_characters_that_they_are(tmp_path: Path) -> None:
    text = tmp_path / "bytes.txt"
    text.write_text("äöü€" * 200)
    path = tmp_path / "m.safetensors"
    rnncli.train(str(text), split="byte", output=path, hidden=32, steps=150, dropout=0, learning_rate=0.01, batch=4)
    prompt = tmp_path / "p.txt"
    prompt.write_text("äö")
    made = rnncli.predict(str(prompt), str(path), generate=12, top_k=1)
    assert str(made) == "ü€äöü\ufffd"  # the twelfth byte begins a character


def test_what_is_said_is_the_same_from_the_file(text_model: Trained, verse: Path) -> None:
    tensors, meta = text_model.model.task.to_file(text_model.model)
    again = models.from_bytes(checkpoint.to_bytes(tensors, meta), "as it is")
    whole = rnncli.predict(str(verse), str(text_model.path), score="token").encode()
    assert rnncli.predict(str(verse), again, score="token").encode() == whole


def test_one_text_is_read_on_in_another_process_with_the_same_bits(text_model: Trained, tmp_path: Path) -> None:
    text, path, state = "my cat ran off\nand the rat sat on it\n" * 3, tmp_path / "one.txt", tmp_path / "state"
    logs = []
    for begin, end in ((0, 3), (3, 40), (40, len(text)), (0, len(text))):
        path.write_text(text[begin:end])
        kept = {} if end - begin == len(text) else {"state": state}
        found = pa.table(rnncli.predict(str(path), str(text_model.path), score="token", **kept))
        logs.append(found["log_p"].to_pylist())
    assert [*logs[0], *logs[1], *logs[2]] == logs[3]
    assert (
        pa.table(rnncli.predict(str(path), str(text_model.path), top=4)).to_pydict()
        == pa.table(rnncli.predict(str(path), str(text_model.path), top=4, state=tmp_path / "other")).to_pydict()
    )
