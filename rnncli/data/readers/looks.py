"""What the first rows of a column show of it beside its type: texts and whole numbers that are times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.data import datenumber
from rnncli.data.clocktext import looks_like_clock
from rnncli.data.readers.table import Kind, Look
from rnncli.data.timestyle import EPOCHS, STEP
from rnncli.data.timetext import called_like_time, dateish, mostly_times, usual_style

_HOUR = re.compile(r"\b(?:hour|hr|stunde|heure|hora|uhrzeit)s?\b")
_DIGITS = 20  # more than a count of nanoseconds has; 19 nines are beyond 64 bits, and no time
_DAY_DIGITS = 8  # of 20240131; texts of fewer digits are names as well


@dataclass(frozen=True)
class Shown:
    """What texts show: that they are times, and of which style if not ISO's; or what they look like."""

    kind: Kind | None = None
    style: str | None = None
    look: Look | None = None


def shown_by_texts(name: str, texts: Sequence[str], style: str | None) -> Shown:
    """What texts show that may be times (in `style`, if that was said)."""
    some = [text for text in map(str.strip, texts) if text]
    counted = style in (STEP, *EPOCHS)
    if some and not counted and mostly_times(some, style):
        return Shown("time", style or usual_style(some))
    if looks_like_clock(some):
        return Shown(look="clock")
    if style is None and _are_dates(some) and (called_like_time(name) or len(some[0]) >= _DAY_DIGITS):
        return Shown("time")
    if style is None and (dateish(some) or (called_like_time(name) and _mostly_digits(some))):
        return Shown(look="dateish")
    return Shown()


def shown_by_numbers(name: str, texts: Sequence[str], *, whole: bool) -> Shown:
    """What numbers show: whole ones may be dates or hours, and fractions called like a time are none that is known."""
    if not whole:
        return Shown(look="dateish") if called_like_time(name) else Shown()
    if _HOUR.search(name.lower()) and texts and all(text.isdecimal() and int(text[:3]) < 24 for text in texts):
        return Shown(look="clock")
    return Shown(look="dates") if _are_dates(texts) else Shown()


def _mostly_digits(texts: Sequence[str]) -> bool:
    """Whether most texts have a digit: names of weekdays are no dates."""
    return 2 * sum(any(map(str.isdigit, text)) for text in texts) > len(texts)


def _are_dates(texts: Sequence[str]) -> bool:
    numbers = [int(text) for text in texts if text.isdecimal() and len(text) < _DIGITS]
    if not numbers or 2 * len(numbers) <= len(texts) or max(numbers) >= 1 << 62:
        return False
    return bool(datenumber.styles_of(np.array(numbers, np.int64)))
