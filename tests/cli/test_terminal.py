"""Lines on stderr cannot be used to play with a terminal."""

from __future__ import annotations

from rnncli.cli.terminal import clean, width, wrapped


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    assert clean("a\x1b[31mb") == "a\\x1b[31mb"


def test_a_line_stays_one_line() -> None:
    assert clean("a\nb\tc") == "a b c"


def test_markup_and_other_scripts_stay_as_they_are() -> None:
    assert clean("[red]größe[/red] 数") == "[red]größe[/red] 数"


def test_what_is_no_terminal_has_a_hundred_columns() -> None:
    assert width(1) == 100


def test_a_text_is_broken_between_words_alone() -> None:
    path = "/a/path/of-many-letters/that-is-no-place-to-break"
    assert wrapped(f"the file is {path}", 20) == ["the file is", f"  {path}"]
    assert wrapped("", 20) == [""]
