"""What is wrong with documents of tokens is found, with its place, and nothing is found where all is well."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from rnncli.data.checks.finding import Finding
from rnncli.data.checks.tokenised import check_tokens
from rnncli.data.tokens.known import known_tokens
from rnncli.data.tokens.load import load_tokens
from rnncli.errors import UsageError
from rnncli.registry import TOKEN_CHECKS, find
from rnncli.spec import ColumnChoices, TokenChoices

ANY = ColumnChoices()
CHARS, WORDS = TokenChoices(), TokenChoices(split="word")
EVENTS = TokenChoices(token="e")


def findings(given: object, tokens: TokenChoices = CHARS, choices: ColumnChoices = ANY) -> dict[str, Finding]:
    return {finding.id: finding for finding in check_tokens(given, choices, tokens).findings}


def folder(path: Path, **texts: str | bytes) -> Path:
    for name, text in texts.items():
        (path / f"{name}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_where_all_is_well_nothing_is_found(tmp_path: Path) -> None:
    looked = check_tokens(folder(tmp_path, a="abab ab\n", b="ba ba\n"), ANY, CHARS)
    assert looked.findings == ()
    assert looked.seen is not None
    assert looked.seen.documents.ids == ("a", "b")


def test_a_text_in_another_encoding_is_found_with_its_line(tmp_path: Path) -> None:
    path = folder(tmp_path, good="abab\nabab\n", bad="ab\nÄpfel".encode("latin-1"), none="", worse=b"\0\0ab")
    found = findings(path)["text-unreadable"]
    assert (found.severity, found.count) == ("error", 2)
    assert [example.where for example in found.examples] == [f"{path / 'bad.txt'}:2", str(path / "worse.txt")]
    assert "text-unreadable" not in findings(path, TokenChoices(split="byte"))
    alone = findings(path / "bad.txt")
    assert list(alone) == ["refused"]
    assert alone["refused"].severity == "error"
    assert "refused" not in findings(path / "bad.txt", CHARS, ColumnChoices(encoding="latin-1"))


def test_letters_that_were_lost_are_found(tmp_path: Path) -> None:
    found = findings(folder(tmp_path, a="\ufffdpfel und \ufffdl, Apfel und Apfel"))["text-damaged"]
    assert (found.severity, found.count) == ("warning", 2)


def test_mixed_line_ends_are_found(tmp_path: Path) -> None:
    found = findings(folder(tmp_path, mixed="ab\r\nab\nab\n", windows="ab\r\nab\r\n", other="ab\nab\n"))
    assert found["line-ends-mixed"].examples[0].series == "mixed"
    assert found["line-ends-mixed"].examples[0].says == "\\n and \\r\\n"
    assert found["line-ends-mixed"].count == 1


def test_short_and_repeated_documents_are_found(tmp_path: Path) -> None:
    path = folder(tmp_path, a="the sea the sea", b="the", c="the sea the sea", d="the")
    found = findings(path, WORDS)
    assert found["document-short"].count == 2
    assert [example.series for example in found["document-repeated"].examples] == ["c"]
    assert found["document-repeated"].examples[0].says == "as 'a'"


def test_events_may_repeat() -> None:
    table = pa.table({"unique_id": list("aabbc"), "e": ["in", "out", "in", "out", "in"]})
    assert list(findings(table, EVENTS)) == ["document-short"]


def test_tokens_that_are_seen_once_are_found(tmp_path: Path) -> None:
    path = folder(tmp_path, a="the sea the sky the sea")
    found = findings(path, WORDS)["token-once"]
    assert (found.severity, found.count, found.examples[0].says) == ("note", 1, "sky (1)")
    assert found.what == "tokens are seen once, 33% of those that differ"
    assert "nothing needs to be done" in found.remedy
    assert "--min-count 2" in findings(path, TokenChoices(split="word", min_count=1))["token-once"].remedy


def test_a_model_is_asked_whether_it_knows_the_tokens(tmp_path: Path) -> None:
    known = known_tokens(load_tokens(folder(tmp_path, a="abab", b="baba")))
    more = tmp_path / "more"
    more.mkdir()
    folder(more, a="abxyxb", z="ab" * 100)
    looked = check_tokens(more, ANY, CHARS, known, learnt=("a", "b"))
    found = {finding.id: finding for finding in looked.findings}
    assert list(found) == ["document-learnt", "token-unknown"]
    assert [example.series for example in found["document-learnt"].examples] == ["a"]
    assert (found["token-unknown"].severity, found["token-unknown"].count) == ("note", 3)
    assert found["token-unknown"].examples[0].says == "x (2)"
    few = check_tokens(folder(more, z="xyz"), ANY, CHARS, known).findings
    assert [(finding.id, finding.severity) for finding in few] == [("token-unknown", "warning")]


def test_what_training_refuses_is_found(tmp_path: Path) -> None:
    assert list(findings(folder(tmp_path, a="ab cd ef"), WORDS)) == ["token-once", "refused"]
    empty = findings(folder(tmp_path, a=""), WORDS)
    assert empty["refused"].what == "there is no token: the text is empty"
    table = pa.table({"unique_id": ["a", "a"], "e": ["in", None]})
    assert findings(table, EVENTS)["refused"].what == "there is no token (column 'e')"
    with pytest.raises(UsageError):
        check_tokens(table, ColumnChoices(target=("e",)), EVENTS)


def test_every_check_is_there() -> None:
    assert all(callable(find(TOKEN_CHECKS, name, "check")) for name in TOKEN_CHECKS)


TIMES = pa.array([0, 3_600, 3_600, 0, 50, 20], pa.timestamp("s"))


def test_events_out_of_order_and_at_the_same_time_are_found() -> None:
    table = pa.table({"case": [*"aaabbb"], "e": [*"xyzxyz"], "at": TIMES})
    found = findings(table, EVENTS, ColumnChoices(id=("case",), time="at"))
    assert [found[name].severity for name in ("event-unsorted", "event-simultaneous")] == ["note", "warning"]
    assert [found[name].count for name in ("event-unsorted", "event-simultaneous")] == [1, 1]
    assert [found[name].examples[0].series for name in ("event-unsorted", "event-simultaneous")] == ["b", "a"]
    sound = table.filter(pa.array([True, True, False, True, True, False]))
    assert not {"event-unsorted", "event-simultaneous"} & set(findings(sound, EVENTS, ColumnChoices(time="at")))


def test_events_of_a_mistyped_year_are_found() -> None:
    days = [*range(199), 40_000]
    times = pa.array([86_400 * day for day in days], pa.timestamp("s"))
    table = pa.table({"case": [f"c{row // 4}" for row in range(200)], "e": [*"wxyz"] * 50, "at": times})
    found = findings(table, EVENTS, ColumnChoices(id=("case",), time="at"))["event-far"]
    assert (found.severity, found.count, found.examples[0].series) == ("warning", 1, "c49")
