"""How a text is split into tokens, and how tokens become a text again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.unsignedinteger[Any]]
WORD = re.compile(r"\w+(?:['\u2019]\w+)*|\n|[^\w\s]")
SPACE = re.compile(r"\S+|\n")
BLANK = re.compile(r"\s(?=\S*\Z)")  # the last one
_POINTS = 0x110000  # of Unicode
_CLOSING = frozenset(".,;:!?)]}%\u2026\u201d\u2019\u00bb")  # has no blank before it
_OPENING = frozenset("([{\u201c\u2018\u00ab$#@")  # has none behind it


class Splitter(Protocol):
    """Splits texts, a piece after the other, and codes their tokens in the order in which they are first seen."""

    whole: bool  # a piece may only end where a token does

    @property
    def types(self) -> list[str]:
        """The different tokens so far, by their codes."""

    def codes(self, piece: str) -> Codes:
        """The tokens of a piece as codes into `types` [n]."""


class Characters:
    """Splits a text into its Unicode characters."""

    whole = False

    def __init__(self) -> None:
        self._place = np.full(_POINTS, -1, np.int32)
        self._points: list[int] = []

    @property
    def types(self) -> list[str]:
        """The different characters so far, by their codes."""
        return [chr(point) for point in self._points]

    def codes(self, piece: str) -> Codes:
        """The characters of a piece as codes into `types` [n]."""
        points = np.frombuffer(piece.encode("utf-32-le", "surrogatepass"), "<u4")
        found = self._place[points]
        if (found < 0).any():
            fresh = np.unique(points[found < 0])
            self._place[fresh] = np.arange(len(self._points), len(self._points) + len(fresh))
            self._points += fresh.tolist()
            found = self._place[points]
        return np.asarray(found, smallest(len(self._points)))


class Bytes:
    """Splits a text into the bytes of its UTF-8, each of which is called like the character of its number."""

    whole = False
    types = [chr(number) for number in range(256)]  # noqa: RUF012 it is never changed

    def codes(self, piece: str) -> Codes:
        """The bytes of a piece [n]."""
        return np.frombuffer(piece.encode("utf-8", "surrogateescape"), np.uint8)


class Words:
    """Splits a text into what a pattern finds."""

    whole = True

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._find: Callable[[str], list[str]] = pattern.findall
        self._place: dict[str, int] = {}

    @property
    def types(self) -> list[str]:
        """The different tokens so far, by their codes."""
        return list(self._place)

    def codes(self, piece: str) -> Codes:
        """The tokens of a piece as codes into `types` [n]."""
        place = self._place
        found = [place.setdefault(token, len(place)) for token in self._find(piece)]
        return np.array(found, smallest(len(place)))


def splitter(split: str) -> Splitter:
    """What splits texts so: "char", "word" (words and marks), "space" (what stands between blanks) or "byte"."""
    if split in ("word", "space"):
        return Words(WORD if split == "word" else SPACE)
    return Characters() if split == "char" else Bytes()


def smallest(count: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type for codes from 0 to count - 1."""
    return np.uint8 if count <= 1 << 8 else np.uint16 if count <= 1 << 16 else np.uint32


def joint(before: str, after: str, split: str | None) -> str:
    """What stands between two tokens in a text: nothing between characters or bytes, a blank between others, and
    neither at the ends of a line nor, where words were split from marks, beside these.
    """
    if split in ("char", "byte") or not before or "\n" in (before, after):
        return ""
    if split == "word" and (after in _CLOSING or before in _OPENING):
        return ""
    return " "


def joined(tokens: Iterable[str], split: str | None) -> str:
    """The text of tokens, bytes decoded as UTF-8."""
    parts, before = [], ""
    for token in tokens:
        parts.append(joint(before, token, split) + token)
        before = token
    text = "".join(parts)
    return text.encode("latin-1").decode("utf-8", "replace") if split == "byte" else text
