"""A page of fan charts: one file, which a parser takes, a screen reader can read, and no network is asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest

from rnncli.charts.fan_page import fan_page
from rnncli.charts.fans import Fans

pytest.importorskip("matplotlib")
VOID = {"meta", "path", "rect", "use", "line", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes; fails where they do not close in order."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.cells: list[list[list[str]]] = []
        self.text = data.decode()
        self.feed(self.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.cells.append([])
        if tag == "tr":
            self.cells[-1].append([])
        if tag in ("td", "th"):
            self.cells[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(fans: Fans) -> Page:
    return Page(fan_page(fans.select(np.arange(3)), "A <b>heading</b>", "pieces"))


def test_a_page_is_whole_and_asks_nobody_for_anything(page: Page) -> None:
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert "A &lt;b&gt;heading" in page.text
    assert not [a for _, a in page.elements if "src" in a or ("href" in a and not a["href"].startswith("#"))]
    assert next(a["content"] for a in page.all("meta") if a.get("http-equiv")).startswith("default-src 'none'")
    assert "prefers-color-scheme: dark" in page.text


def test_every_picture_says_what_it_shows_and_every_table_has_headings(page: Page) -> None:
    pictures = [a for a in page.all("svg") if a.get("aria-hidden") != "true"]
    assert len(pictures) == 3
    assert all(a["role"] == "img" and a["aria-label"].startswith("s") for a in pictures)
    assert len(page.all("table")) == len(page.all("caption")) == len(page.all("thead")) == 3
    assert {a["scope"] for a in page.all("th")} == {"row", "col"}


def test_ids_are_unique_and_lead_somewhere(page: Page) -> None:
    ids = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert set(ids.values()) == {1}
    clips = {a["clip-path"][5:-1] for _, a in page.elements if "clip-path" in a}
    assert clips | {a["href"][1:] for a in page.all("use")} <= set(ids)


def test_the_numbers_of_a_picture_are_the_forecasts_with_their_place_in_it(page: Page, fans: Fans) -> None:
    fan = fans.fan(0)
    header, *rows = page.cells[0]
    assert header == ["day", "history", "actual", "median", "q0.1", "q0.3", "q0.7", "q0.9"]
    assert len(rows) == len(fan.past) + len(fan.times)
    np.testing.assert_allclose([float(row[1]) for row in rows[:30]], fan.past, rtol=1e-5)
    ahead = np.array([[float(cell) for cell in row[2:]] for row in rows[30:]])
    meant = np.column_stack([fan.actual, fan.point, fan.quantiles[:, [0, 1, 3, 4]]])
    np.testing.assert_allclose(ahead, meant, rtol=1e-5)
    across = [float(a["data-x"]) for a in page.all("tr") if "data-x" in a][: len(rows)]
    assert (np.diff(across) > 0).all()
    assert across[0] > 0
    assert across[-1] < float(page.all("svg")[-1]["viewbox"].split()[2])


def test_what_is_drawn_lies_where_the_script_looks_for_it(page: Page) -> None:
    """The median's first point in the SVG's own units is the place that its row has."""
    medians = [a["d"] for tag, a in page.elements if tag == "path" and "var(--median)" in a.get("style", "")]
    first = float(medians[0].split()[1])  # after the key's line, which has no style
    rows = [float(a["data-x"]) for a in page.all("tr") if "data-x" in a]
    assert first == pytest.approx(rows[30], abs=0.3)


def test_colours_are_the_themes(page: Page) -> None:
    styles = " ".join(a.get("style", "") for tag, a in page.elements if tag in ("path", "use"))
    assert "#" not in styles.replace("url(#", "")
    assert {"history", "median", "actual", "band-2", "band-3"} <= {*re.findall(r"var\(--([\w-]+)\)", styles)}


def test_a_name_cannot_end_its_element(fans: Fans, renamed: Callable[..., Fans]) -> None:
    odd = renamed(fans, "</title><script>alert(1)</script>", '"><img src=x>')
    found = Page(fan_page(odd.select(np.arange(2)), "</h1>"))
    assert len(found.all("script")) == 1
    assert found.all("img") == []
