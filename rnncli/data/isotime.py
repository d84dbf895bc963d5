"""Times in ISO 8601's form, and what every reader of times gives: moments, or why a text is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from rnncli.arrays import Bools, Ints

ISO_DATE = "%Y-%m-%d"
ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:(?P<t>[Tt ])\d\d(?P<m>:\d\d(?P<s>:\d\d(?:(?P<mark>[.,])(?P<f>\d{1,9}))?)?)?"
    r"(?P<gap> ?)(?P<zone>Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?"
)
ZERO_SHIFT = frozenset({"Z", "z", "UTC", "GMT", "+00:00", "+0000", "-00:00", "+00"})


class Unreadable(Exception):
    """The text at `position` is no time of the column's style."""

    def __init__(self, position: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.position = position
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Moments:
    """Times as microseconds since 1970, in UTC if `zone` is given and else on an unnamed wall clock.

    `style` is how to write more of them (see timestyle.py), None for plain ISO; `dates` if no clock was written.
    `zone` is "UTC", an offset such as "+02:00", or "mixed". `fixed` [n] are those of an unnamed wall clock that are in
    UTC all the same, as an offset was written with them alone.
    """

    times: Ints
    style: str | None = None
    dates: bool = False
    zone: str | None = None
    fixed: Bools | None = field(default=None, repr=False)


def iso_times(texts: Sequence[str]) -> Moments:
    """The moments of texts that are all in ISO 8601's form. Raises Unreadable."""
    matches: list[re.Match[str]] = []
    for position, text in enumerate(texts):
        match = ISO.fullmatch(text)
        if match is None:
            raise Unreadable(position, f"{text[:40]!r} is not a time like {texts[0]!r}")
        matches.append(match)
    zoned = np.array([bool(match["zone"]) for match in matches], np.bool_)
    if zoned.any() and not zoned.all():
        return _mixed(texts, zoned, matches)
    aware = bool(zoned.any())
    times = checked(texts, aware_times if aware else naive_times)
    zones = {match["zone"] for match in matches} if aware else set()
    return Moments(times, _style_of(matches), not any(match["t"] for match in matches), offset_of(zones))


def _mixed(texts: Sequence[str], zoned: Bools, matches: Sequence[re.Match[str]]) -> Moments:
    """Times on the wall, some of which say their offset: hours that the clock shows twice."""
    times = np.zeros(len(texts), np.int64)
    times[zoned] = checked([text for text, has in zip(texts, zoned, strict=True) if has], aware_times)
    naive = [text for text, has in zip(texts, zoned, strict=True) if not has]
    times[~zoned] = checked(naive, naive_times)
    style = _style_of([match for match, has in zip(matches, zoned, strict=True) if not has])
    return Moments(times, style, dates=False, fixed=zoned)


def naive_times(texts: Sequence[str]) -> Ints:
    """Microseconds on an unnamed wall clock. ValueError where a text is no time that exists."""
    plain = [_as_numpy(text) if "," in text or len(text) > 26 else text for text in texts]
    return np.asarray(np.array(plain, "datetime64[us]").astype(np.int64))


def _as_numpy(text: str) -> str:
    """With a point, and no more digits than microseconds have. ValueError if they say something."""
    whole, _, fraction = text.replace(",", ".").partition(".")
    if fraction[6:].strip("0"):
        raise ValueError("times are finer than a microsecond")
    return f"{whole}.{fraction[:6]}"


def aware_times(texts: Sequence[str]) -> Ints:
    """Microseconds in UTC of texts with an offset. ValueError where one is no time that exists."""
    return np.array([microseconds(_aware_moment(text)) for text in texts], np.int64)


def _aware_moment(text: str) -> datetime:
    match = ISO.fullmatch(text)
    assert match is not None
    bare = text[: match.start("gap")]
    if match["f"] and len(match["f"]) > 6:
        bare = _as_numpy(bare)
    zone = match["zone"]
    return datetime.fromisoformat(bare + ("+00:00" if zone in ZERO_SHIFT else zone))


def checked(texts: Sequence[str], convert: Callable[[Sequence[str]], Ints]) -> Ints:
    """The converted texts. Raises Unreadable with the position of the first that cannot be converted."""
    try:
        return convert(texts)
    except ValueError:
        for position, text in enumerate(texts):
            try:
                convert([text])
            except ValueError as error:
                fine = "finer than a microsecond" in str(error)
                what = "is finer than a microsecond" if fine else "is not a time that exists"
                raise Unreadable(position, f"{text[:40]!r} {what}") from error
        raise


def offset_of(zones: set[str]) -> str | None:
    """The offset that all of these name: "UTC" or like "+02:00"; "mixed" if there are several, None without one."""
    if not zones:
        return None
    if zones <= ZERO_SHIFT:
        return "UTC"
    if len(zones) > 1:
        return "mixed"
    only = zones.pop()
    return f"{only[:3]}:{only[3:].removeprefix(':') or '00'}"


def _style_of(matches: Sequence[re.Match[str]]) -> str | None:
    """How they are written, where that is not the way in which times are written anyway."""
    if not matches or not matches[0]["t"]:
        return None
    first = matches[0]
    fractions = {len(match["f"] or "") for match in matches}
    plain_zone = first["zone"] is None or (len(first["zone"]) == 6 and not first["gap"])
    if first["t"] == " " and first["s"] and plain_zone and fractions == {0}:
        return None
    clock = "%H" + (":%M" if first["m"] else "") + (":%S" if any(match["s"] for match in matches) else "")
    return f"{ISO_DATE}{first['t']}{clock}{_fraction(matches, fractions)}{first['gap']}{offset_style(first['zone'])}"


def _fraction(matches: Sequence[re.Match[str]], digits: set[int]) -> str:
    if digits == {0}:
        return ""
    mark = next(match["mark"] for match in matches if match["mark"])
    return f"{mark}%{digits.pop()}f" if len(digits) == 1 else "%-f"


def offset_style(zone: str | None) -> str:
    """How an offset is written, as a part of a style."""
    if zone is None or not zone.startswith(("+", "-")):
        return zone.upper() if zone else ""
    return {6: "%:z", 5: "%z", 3: "%:::z"}[len(zone)]


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with a zone."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
