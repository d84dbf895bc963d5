"""How many columns of a terminal a text takes: letters of East Asia and emoji take two, marks above others none."""

from __future__ import annotations

from unicodedata import category, east_asian_width

_WIDE = ("W", "F")
_MARKS = ("Mn", "Me", "Cf")
CUT = "…"


def cells(text: str) -> list[str]:
    """The text by columns: a letter with its marks, and after one that takes two columns ""."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    for letter in text:
        if category(letter) not in _MARKS:
            found += [letter, ""] if east_asian_width(letter) in _WIDE else [letter]
        elif found:
            found[-1 if found[-1] else -2] += letter
    return found


def width(text: str) -> int:
    """The columns that a text takes."""
    return len(cells(text))


def cut(text: str, columns: int) -> str:
    """The text in at most so many columns, with an ellipsis where it was longer."""
    found = cells(text)
    if len(found) <= columns:
        return text
    return "".join(found[: columns - 1 - (found[columns - 1] == "")]) + CUT


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """The text with blanks behind it (`right`: before it), so that it takes as many columns, if it takes fewer."""
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks


def wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of at most so many columns, broken between words, and in those that are longer than a line."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(f"{lines[-1]} {word}") <= columns:
            lines[-1] += f" {word}"
        else:
            lines += _pieces(word, columns)
    return lines


def _pieces(word: str, columns: int) -> list[str]:
    found, pieces = cells(word), []
    while found:
        end = columns - (len(found) > columns and found[columns] == "")
        pieces.append("".join(found[:end]))
        found = found[end:]
    return pieces
