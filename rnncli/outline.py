"""How a result shows itself in a Python prompt and in a notebook: a title, a few facts, and the top of a table."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from rnncli.text_width import padded, width

WIDTH = 88  # letters of a line
LONGEST = 260  # letters of a fact
MOST = 2_900  # letters in all


class Outline(NamedTuple):
    """A title, named facts, and the first rows of a table under its header."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    more: str = ""  # what is said of the rows that are not shown


class Outlined(Protocol):
    """A result that can say what it is in a few lines."""

    def outline(self) -> Outline:
        """The title of the result."""


T = TypeVar("T", bound=Outlined)


def shown(kind: type[T]) -> type[T]:
    """A class whose objects show their outline, in place of all their fields; in a notebook as the class says itself,
    if it does.
    """
    kind.__repr__ = _in_a_prompt  # type: ignore[method-assign,assignment]
    if "_repr_html_" not in vars(kind):
        kind._repr_html_ = _in_a_notebook  # type: ignore[attr-defined]
    return kind


def _in_a_prompt(self: Outlined) -> str:
    return as_text(self.outline())


def _in_a_notebook(self: Outlined) -> str:
    return as_html(self.outline())


def as_text(outline: Outline) -> str:
    """Lines of at most 88 letters, 2,900 letters in all, without a character that would move a cursor."""
    room = max((width(_clean(name)) for name, _ in outline.facts), default=0)
    lines = [_clean(outline.title)]
    for name, text in outline.facts:
        lines += _fact(_clean(name), _clean(text), room)
    lines += [_cut(line.rstrip(), WIDTH) for line in _aligned(outline)]
    lines += [f"  {_clean(outline.more)}"] if outline.more else []
    return _cut("\n".join(lines), MOST)


def as_html(outline: Outline) -> str:
    """A table that needs nothing from elsewhere; every text is escaped."""
    facts = [_row([("th", name), ("td", text)]) for name, text in outline.facts]
    header = [_row([("th", name) for name in outline.header])] if outline.header else []
    rows = [_row([("td", text) for text in row]) for row in outline.rows]
    parts = [f"<p><b>{_safe(outline.title)}</b></p>", _table(facts), _table([*header, *rows])]
    return "".join([*parts, f"<p>{_safe(outline.more)}</p>" if outline.more else ""])


def _fact(name: str, text: str, room: int) -> list[str]:
    indent = " " * (room + 4)
    lines = textwrap.wrap(_cut(text, LONGEST), WIDTH, initial_indent=indent, subsequent_indent=indent)
    return [f"  {padded(name, room)}  {(lines or [''])[0].strip()}".rstrip(), *lines[1:]]


def _aligned(outline: Outline) -> Iterator[str]:
    """The table's lines: the first column to the left, the others to the right."""
    grid = [[_clean(text) for text in row] for row in ([outline.header] if outline.header else []) + [*outline.rows]]
    widths = [max(map(width, column)) for column in zip(*grid, strict=True)]
    for row in grid:
        rest = [padded(text, room, right=True) for text, room in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(["  " + padded(row[0], widths[0]), *rest])


def article(noun: str) -> str:
    """The noun with its article."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _clean(text: str) -> str:
    """Names come from files: what would move a cursor or break a line is written out."""
    return "".join(c if c.isprintable() else " " if c.isspace() else repr(c)[1:-1] for c in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 4] + " ..."


def _safe(text: str) -> str:
    return html.escape(_cut(_clean(text), LONGEST))


def _row(cells: Sequence[tuple[str, str]]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_safe(text)}</{tag}>' for tag, text in cells)}</tr>"


def _table(rows: Sequence[str]) -> str:
    return f"<table>{''.join(rows)}</table>" if rows else ""


_WORDS = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "micro_f1",
    "log_loss",
    "calibration_error",
    "coverage",
    "cross_entropy",
    "perplexity",
)


def metric_name(metric: str) -> str:
    """A metric's name as people read it: MASE, accuracy, log loss, MAE in days."""
    if metric.startswith("mae_"):
        return f"MAE in {metric.removeprefix('mae_')}"
    return metric.replace("_", " ").replace(" f1", " F1") if metric in _WORDS else metric.upper()


def counted(number: int, units: str) -> str:
    """A number and what it counts, given as a plural: "1 document", "2 documents"; of series both are the same."""
    one = units if units == "series" else units.removesuffix("s")
    return f"{number:,} {one if number == 1 else units}"
