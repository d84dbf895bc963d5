"""Times of day written as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from rnncli.data.timestyle import read, written

HOUR, DAY = 3_600_000_000, 86_400_000_000
HOURS = "hour"  # the style of whole numbers from 0 to 23
STYLES = ("%H:%M:%S%-f", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I %p", "%H.%M", "%Hh%M", "%H%M")
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d{1,9})?)?( ?[AaPp][Mm])?|\d{1,2} ?[AaPp][Mm]")
_HOUR = re.compile(r"\d{1,2}")
_DAY = "1970-01-01 "


def looks_like_clock(texts: Sequence[str]) -> bool:
    """Whether all texts are times of day."""
    return bool(texts) and all(map(_CLOCK.fullmatch, texts))


def style_of(texts: Sequence[str]) -> str | None:
    """The style of times of day; None if none fits all."""
    if texts and all(since_midnight(text, HOURS) is not None for text in texts):
        return HOURS
    fits = (style for style in STYLES if texts and all(since_midnight(text, style) is not None for text in texts))
    return next(fits, None)


def since_midnight(text: str, style: str) -> int | None:
    """Microseconds since midnight; None if the text is not of the style."""
    if style == HOURS:
        return int(text) * HOUR if _HOUR.fullmatch(text) and int(text) < 24 else None
    try:
        moment = read(_DAY + text, f"%Y-%m-%d {style}")
    except ValueError:
        return None
    since = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
    return since // timedelta(microseconds=1)


def clock_text(moment: int, style: str) -> str:
    """The time of day of a wall time as text."""
    return str(moment % DAY // HOUR) if style == HOURS else written(moment, 0, style)
