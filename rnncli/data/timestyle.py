"""The language in which the style of a written time is kept: strptime's, and a few letters more.

Added are what strptime has no word for, so that times are written as they came:

| letter | what it is |
|---|---|
| `%-d %-m %-H %-I` | without a leading zero |
| `%3f` | a fraction of so many digits (1 to 9); `%-f` is a point and the digits that are needed, or nothing |
| `%^b %#b` (also `B a A`) | in capitals, in small letters; `%P` is am or pm in small letters |
| `%q` | the quarter, 1 to 4 |
| `%:z %:::z` | an offset as +01:00, as +01 |

A style that ends in Z, UTC or GMT is of moments in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from rnncli.errors import InputRefused, UsageError

EPOCHS = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1, "epoch-ns": -1_000}  # microseconds; below 0: a part
STEP = "step"  # whole numbers that count steps, whatever they look like
_DIRECTIVE = re.compile(r"%(?P<flag>[-^#]|:{1,3}|[1-9])?(?P<letter>[A-Za-z%])")
_NUMBERS = {"m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}", "I": r"\d{1,2}"}
_PARTS = _NUMBERS | {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "f": r"\d{1,9}",
    "j": r"\d{1,3}",
    "G": r"\d{4}",
    "V": r"\d\d",
    "u": r"[1-7]",
    "q": r"[1-4]",
    "b": r"[A-Za-z]{3}",
    "B": r"[A-Za-z]{3,9}",
    "a": r"[A-Za-z]{3}",
    "A": r"[A-Za-z]{6,9}",
    "p": r"[AaPp][Mm]",
    "z": r"[+-]\d\d(?::?\d\d)?|Z",
}
_CLOCK = frozenset("HIMSfpcXT")
_YEAR = frozenset("YyGcxD")
_WEEKDAY = frozenset("aAwu")
_TOO_FINE = re.compile(r"([.,]\d{6})(\d{1,3})(?!\d)")
_BARE_OFFSET = re.compile(r"[+-]\d\d\Z")
_IN_UTC = ("Z", "UTC", "GMT")


def letters(style: str) -> frozenset[str]:
    """The letters behind the percent signs of a style."""
    return frozenset(match["letter"] for match in _DIRECTIVE.finditer(style))


def has_clock(style: str) -> bool:
    """Whether a time of day is written."""
    return style in EPOCHS or bool(letters(style) & _CLOCK)


def in_utc(style: str) -> bool:
    """Whether times of the style are UTC by a word at their end, or by counting from 1970."""
    return style in EPOCHS or style.endswith(_IN_UTC)


def check_style(style: str) -> str:
    """The style, if it makes a moment. UsageError if there is no year, or something that strptime would pass over."""
    found = letters(style)
    if style in EPOCHS or style == STEP:
        return style
    example = "for example '%d.%m.%Y %H:%M', or epoch-s for seconds since 1970"
    if not found & _YEAR:
        raise UsageError(f"--time-format {style!r} has no year", hint=f"%Y is a year, %y one of two digits; {example}")
    if found & {"U", "W"} and not found & _WEEKDAY:
        raise UsageError(f"--time-format {style!r} has a week but no weekday", hint="ISO weeks are %G-W%V")
    if "I" in found and "p" not in found and "P" not in found:
        raise UsageError(f"--time-format {style!r} has %I without %p", hint="%H is an hour from 0 to 23")
    try:
        for form in _forms(style):
            datetime.strptime("", form)  # noqa: DTZ007  # only whether the form is one
    except (ValueError, IndexError, KeyError) as error:
        if not str(error).startswith(("time data", "ISO year", "Day of the year")):
            raise UsageError(f"--time-format {style!r} cannot be used: {error}", hint=example) from None
    return style


def read(text: str, style: str) -> datetime:
    """The moment, naive without a zone. ValueError if the text is not of the style, or finer than microseconds."""
    text = _TOO_FINE.sub(_to_microseconds, text)
    if style.endswith("%:::z") and _BARE_OFFSET.search(text):
        text += "00"
    error = ValueError(text)
    for form in _forms(style):
        try:
            found = datetime.strptime(text + " 1" * form.endswith("\n%u"), form)  # noqa: DTZ007  # its zone is in the style
        except ValueError as unfit:
            error = unfit
        else:
            return _settled(found, style)
    raise error


def _to_microseconds(match: re.Match[str]) -> str:
    if match[2].strip("0"):
        raise ValueError("times are finer than a microsecond")
    return match[1]


def _settled(found: datetime, style: str) -> datetime:
    if "q" in letters(style):
        if found.month > 4:
            raise ValueError("there are four quarters")
        found = found.replace(month=3 * found.month - 2)
    return found.replace(tzinfo=UTC) if in_utc(style) and found.tzinfo is None else found


@lru_cache(maxsize=256)
def _forms(style: str) -> tuple[str, ...]:
    """The formats of a style for strptime; two forms where a fraction may be left out."""
    plain = _DIRECTIVE.sub(_for_strptime, style)
    found = letters(style)
    if "V" in found and not found & _WEEKDAY:
        plain += "\n%u"
    return (plain.replace("\0", ""), plain.replace("\0", ".%f")) if "\0" in plain else (plain,)


def _for_strptime(match: re.Match[str]) -> str:
    flag, letter = match["flag"] or "", match["letter"]
    if flag == "-" and letter == "f":
        return "\0"
    return {"q": "%m", "P": "%p"}.get(letter, f"%{letter}")


@lru_cache(maxsize=1024)
def pattern(style: str) -> re.Pattern[str]:
    """The regular expression of a style's texts; a group for each letter."""
    parts, at = [], 0
    for match in _DIRECTIVE.finditer(style):
        parts += [_literal(style[at : match.start()]), _part(match)]
        at = match.end()
    return re.compile("".join([*parts, _literal(style[at:])]))


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\ ", " +")


