"""Times written as text: which style they are in, and what moments they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?P<clock>(?P<t>[T ])\d\d:\d\d(?P<s>:\d\d(?P<f>\.\d{1,6})?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S")
_DATES = ("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%b %d %Y")
STYLES = ("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%b-%Y", *(date + clock for date in _DATES for clock in _CLOCKS))
_LOOKED_AT = 500
_ZERO_SHIFT = frozenset({"Z", "+00:00", "+0000", "-00:00"})


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

    `style` is the strptime format to write more of them, None for plain ISO; `dates` if no clock was written.
    `zone` is "UTC", an offset such as "+02:00", or "mixed".
    """

    times: Ints
    style: str | None = None
    dates: bool = False
    zone: str | None = None


def looks_like_time(texts: Sequence[str]) -> bool:
    """Whether all texts are times of one known style; whole numbers are not."""
    some = texts[:_LOOKED_AT]
    return all(map(_ISO.fullmatch, some)) or bool(_fitting(some))


def read_times(texts: Sequence[str], style: str | None = None) -> Moments:
    """The moments of texts that are all in `style`, or in the one known style that fits. Raises Unreadable."""
    if style is not None:
        return _in_style(texts, style)
    if not texts or _ISO.fullmatch(texts[0]):
        return _iso(texts)
    styles = _fitting(texts)
    if len(styles) > 1:
        choices = " or ".join(f"'{style}'" for style in styles)
        raise Unreadable(0, f"{texts[0]!r} can be read in more than one way", f"say --time-format {choices}")
    if not styles:
        known = _fitting(texts[:1])
        if known:
            _in_style(texts, known[0])  # raises at the first text that does not fit
        raise Unreadable(
            0, f"{texts[0][:40]!r} is no time that is known", "say how it is written: --time-format '%d.%m.%y'"
        )
    return _in_style(texts, styles[0])


def readable(texts: Sequence[str], counts: Ints, style: str | None, *, whole: bool = False) -> tuple[Flags, Flags]:
    """Which texts are times of the style that most rows share, and which would be but for their zone; `counts` are
    the rows of each text.
    """
    none = np.zeros(len(texts), np.bool_)
    if whole or style is not None:
        return _each(texts, lambda text: whole_numbers([text]) if whole else _in_style([text], style or "")), none
    iso = [_ISO.fullmatch(text) for text in texts]
    plain = np.array([match is not None for match in iso], np.bool_)
    if 2 * counts[plain].sum() >= counts[[bool(text) for text in texts]].sum():
        aware = np.array([bool(match and match["zone"]) for match in iso], np.bool_)
        zoned = 2 * counts[aware].sum() > counts[plain].sum()
        same = plain & (aware == zoned)
        return same & _each(texts, _aware_or_naive), plain & ~same
    fits = {style: _each(texts, lambda text, style=style: _in_style([text], style)) for style in STYLES}  # type: ignore[misc]
    return max(fits.values(), key=lambda flags: int(counts[flags].sum())), none


def _aware_or_naive(text: str) -> None:
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(text)
    (_aware if match["zone"] else _naive)([text])


def _each(texts: Sequence[str], read: Callable[[str], object]) -> Flags:
    """Which texts can be read."""
    found = np.zeros(len(texts), np.bool_)
    for position, text in enumerate(texts):
        with suppress(Unreadable, ValueError):
            read(text)
            found[position] = True
    return found


def _iso(texts: Sequence[str]) -> Moments:
    found = [_ISO.fullmatch(text) for text in texts]
    aware = bool(found and found[0] and found[0]["zone"])
    for position, match in enumerate(found):
        if match is None:
            raise Unreadable(position, f"{texts[position][:40]!r} is not a time like {texts[0]!r}")
        if bool(match["zone"]) != aware:
            raise Unreadable(position, "some times have a zone and some have none", "give all of them a zone, or none")
    matches = [match for match in found if match]
    times = _checked(texts, _aware if aware else _naive)
    zones = {match["zone"] for match in matches} if aware else set()
    return Moments(times, _style_of(matches), not any(match["clock"] for match in matches), _zone(zones))


def _naive(texts: Sequence[str]) -> Ints:
    return np.asarray(np.array(texts, "datetime64[us]").astype(np.int64))


def _aware(texts: Sequence[str]) -> Ints:
    return np.array([_microseconds(datetime.fromisoformat(text)) for text in texts], np.int64)


def _checked(texts: Sequence[str], convert: object) -> Ints:
    try:
        return convert(texts)  # type: ignore[operator,no-any-return]
    except ValueError:
        for position, text in enumerate(texts):
            try:
                convert([text])  # type: ignore[operator]
            except ValueError as error:
                raise Unreadable(position, f"{text[:40]!r} is not a time that exists") from error
        raise


def _zone(zones: set[str]) -> str | None:
    if not zones:
        return None
    if zones <= _ZERO_SHIFT:
        return "UTC"
    if len(zones) > 1:
        return "mixed"
    only = zones.pop()
    return only if ":" in only else f"{only[:3]}:{only[3:]}"


def _style_of(matches: Sequence[re.Match[str]]) -> str | None:
    """How the first is written, where that is not the way in which times are written anyway."""
    if not matches or not matches[0]["clock"]:
        return None
    first = matches[0]
    plain = first["t"] == " " and first["s"] and first["zone"] != "Z"
    if plain:
        return None
    clock = "%H:%M" + (":%S" if first["s"] else "") + (".%f" if first["f"] else "")
    zone = "Z" if first["zone"] == "Z" else "%:z" if first["zone"] else ""
    return f"%Y-%m-%d{first['t']}{clock}{zone}"


def _fitting(texts: Sequence[str]) -> list[str]:
    """The known styles in which every text is a time; the first text rules most of them out."""
    styles = [style for style in STYLES if texts and _fits(texts[0], style)]
    return [style for style in styles if all(_fits(text, style) for text in texts)]


def _fits(text: str, style: str) -> bool:
    if len(text) > 32 or not any(letter in text for letter in "-/. "):
        return False
    try:
        datetime.strptime(text, style)  # noqa: DTZ007  # a zone, if any, is part of the style
    except ValueError:
        return False
    return True


def _in_style(texts: Sequence[str], style: str) -> Moments:
    times, aware = [], None
    for position, text in enumerate(texts):
        try:
            moment = datetime.strptime(text, style.replace("%:z", "%z"))  # noqa: DTZ007  # likewise
        except ValueError:
            raise Unreadable(
                position, f"{text[:40]!r} is not a time of the form {style!r}", "or say another --time-format"
            ) from None
        aware = moment.tzinfo is not None
        times.append(_microseconds(moment if aware else moment.replace(tzinfo=UTC)))
    dates = not any(code in style for code in ("%H", "%I", "%M", "%S", "%X", "%c"))
    return Moments(np.array(times, np.int64), style, dates, "UTC" if aware else None)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def whole_numbers(texts: Iterable[str]) -> Ints:
    """Texts of whole numbers. Raises Unreadable."""
    found = []
    for position, text in enumerate(texts):
        try:
            value = int(text)
        except ValueError:
            value = 1 << 63
        if not -(1 << 62) < value < (1 << 62) or "_" in text:
            raise Unreadable(position, f"{text[:40]!r} is not a whole number that times can be")
        found.append(value)
    return np.array(found, np.int64)
