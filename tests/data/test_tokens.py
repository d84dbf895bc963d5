"""Texts and tables of tokens become documents of codes, or one clear refusal with its place."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.load import Loaded
from rnncli.data.tokens import texts
from rnncli.data.tokens.known import known_tokens, shown_token
from rnncli.data.tokens.load import described, holds_text, load_tokens
from rnncli.data.tokens.split import joined
from rnncli.data.tokens.vocabulary import END, UNKNOWN
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.spec import ColumnChoices, TokenChoices

Write = Callable[..., Path]

POEM = "The sea, the sea!\nThe open sea.\n"
CASES = (
    "case_id,ds,activity\n"
    "a,2024-01-01 10:00,open\na,2024-01-01 12:00,close\na,2024-01-01 11:00,ask\n"
    "b,2024-01-02,open\nb,2024-01-03,close\n"
)
WORDS = TokenChoices(split="word", min_count=1)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str | bytes, name: str = "poem.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def tokens_of(loaded: Loaded) -> list[list[str]]:
    """The tokens of every document."""
    panel = loaded.panel
    vocabulary = panel.channels[0].vocabulary
    return [[vocabulary[int(code)] for code in panel.target(s)] for s in range(len(panel))]


def test_a_file_is_a_document_of_characters(write: Write) -> None:
    loaded = load_tokens(write(POEM))
    panel = loaded.panel
    assert panel.ids == ("poem",)
    assert "".join(tokens_of(loaded)[0]) == POEM
    channel = panel.channels[0]
    assert (channel.kind, channel.role, channel.vocabulary[:4]) == ("token", "target", (UNKNOWN, "e", " ", "a"))
    assert panel.values.dtype == np.uint8
    assert loaded.text_bytes is not None
    assert loaded.text_bytes.tolist() == [len(POEM)]
    assert loaded.notes == ("32 tokens in 1 document, 14 different; a vocabulary of 15",)


def test_words_are_told_from_marks_and_line_ends_are_tokens(write: Write) -> None:
    path = write("It\u2019s (not) the sea,\n\nthe well-known 3.5 sea_side!")
    assert tokens_of(load_tokens(path, None, WORDS))[0] == [
        *("It\u2019s", "(", "not", ")", "the", "sea", ",", "\n", "\n", "the"),
        *("well", "-", "known", "3", ".", "5", "sea_side", "!"),
    ]


def test_spaces_split_and_line_ends_are_tokens(write: Write) -> None:
    path = write(" no it was n't <unk> \n mr. <unk> \n")
    loaded = load_tokens(path, None, TokenChoices(split="space", min_count=1))
    assert tokens_of(loaded)[0] == ["no", "it", "was", "n't", UNKNOWN, "\n", "mr.", UNKNOWN, "\n"]
    assert loaded.panel.channels[0].vocabulary.count(UNKNOWN) == 1


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1))
@settings(max_examples=60, deadline=None)
def test_characters_and_bytes_are_the_text_again(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.mktemp("texts") / "a.txt"
    path.write_bytes(text.encode())
    for split in ("char", "byte"):
        loaded = load_tokens(path, None, TokenChoices(split=split))
        assert joined(tokens_of(loaded)[0], split) == text.removeprefix("\ufeff" if split == "char" else "")
        assert loaded.text_bytes is not None
        assert loaded.text_bytes[0] == len(text.removeprefix("\ufeff" if split == "char" else "").encode())


def test_words_are_joined_as_they_are_written() -> None:
    assert joined(["Say", ":", "(", "no", ")", "\n", "yes", ",", "I", "say", "!"], "word") == "Say: (no)\nyes, I say!"
    assert joined(["a", ",", "b", "\n", "c"], "space") == "a , b\nc"


@pytest.mark.parametrize("split", ["char", "word", "space", "byte"])
def test_a_text_is_the_same_in_pieces_of_any_size(write: Write, split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("Ä sea of 9 wördz,\r\nand\r\nünder it \u2018sand\u2019 \u2013 山山 end\n" * 5)
    choices = TokenChoices(split=split, min_count=1)
    whole = load_tokens(path, None, choices)
    for size in (1, 7, 64):
        monkeypatch.setattr(texts, "PIECE", size)
        if split in ("char", "byte") or size == 64:  # a word longer than a piece is cut
            found = load_tokens(path, None, choices)
            assert found.panel.values.tolist() == whole.panel.values.tolist()
            assert found.panel.channels == whole.panel.channels
            assert found.text_bytes == whole.text_bytes


def test_line_ends_are_one_and_that_is_said(write: Write) -> None:
    loaded = load_tokens(write("a\r\nb\nc\rd"))
    assert tokens_of(loaded)[0] == list("a\nb\nc\nd")
    assert "line ends \\n and \\r and \\r\\n are read as \\n" in loaded.notes


def test_the_files_of_a_folder_are_documents_that_end(write: Write, tmp_path: Path) -> None:
    for name, text in (("b.txt", "dog"), ("a.txt", "cat"), ("empty.txt", ""), ("look.png", b"\x89PNG\0")):
        write(text, f"pets/{name}")
    loaded = load_tokens(tmp_path / "pets")
    assert (loaded.panel.ids, loaded.columns.by_file) == (("a", "b"), True)
    assert tokens_of(loaded) == [["c", "a", "t", END], ["d", "o", "g", END]]
    assert "an empty document is left out ('empty')" in loaded.notes
    assert loaded.panel.channels[0].vocabulary[:2] == (UNKNOWN, END)


def test_files_of_one_name_in_two_folders_are_two_documents(write: Write, tmp_path: Path) -> None:
    for folder in ("pos", "neg"):
        write(folder, f"{folder}/1.txt")
    loaded = load_tokens(str(tmp_path / "*" / "1.txt"))
    assert loaded.panel.ids == (str(tmp_path / "neg" / "1.txt"), str(tmp_path / "pos" / "1.txt"))


def test_a_compressed_text_is_read(write: Write) -> None:
    loaded = load_tokens(write(gzip.compress(POEM.encode()), "poem.txt.gz"))
    assert (loaded.panel.ids, len(loaded.panel.values)) == (("poem",), len(POEM))


def test_more_bytes_than_allowed_are_refused(write: Write, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(gzip.compress(b"ab" * 500), f"texts/{name}.txt.gz")
    assert len(load_tokens(tmp_path / "texts", ColumnChoices(max_bytes=2000)).panel) == 2
    with pytest.raises(InputRefused, match="it has more than"):
        load_tokens(tmp_path / "texts", ColumnChoices(max_bytes=1999))


def test_another_encoding_is_read_as_said_and_remembered(write: Write) -> None:
    path = write("Äpfel und Öl".encode("latin-1"))
    loaded = load_tokens(path, ColumnChoices(encoding="latin-1"))
    assert "".join(tokens_of(loaded)[0]) == "Äpfel und Öl"
    again = load_tokens(path, None, None, known_tokens(loaded))
    assert again.panel.values.tolist() == loaded.panel.values.tolist()


def test_rare_tokens_are_unknown(write: Write) -> None:
    loaded = load_tokens(write("a a a b b c d"), None, TokenChoices(split="space"))
    assert loaded.panel.channels[0].vocabulary == (UNKNOWN, "a", "b")
    assert tokens_of(loaded)[0] == ["a", "a", "a", "b", "b", UNKNOWN, UNKNOWN]
    assert loaded.notes[0].startswith("7 tokens in 1 document, 4 different, 2 (28.6%) unknown")
    assert known_tokens(loaded).choices.min_count == 2
    few = load_tokens(write("a a a b b c d"), None, TokenChoices(split="space", vocabulary=2))
    assert few.panel.channels[0].vocabulary == (UNKNOWN, "a")


def test_tokens_that_a_model_does_not_know_are_said(write: Write) -> None:
    known = known_tokens(load_tokens(write("abcabc")))
    loaded = load_tokens(write("abxyyc", "more.txt"), None, None, known)
    assert tokens_of(loaded)[0] == ["a", "b", UNKNOWN, UNKNOWN, UNKNOWN, "c"]
    assert loaded.notes == ("3 of 6 tokens are not in the model's vocabulary: 'y' (2), 'x' (1); they are <unk>",)


def test_rows_are_documents_in_the_order_of_time(write: Write) -> None:
    loaded = load_tokens(write(CASES, "log.csv"), None, TokenChoices(token="activity"))
    assert (loaded.panel.ids, loaded.columns.id, loaded.columns.time) == (("a", "b"), "case_id", "ds")
    assert tokens_of(loaded) == [["open", "ask", "close", END], ["open", "close", END]]
    assert loaded.times is not None
    assert np.diff(loaded.times[:4]).tolist() == [3_600_000_000, 3_600_000_000, 0]
    assert described(loaded.columns, TokenChoices(token="activity")) == "time 'ds', id 'case_id', tokens 'activity'"


@pytest.mark.parametrize("name", ["CaseID", "case", "case:concept:name"])
def test_cases_of_a_log_in_the_order_of_time_are_told_apart(write: Write, name: str) -> None:
    lines = ["a,1,open", "b,2,open", "a,3,ask", "b,4,close", "a,5,close"]
    rows = "".join(f"{row},{place}\n" for place, row in enumerate(lines))
    loaded = load_tokens(write(f"{name},step,e,event_id\n{rows}", "log.csv"), None, TokenChoices(token="e"))
    assert loaded.columns.id == name
    assert tokens_of(loaded) == [["open", "ask", "close", END], ["open", "close", END]]
    two = write(f"case,step,e,trial_id\n{rows.replace(',3', ',0')}", "log.csv")
    with pytest.raises(InputRefused, match="more than one column could be the id: case, trial_id"):
        load_tokens(two, None, TokenChoices(token="e"))


def test_events_of_one_time_stay_in_the_order_of_the_table(write: Write) -> None:
    path = write("unique_id,ds,e\n1,5,b\n1,5,a\n1,4,c\n1,5,b\n", "log.csv")
    assert tokens_of(load_tokens(path, None, TokenChoices(token="e"))) == [["c", "b", "a", "b"]]


def test_a_table_is_read_as_it_was_in_training(write: Write) -> None:
    loaded = load_tokens(write(CASES, "log.csv"), None, TokenChoices(token="activity"))
    known = known_tokens(loaded)
    assert known.end == 1
    more = write("case_id,ds,activity\nz,2024-02-01,open\nz,2024-02-02,wait\n", "more.csv")
    found = load_tokens(more, None, None, known)
    assert tokens_of(found) == [["open", UNKNOWN, END]]
    with pytest.raises(InputRefused, match="there is no column 'activity'"):
        load_tokens(write("case_id,ds\nz,2024-02-01\n", "none.csv"), None, None, known)


def test_whole_numbers_are_tokens() -> None:
    table = pa.table({"unique_id": ["a", "a", "b"], "n": pa.array([3, 1, 3], pa.int16())})
    loaded = load_tokens(table, None, TokenChoices(token="n"))
    assert tokens_of(loaded) == [["3", "1", END], ["3", END]]


@pytest.mark.parametrize("kind", [pa.int16(), pa.uint64(), pa.dictionary(pa.int8(), pa.int64()), pa.string()])
def test_steps_of_any_type_are_an_order(kind: pa.DataType) -> None:
    steps = pa.array([3, 1, 2, 1]).cast(pa.string() if kind == pa.string() else pa.int64())
    steps = steps.dictionary_encode() if pa.types.is_dictionary(kind) else steps.cast(kind)
    table = pa.table({"unique_id": list("aaab"), "t": steps, "e": list("cabd")})
    loaded = load_tokens(table, ColumnChoices(time="t", time_format="step"), TokenChoices(token="e"))
    assert tokens_of(loaded) == [["a", "b", "c", END], ["d", END]]
    assert loaded.columns.time_type == "integer"


def test_a_step_that_is_missing_is_refused() -> None:
    table = pa.table({"unique_id": ["a", "a"], "t": pa.array([1, None], pa.int32()), "e": ["c", "d"]})
    with pytest.raises(InputRefused, match="there is no time"):
        load_tokens(table, ColumnChoices(time="t", time_format="step"), TokenChoices(token="e"))


def test_the_cells_of_a_column_are_documents() -> None:
    table = pa.table({"stars": ["5", "1"], "review": ["good\r\nfilm", "bad"]})
    loaded = load_tokens(table, None, TokenChoices(text="review"))
    assert loaded.panel.ids == ("1", "2")
    assert tokens_of(loaded) == [[*"good\nfilm", END], [*"bad", END]]
    assert "text column 'stars' is not looked at; if it tells series apart: --id stars" in loaded.notes
    assert load_tokens(table, ColumnChoices(id=("stars",)), TokenChoices(text="review")).panel.ids == ("5", "1")


def test_a_model_of_a_column_reads_a_file_of_text(write: Write) -> None:
    table = pa.table({"review": ["good film", "bad"]})
    known = known_tokens(load_tokens(table, None, TokenChoices(text="review")))
    assert tokens_of(load_tokens(write("film"), None, None, known)) == [[*"film", END]]
    assert tokens_of(load_tokens(table, None, None, known))[1] == [*"bad", END]


def test_texts_are_known_by_their_names(write: Write, tmp_path: Path) -> None:
    path = write("a", "texts/a.txt")
    assert holds_text(path)
    assert holds_text(str(path.parent))
    assert not holds_text([path, tmp_path / "b.csv"])
    assert not holds_text("-")


@pytest.mark.parametrize(
    ("data", "choices", "says"),
    [
        (b"", TokenChoices(), "there is no token: the text is empty"),
        (b"a\0b", TokenChoices(), "this is a binary file: it holds NUL bytes"),
        (b"fine\nbad \xff\n", TokenChoices(), "poem.txt:2: the text is not UTF-8"),
        ("ä".encode("utf-16"), TokenChoices(), "this is UTF-16, not UTF-8"),
        (b" \n ".strip(b"\n "), TokenChoices(split="word"), "there is no token"),
        (b"a b c", TokenChoices(split="space", min_count=2), "the vocabulary is empty: no token is seen 2 times"),
    ],
)
def test_what_is_no_text_is_refused(write: Write, data: bytes, choices: TokenChoices, says: str) -> None:
    with pytest.raises(InputRefused) as refused:
        load_tokens(write(data), None, choices)
    assert says in f"{refused.value.where}: {refused.value.message}"
    assert "poem.txt" in refused.value.where
    assert refused.value.hint


def test_bytes_are_read_of_any_file(write: Write) -> None:
    data = bytes(range(256)) + "é".encode()
    loaded = load_tokens(write(data), None, TokenChoices(split="byte"))
    assert bytes(ord(token) for token in tokens_of(loaded)[0]) == data


def test_a_row_without_a_token_is_refused_or_its_document_left_out(write: Write) -> None:
    path = write(CASES.replace("12:00,close", "12:00,"), "log.csv")
    with pytest.raises(SeriesRefused, match="there is no token"):
        load_tokens(path, None, TokenChoices(token="activity"))
    loaded = load_tokens(path, ColumnChoices(on_bad_series="skip"), TokenChoices(token="activity"))
    assert (loaded.panel.ids, len(loaded.skipped)) == (("b",), 1)


@pytest.mark.parametrize(
    ("choices", "tokens", "says"),
    [
        (ColumnChoices(target=("y",)), TokenChoices(), "--target is for forecasts"),
        (ColumnChoices(time="ds"), TokenChoices(), "texts have no time"),
    ],
)
def test_choices_that_make_no_sense_are_refused(
    write: Write, choices: ColumnChoices, tokens: TokenChoices, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        load_tokens(write(POEM), choices, tokens)


@pytest.mark.parametrize(
    "wrong",
    [
        {"split": "line"},
        {"split": "char", "token": "a"},
        {"text": "a", "token": "b"},
        {"min_count": 0},
        {"vocabulary": 1},
    ],
)
def test_token_choices_check_themselves(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        TokenChoices(**wrong)


def test_a_table_is_no_text() -> None:
    with pytest.raises(UsageError, match="a table is no text"):
        load_tokens(pa.table({"a": ["b"]}))


def test_documents_are_selected_with_what_is_beside_them(write: Write) -> None:
    loaded = load_tokens(write(CASES, "log.csv"), None, TokenChoices(token="activity"))
    assert tokens_of(loaded.select(np.array([1]))) == [["open", "close", END]]
    table = pa.table({"review": ["good film", "bad"]})
    found = load_tokens(table, None, TokenChoices(text="review")).select(np.array([1]))
    assert found.text_bytes is not None
    assert found.text_bytes.tolist() == [3]


def test_tokens_are_shown_so_that_they_are_seen() -> None:
    assert [shown_token(token) for token in ("a", "\n", " ", "é", UNKNOWN)] == ["a", "\\n", " ", "é", UNKNOWN]
