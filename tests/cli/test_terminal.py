"""Lines on stderr cannot be used to play with a terminal."""

from __future__ import annotations

from rnncli.cli.terminal import clean


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    assert clean("a\x1b[31mb") == "a\\x1b[31mb"


def test_a_line_stays_one_line() -> None:
    assert clean("a\nb\tc") == "a b c"


def test_markup_and_other_scripts_stay_as_they_are() -> None:
    assert clean("[red]größe[/red] 数") == "[red]größe[/red] 数"