def _part(match: re.Match[str]) -> str:
    letter = match["letter"]
    if letter == "f" and match["flag"] == "-":
        return r"(?:\.(?P<f>\d{1,9}))?"
    return f"(?P<{letter}>{_PARTS[letter]})"


def refined(style: str, texts: Iterable[str]) -> str:
    """The style with what the texts show of leading zeros, digits of a fraction, capitals and offsets."""
    if style in EPOCHS or not letters(style) <= _PARTS.keys():
        return style
    form, seen = pattern(style), dict[str, set[str]]()
    for text in texts:
        match = form.fullmatch(text)
        for letter, found in (match.groupdict() if match else {}).items():
            seen.setdefault(letter, set()).add(found or "")
    shown = {letter: _flag(letter, found) for letter, found in seen.items() if letter not in _NUMBERS}
    shown |= _zeros({letter: found for letter, found in seen.items() if letter in _NUMBERS})
    return _DIRECTIVE.sub(lambda match: _flagged(match, shown), style)


def _flagged(match: re.Match[str], shown: dict[str, str]) -> str:
    letter = match["letter"]
    if match[0] == "%-f" and shown.get("f", "-") != "-":
        return f".%{shown['f']}f"
    if match["flag"] or letter not in shown:
        return match[0]
    return "%P" if letter == "p" and shown[letter] == "#" else f"%{shown[letter]}{letter}"


def _zeros(seen: dict[str, set[str]]) -> dict[str, str]:
    """A number is without leading zeros if one of its texts is short; where none tells, as the others are."""
    short = {letter: any(len(text) == 1 for text in found) for letter, found in seen.items()}
    padded = {letter: any(text.startswith("0") for text in found) for letter, found in seen.items()}
    bare = any(short.values()) and not any(padded[letter] for letter in seen if not short[letter])
    return {letter: "-" for letter in seen if short[letter] or (bare and not padded[letter])}


def _flag(letter: str, found: set[str]) -> str:
    if letter == "f":
        lengths = {len(text) for text in found}
        return str(lengths.pop()) if len(lengths) == 1 and "" not in found else "-"
    if letter == "z":
        return ":" if any(":" in text for text in found) else ":::" if all(len(text) == 3 for text in found) else ""
    if letter in "bBaAp":
        if all(text.islower() for text in found):
            return "#"
        return "^" if letter != "p" and all(text.isupper() for text in found) else ""
    return ""


def written(wall: int, shift: int, style: str) -> str:
    """A time as text: `wall` microseconds since 1970 on the clock, `shift` microseconds ahead of UTC.

    InputRefused where the style cannot hold it.
    """
    if style in EPOCHS:
        size = EPOCHS[style]
        return str((wall - shift) * -size if size < 0 else (wall - shift) // size)
    if in_utc(style):
        wall, shift = wall - shift, 0
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone(timedelta(microseconds=shift))) + timedelta(microseconds=wall)
        return _DIRECTIVE.sub(lambda match: _written(moment, match["flag"] or "", match["letter"]), style)
    except (OverflowError, ValueError) as error:
        raise InputRefused(
            f"a time of the forecast cannot be written in the form {style!r}",
            hint="times with a form of their own lie in the years 1 to 9999",
        ) from error


_WRITTEN: dict[str, Callable[[datetime], str]] = {
    "Y": lambda moment: f"{moment.year:04}",
    "G": lambda moment: f"{moment.isocalendar().year:04}",
    "q": lambda moment: str((moment.month + 2) // 3),
    "P": lambda moment: moment.strftime("%p").lower(),
    "%": lambda _: "%",
}


def _written(moment: datetime, flag: str, letter: str) -> str:
    if letter == "f":
        return _fraction(moment.microsecond, flag)
    if letter == "z":
        return offset(int(moment.utcoffset() // timedelta(microseconds=1)), flag)  # type: ignore[operator]
    text = _WRITTEN[letter](moment) if letter in _WRITTEN else moment.strftime(f"%{letter}")
    if flag == "-":
        return text.lstrip("0") or "0"
    return text.upper() if flag == "^" else text.lower() if flag == "#" else text


def _fraction(microsecond: int, flag: str) -> str:
    digits = f"{microsecond:06}000"
    if flag == "-":
        return f".{digits[:6].rstrip('0')}" if microsecond else ""
    return digits[: int(flag or 6)]


def offset(microseconds: int, flag: str = ":") -> str:
    """An offset from UTC: +01:00 (":"), +0100 ("") or +01 (":::")."""
    minutes = abs(microseconds) // 60_000_000
    sign, hours, rest = "-" if microseconds < 0 else "+", f"{minutes // 60:02}", f"{minutes % 60:02}"
    if flag == ":::" and rest == "00":
        return sign + hours
    return f"{sign}{hours}{':' * bool(flag)}{rest}"
