"""Numbers written as text: decimal and thousands marks, currencies and percent signs, and what else a text may mean."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MISSING = ("", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "#N/A")
THOUSANDS = (",", ".", "'", " ", "_")
_SPACES = "\u00a0\u202f\u2009"  # no-break and thin spaces, which stand for one between thousands
_APOSTROPHES = "\u2019"
_CODES = (
    "USD|EUR|GBP|JPY|CHF|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|BRL|MXN|ARS|CLP|COP|PEN|ZAR"
    "|KRW|SGD|HKD|TWD|THB|IDR|MYR|PHP|VND|ILS|AED|SAR|EGP|NGN|KES|ISK"
)
_SIGN = re.compile(
    rf"(?P<minus>[+-]?)(?P<before>[$€£¥₹₽₩₺]|(?:{_CODES})|R\$|kr)? ?(?P<number>[+-]?[\d.,'_ ]*\d)"
    rf" ?(?P<after>[$€£¥₹₽₩₺%]|(?:{_CODES})|kr|zł|Kč|Ft)?"
)
_GROUPED = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+") for mark in THOUSANDS}
_SMALL = re.compile(r"[+-]?\d{1,3}")


@dataclass(frozen=True)
class Notation:
    """The notation of a column's numbers: `mark` is a currency or a percent sign that all of them have."""

    decimal: str = "."
    thousands: str | None = None
    mark: str = ""

    @property
    def plain(self) -> bool:
        """Whether Arrow's reader takes such numbers."""
        return self.thousands is None and not self.mark

    def number(self, text: str) -> float | None:
        """The value, NaN where it is missing; None if the text is no number in this notation."""
        text = text.strip()
        if text in MISSING:
            return math.nan
        if self.mark:
            mark, text = unmarked(text)
            if mark != self.mark:
                return None
        return self._value(text)

    def _value(self, text: str) -> float | None:
        if self.thousands is not None:
            whole, mark, rest = _spaced(text).partition(self.decimal)
            if self.thousands in rest:
                return None
            if self.thousands in whole and _GROUPED[self.thousands].fullmatch(whole) is None:
                return None
            text = whole.replace(self.thousands, "") + mark + rest
        return _float(text, self.decimal)


def _float(text: str, decimal: str) -> float | None:
    if decimal != ".":
        if "." in text:
            return None
        text = text.replace(decimal, ".")
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _spaced(text: str) -> str:
    """With one kind of space and of apostrophe."""
    return text.translate(dict.fromkeys(map(ord, _SPACES), " ") | dict.fromkeys(map(ord, _APOSTROPHES), "'"))


def unmarked(text: str) -> tuple[str, str]:
    """The currency or percent sign of a number, and the number without it; "" if it has none."""
    match = _SIGN.fullmatch(_spaced(text.strip()).replace("\u2212", "-"))
    if match is None or bool(match["before"]) == bool(match["after"]):
        return "", text
    return match["before"] or match["after"], match["minus"] + match["number"]


def mark_of(texts: Iterable[str]) -> str:
    """The currency or percent sign that every text has which is not missing; "" if they do not have one in common."""
    found = {unmarked(text)[0] for text in texts if text.strip() not in MISSING}
    return found.pop() if len(found) == 1 else ""


def notation_of(texts: Sequence[str], decimal: str | None, thousands: str | None) -> Notation:
    """How a column is written, as was said of its marks and as its sign shows; a decimal point if nothing was said."""
    if decimal is None:
        decimal = "," if thousands == "." else "."
    return Notation(decimal, thousands, mark_of(texts))


def all_numbers(texts: Sequence[str], notation: Notation) -> bool:
    """Whether every text is a number in the notation."""
    return all(notation.number(text) is not None for text in texts)


def other_notation(texts: Sequence[str], notation: Notation) -> Notation | None:
    """The notation in which every text is a number although it is none in this one; None if there is none."""
    mark = mark_of(texts)
    for decimal in (notation.decimal, "," if notation.decimal == "." else "."):
        for thousands in (None, *THOUSANDS):
            other = Notation(decimal, thousands, mark)
            if thousands != decimal and other != notation and all_numbers(texts, other):
                return other
    return None


def grouped_by(texts: Iterable[str], mark: str = ".", *, alone: bool = False) -> str | None:
    """A text such as 1.056 if all that have the mark have groups of three digits after it, and others are whole numbers
    below 1,000: it may be 1,056 as well. None if the mark can only be a decimal one, or there are no others, unless it
    may be `alone`.
    """
    some = [bare for text in texts if (bare := text.strip()) not in MISSING]
    marked = [text for text in some if mark in text]
    beside = [text for text in some if mark not in text]
    alike = all(map(_GROUPED[mark].fullmatch, marked)) and all(map(_SMALL.fullmatch, beside))
    return marked[0] if marked and (beside or alone) and alike else None


def hint_for(text: str, notation: Notation, others: Sequence[str] = ()) -> str:
    """What to do about a text that is no number; `others` are texts of the same column."""
    mark, bare = unmarked(text)
    bare = _spaced(bare)
    if mark and _anyhow(bare):
        return (
            f"take the {'percent sign' if mark == '%' else f'currency {mark}'} away from all numbers, or give it to all"
        )
    for thousands in THOUSANDS:
        if thousands != notation.thousands and _GROUPED[thousands].fullmatch(bare.partition(_beside(thousands))[0]):
            return _thousands_hint(bare, thousands, others)
    decimal = "," if notation.decimal == "." else "."
    if Notation(decimal).number(bare) is not None:
        return f"for a decimal {'comma' if decimal == ',' else 'point'}: --decimal {decimal}"
    return "write numbers like 1234.5, and leave missing values empty"


def _beside(thousands: str) -> str:
    """The decimal mark that goes with a thousands mark."""
    return "," if thousands == "." else "."


def _anyhow(text: str) -> bool:
    return any(Notation(decimal, mark).number(text) is not None for decimal in ".," for mark in (None, *THOUSANDS))


def _thousands_hint(text: str, mark: str, others: Sequence[str]) -> str:
    said = f"if {text} has marks between thousands: --thousands {shown(mark)}"
    sure = text.count(mark) > 1 or _beside(mark) in text or grouped_by([text, *others], mark) is not None
    if mark not in ".," or sure:
        return said
    return f"{said}; if it is a decimal mark: --decimal {mark}"


def shown(mark: str) -> str:
    """A mark as it is written on a command line."""
    return {" ": "space", "'": '"\'"'}.get(mark, mark)


def thousands_mark(text: str) -> str | None:
    """The mark that an option names; None if there is no such mark."""
    found = {"space": " ", "apostrophe": "'", "comma": ",", "point": ".", "dot": "."}.get(text, _spaced(text))
    return found if found in THOUSANDS else None
