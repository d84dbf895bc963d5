"""Numbers and tables as plain text, as wide as what they are printed on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncli.cli.terminal import NARROWEST, WIDTH, wrapped
from rnncli.text_width import padded, width


def number(value: float | None) -> str:
    """Four significant digits; `-` where there is no value."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    magnitude = int(f"{value:.3e}".rpartition("e")[2])  # after rounding
    return f"{value:.{max(0, 3 - magnitude)}f}" if -4 <= magnitude < 9 else f"{value:.3e}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned lines: the first column to the left, the others to the right."""
    grid = [header, *rows]
    widths = [max(width(row[place]) for row in grid) for place in range(len(header))]
    return ["  ".join(map(_aligned, row, widths, range(len(row)))).rstrip() for row in grid]


def facts(pairs: Sequence[tuple[str, str]], columns: int = WIDTH) -> list[str]:
    """`label  text` lines; long texts are wrapped under themselves."""
    room = max((width(label) for label, _ in pairs), default=0) + 2
    lines: list[str] = []
    for label, text in pairs:
        parts = wrapped(text, max(columns - room, NARROWEST // 2), "")
        lines += [f"{padded('' if place else label, room)}{line}" for place, line in enumerate(parts)]
    return lines


def fitting(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The number of the first columns that fit in a line."""
    used = 0
    for place in range(len(header)):
        used += max(width(row[place]) for row in [header, *rows]) + 2 * bool(place)
        if used > WIDTH:
            return place
    return len(header)


def _aligned(cell: str, columns: int, place: int) -> str:
    return padded(cell, columns, right=place > 0)
