"""The look of every picture, and its bytes: readable at 800 pixels, safe for colour-blind readers.

Colours are those of Okabe & Ito (2008) and of the map cividis (Nunez et al. 2018). matplotlib is an extra, and is
imported where a picture is made; figures have a canvas of their own, so that no state of pyplot is touched.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from rnncli.errors import MissingDependency

BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
COLOURS = (BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY, BLACK)
DARK_BLUE, GREY = "#003A5C", "#404040"
STYLES = ("-", "--", "-.", ":")
WIDTH = 8.0  # inches, at 100 dots each
DOTS = 100
FONT = 9
SETTINGS: Any = {
    "font.size": FONT,
    "axes.titlesize": FONT + 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "rnncli",
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud, and follows a page's colours
}
PLAIN: Any = {"parse_math": False}  # of a text that holds a name, in which a $ begins no formula
KINDS = (".png", ".svg", ".html")


def tints(count: int) -> tuple[str, ...]:
    """So many shades of blue, from the lightest on; not transparent, so that none changes what lies above another."""
    shares = [0.2 + 0.45 * place / max(1, count - 1) for place in range(count)]
    mixed = [[round(255 + (int(BLUE[at : at + 2], 16) - 255) * share) for at in (1, 3, 5)] for share in shares]
    return tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in mixed)


def need_matplotlib(extra: str = "plot") -> None:
    """MissingDependency where what an extra installs cannot be drawn."""
    if find_spec("matplotlib") is None:
        raise MissingDependency("a picture needs matplotlib", hint=f"pip install 'rnncli[{extra}]'")


@contextmanager
def styled() -> Iterator[None]:
    """The settings of every picture; a letter that the font lacks is drawn as a box, and nothing is said of it."""
    need_matplotlib()
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def figure(height: float) -> Any:
    """An empty figure of 800 pixels' width, `height` inches high."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(WIDTH, height), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(made)
    return made


def encoded(made: Any, kind: str, title: str = "", description: str = "") -> bytes:
    """A figure as a file of `kind` png or svg, the same bytes whenever it is drawn; an SVG says its title, and what is
    seen in it, to who cannot see it.
    """
    out = io.BytesIO()
    with styled():
        made.savefig(out, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return out.getvalue() if kind == "png" else _told(out.getvalue().decode(), title, description).encode()


def escaped(text: str) -> str:
    """A text as XML and HTML take it, without characters that they refuse, or that move or break it."""
    return html.escape("".join(c if c.isprintable() else " " for c in text))


def _told(svg: str, title: str, description: str) -> str:
    """An SVG with the names that screen readers look for."""
    svg = re.sub(r"<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    said = [("title", escaped(title)), ("desc", escaped(description))]
    names = "".join(f"<{tag}>{text}</{tag}>" for tag, text in said if text)
    label = f' role="img" aria-label="{escaped(title)}"' if title else ""
    return re.sub(r"<svg ([^>]*)>", lambda found: f"<svg {found[1]}{label}>{names}", svg, count=1)
