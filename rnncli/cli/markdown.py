"""Markdown as plain text, as wide as what it is printed on: the pages that `rnncli explain` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from rnncli.cli.terminal import wrapped

_INDENT = "    "
_BORDER = re.compile(r"\|[-:| ]+\|")
_COMMENT = re.compile(r"^<!--.*-->\n", re.MULTILINE)
_NARROW = 32  # letters of a first column that the second stands beside


def plain(text: str, columns: int) -> list[str]:
    """The lines of a text: paragraphs wrapped, tables as lists, code as it is."""
    lines: list[str] = []
    for is_code, part in _parts(_COMMENT.sub("", text)):
        lines += [(_INDENT + line).rstrip() for line in part] if is_code else _prose(part, columns)
    return lines


def _parts(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Whether it is code, and its lines, of each part of a text; marks of code are left out."""
    for place, part in enumerate(re.split(r"^```.*\n", text, flags=re.MULTILINE)):
        yield place % 2 == 1, part.splitlines()


def _prose(lines: Sequence[str], columns: int) -> Iterator[str]:
    for kind, group in groupby(lines, _kind):
        part = list(group)
        if kind == "table":
            yield from _table([_cells(line) for line in part if not _BORDER.fullmatch(line)], columns)
        elif kind == "heading":
            for line in part:
                level, _, title = line.partition(" ")
                yield from (title, ("=" if level == "#" else "-") * len(title))
        elif kind == "text":
            yield from wrapped(" ".join(part), columns, "")
        else:
            yield from part


def _kind(line: str) -> str:
    """What a line belongs to."""
    marks = {"": "empty", "|": "table", "#": "heading"}
    return marks.get(line[:1], "text")


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def _table(rows: Sequence[Sequence[str]], columns: int) -> Iterator[str]:
    """Each row: its first cell, and beside or below it what it says, with the heading where there are several."""
    header, *body = rows
    widest = max(len(row[0]) for row in body)
    for first, *others in body:
        said = [
            f"{name}: {cell}" if len(others) > 1 else cell
            for name, cell in zip(header[1:], others, strict=True)
            if cell
        ]
        if widest <= _NARROW and len(said) == 1:
            indent = " " * (widest + 2)
            yield from wrapped(f"{first:<{widest}}  {said[0]}", columns, indent)
        else:
            yield from wrapped(first, columns, "  ")
            for one in said:
                yield from (_INDENT + line for line in wrapped(one, columns - len(_INDENT), "  "))
