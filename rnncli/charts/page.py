"""A page of pictures and tables that needs nothing from elsewhere: one file, for a browser, a mail or a printer.

Pictures are matplotlib's SVG with colours that follow the reader's theme. Each has its numbers in a table, which a
small script reads out at the pointer or by the arrow keys; without the script nothing is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from rnncli.charts.style import BLUE, DARK_BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILLION, encoded, escaped

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_THEMED = {
    "#ffffff": "none",
    "#000000": "currentColor",
    "#cccccc": "var(--line)",
    "#e6e6e6": "var(--faint)",
    "#666666": "var(--soft)",
    "#999999": "var(--soft)",
    "#595959": "var(--soft)",
    GREY.lower(): "var(--history)",
    DARK_BLUE.lower(): "var(--median)",
    VERMILLION.lower(): "var(--actual)",
    BLUE.lower(): "var(--blue)",
    GREEN.lower(): "var(--green)",
    PINK.lower(): "var(--pink)",
    ORANGE.lower(): "var(--orange)",
    SKY.lower(): "var(--sky)",
}
_COLOUR = re.compile(r"(?<=: )#[0-9a-f]{6}(?=[;\"])")
_ID = re.compile(r'\sid="([^"]*)"')
_REFERENCE = re.compile(r'(?<=href="#)[^"]+|(?<=url\(#)[^)]+')


def page(title: str, body: str) -> bytes:
    """A whole page with this body."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    head = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escaped(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<style>\n{style}</style>\n</head>\n'
    )
    return f"{head}<body>\n{body}\n<script>\n{script}</script>\n</body>\n</html>\n".encode(errors="backslashreplace")


def inline_svg(figure: Any, title: str, tints: Sequence[str] = ()) -> str:
    """A figure as SVG within a page: it fills its width, its colours follow the theme, its ids are its own. `tints` are
    those of intervals.
    """
    svg = encoded(figure, "svg", title).decode()
    begin, _, rest = svg.partition(">")
    begin = re.sub(r' (?:width|height|version|xmlns|xmlns:xlink)="[^"]*"', "", begin)
    themed = _THEMED | {tint: f"var(--band-{min(3, 3 - len(tints) + 1 + place)})" for place, tint in enumerate(tints)}
    svg = _COLOUR.sub(lambda found: themed.get(found[0], found[0]), f"{begin}>{rest}".replace("xlink:href", "href"))
    return _own_ids(svg, f"p{sha256(svg.encode()).hexdigest()[:8]}-").strip()


def _own_ids(svg: str, prefix: str) -> str:
    """The picture with ids that no other picture of the page has; those that nothing refers to are left out."""
    needed = set(_REFERENCE.findall(svg))
    svg = _ID.sub(lambda found: f' id="{prefix}{found[1]}"' if found[1] in needed else "", svg)
    return _REFERENCE.sub(lambda found: prefix + found[0], svg)


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str,
    marks: Iterable[Mapping[str, str]] = (),
) -> str:
    """A table with its caption, the first column a heading of its row; `marks` are attributes of the rows."""
    attributes = iter(marks)
    body = []
    for row in rows:
        said = "".join(f' {name}="{escaped(value)}"' for name, value in next(attributes, {}).items())
        first, *rest = (escaped(cell) for cell in row)
        body.append(f'<tr{said}><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>')
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in header)
    name = f' aria-label="{escaped(caption)}"'
    return (
        f'<div class="wide" tabindex="0" role="region"{name}><table><caption>{escaped(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(body)}\n</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, str]], caption: str) -> str:
    """Named facts as a table of two columns."""
    rows = "".join(f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(text)}</td></tr>' for name, text in pairs)
    return f'<table class="facts"><caption>{escaped(caption)}</caption><tbody>{rows}</tbody></table>'


def picture(svg: str, caption: str, numbers: str, *, reads: bool = False, large: bool = False) -> str:
    """A picture with what it shows, and its numbers, folded; `reads` if a script may read these out. A `large` one is
    as wide as the page.
    """
    scrolls = f' tabindex="0" role="group" aria-label="{escaped(caption)}"' if large else ""
    attribute = ' data-reads="yes"' * reads + ' class="large"' * large
    reading = '<p class="reading"></p>' if reads else ""
    folded = f"<details><summary>Numbers of this picture</summary>{numbers}</details>" if numbers else ""
    told = f"<figcaption>{escaped(caption)}</figcaption>"
    return f'<figure{attribute}>{told}<div class="plot"{scrolls}>{svg}</div>{reading}{folded}</figure>'
