"""How many columns a text takes: what is wide takes two, marks take none, and no letter is cut in two."""

from __future__ import annotations

import pytest

from rnncli.text_width import cells, cut, padded, width, wrapped


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("東京", 4),
        ("한", 2),
        ("ﾊﾝ", 2),
        ("\uff21", 2),
        ("👍", 2),
        ("░●⠤", 3),
    ],
)
def test_a_text_takes_so_many_columns(text: str, columns: int) -> None:
    assert width(text) == len(cells(text)) == columns
    assert "".join(cells(text)) == text


@pytest.mark.parametrize("columns", range(1, 9))
def test_what_is_cut_or_filled_takes_the_columns_there_are(columns: int) -> None:
    text = "a東京e\u0301b"
    assert width(cut(text, columns)) in (columns, columns - 1)
    assert width(padded(cut(text, columns), columns)) == columns
    assert padded("東", 4, right=True) == "  東"


def test_lines_are_broken_between_words_and_in_a_long_one() -> None:
    assert wrapped("ab cd 東京の店 e", 5) == ["ab cd", "東京", "の店", "e"]
    assert wrapped("", 5) == []
