"""What a result shows of itself: a few lines in a prompt, a table that is safe in a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

from rnncli.outline import Outline, as_html, as_text, shown

WILD = Outline(
    "A <title>",
    [("<b>name</b>", "x" * 9_000), ("file", "a\x1b[31m\nb\u202e.csv")],
    ["id", "forecast"],
    [["<script>alert(1)</script>", "1"], ["' onload=", "2"]],
    "... & more",
)


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: list[object] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes += attrs


def test_wide_letters_take_the_room_of_two() -> None:
    text = as_text(Outline("t", [("店", "a"), ("name", "b")], ["東京", "x"], [["name", "1"]]))
    assert text.splitlines() == ["t", "  店    a", "  name  b", "  東京  x", "  name  1"]


def test_lines_are_short_and_few_whatever_is_in_them() -> None:
    many = WILD._replace(facts=[*WILD.facts] * 40, rows=[*WILD.rows] * 400)
    assert len(as_text(many)) < 3_000
    assert max(map(len, as_text(WILD).splitlines())) <= 88


def test_what_would_move_the_cursor_is_written_out() -> None:
    text = as_text(WILD)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "\\x1b[31m b\\u202e.csv" in text


def test_a_notebook_gets_plain_tags_and_nothing_from_elsewhere() -> None:
    found = Tags(as_html(WILD))
    assert found.found == {"p", "b", "table", "tr", "th", "td"}
    assert found.attributes == []


def test_a_title_alone_is_one_line() -> None:
    assert (as_text(Outline("Nothing")), as_html(Outline("Nothing"))) == ("Nothing", "<p><b>Nothing</b></p>")


def test_numbers_stand_on_the_right() -> None:
    outline = Outline("Scores", [], ["name", "mase"], [["naive", "1"], ["model", "0.5"]])
    assert as_text(outline).splitlines()[1:] == ["  name   mase", "  naive     1", "  model   0.5"]


def test_a_class_shows_its_outline() -> None:
    @shown
    class Result:
        def outline(self) -> Outline:
            return Outline("Result", [("a", "1")])

    assert repr(Result()) == "Result\n  a  1"
    assert Result()._repr_html_().startswith("<p><b>Result</b></p><table>")  # type: ignore[attr-defined]
