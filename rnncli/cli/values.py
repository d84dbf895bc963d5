"""From the text of an option to its value, or one clear error: a function for each kind of value, which takes the
option's name and its text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from rnncli.errors import UsageError
from rnncli.near import did_you_mean
from rnncli.options.option import CHOICE, Option

Convert = Callable[[str, str], Any]

LARGEST = 1 << 62  # whole numbers end in arrays and generators of 64 bits
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w|)")
_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([kmgtKMGT]?)(?:i?[bB])?")
_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def read(option: Option, name: str, text: str) -> Any:
    """The value of an option's text. UsageError, which begins with `name`, if it has none."""
    convert = one_of(option.choices) if option.kind is CHOICE else _BY_KIND[option.kind.name]
    try:
        return convert(name, text)
    except UsageError as error:
        error.hint = error.hint or option.instead
        raise


def count(name: str, text: str) -> int:
    """A whole number above 0."""
    number = _whole(text)
    if number is None or number < 1:
        raise UsageError(f"{name} must be a whole number above 0, not {text[:40]!r}")
    return number


def counts(name: str, text: str) -> tuple[int, ...]:
    """Whole numbers above 0, separated by commas."""
    return tuple(count(name, part) for part in _parts(name, text))


def whole(name: str, text: str) -> int:
    """A whole number, 0 or above."""
    number = _whole(text)
    if number is None or number < 0:
        raise UsageError(f"{name} must be a whole number, 0 or above, not {text[:40]!r}")
    return number


def number(name: str, text: str) -> float:
    """A finite number."""
    value = _number(text)
    if not math.isfinite(value):
        raise UsageError(f"{name} must be a number, not {text[:40]!r}")
    return value


def positive(name: str, text: str) -> float:
    """A number above 0."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise UsageError(f"{name} must be a number above 0, not {text!r}")
    return number


def share(name: str, text: str) -> float:
    """A number from 0 to below 1."""
    number = _number(text)
    if not 0 <= number < 1:
        raise UsageError(f"{name} must be 0 or above and below 1, not {text!r}")
    return number


def level(name: str, text: str) -> float:
    """A number between 0 and 1."""
    number = _number(text)
    if not 0 < number < 1:
        raise UsageError(f"{name} must lie between 0 and 1, not {text!r}")
    return number


def levels(name: str, text: str) -> tuple[float, ...]:
    """Quantile levels, separated by commas."""
    found = tuple(map(_number, _parts(name, text)))
    if not all(0 < level < 1 for level in found):
        raise UsageError(f"{name} must lie between 0 and 1, not {text!r}", hint=f"for example {name} 0.1,0.5,0.9")
    return found


def size(name: str, text: str) -> int:
    """Bytes above 0, from 1000, 64K, 500M or 2G; K is 1,024."""
    match = _SIZE.fullmatch(text.strip())
    number = int(float(match[1]) * _BYTES[match[2].upper()]) if match else 0
    if not 0 < number < LARGEST:
        raise UsageError(f"{name} must be a size above 0, not {text[:40]!r}", hint="for example 64K, 500M or 2G")
    return number


def names(name: str, text: str) -> tuple[str, ...]:
    """Names, separated by commas."""
    return tuple(_parts(name, text))


def duration(name: str, text: str) -> float:
    """Seconds above 0, from 90, 90s, 2m, 1h, 2d or 1w."""
    seconds = _seconds(text)
    if not seconds:
        raise UsageError(f"{name} must be a time above 0, not {text!r}", hint="for example 90s, 2m or 1h")
    return seconds


def wait(name: str, text: str) -> float:
    """Seconds, 0 or above."""
    seconds = _seconds(text)
    if seconds is None:
        raise UsageError(f"{name} must be a time, 0 or above, not {text!r}", hint="for example 0, 90s, 2m or 1h")
    return seconds


def _seconds(text: str) -> float | None:
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _SECONDS[match[2]] if match else None


def text(name: str, value: str) -> str:
    """The text itself, if there is any."""
    if not value:
        raise UsageError(f"{name} must not be empty")
    return value


def one_of(choices: Iterable[str]) -> Convert:
    """One of these names; a near match is suggested."""
    known = tuple(choices)

    def chosen(name: str, value: str) -> str:
        if value not in known:
            raise UsageError(f"{name} cannot be {value!r}", hint=did_you_mean(value, known))
        return value

    return chosen


def cells(name: str, value: str) -> str:
    """A cell, or a list of them with one for each layer; a near match is suggested."""
    from rnncli.cells.name import parsed
    from rnncli.cells.named import checked
    from rnncli.registry import CELLS

    for part in _parts(name, value):
        head = parsed(part).core.head
        if head not in CELLS:
            raise UsageError(f"{name} cannot be {part!r}", hint=did_you_mean(head, CELLS))
    return checked(",".join(_parts(name, value)))


_BY_KIND: dict[str, Convert] = {
    "count": count,
    "counts": counts,
    "whole": whole,
    "size": size,
    "number": number,
    "positive": positive,
    "share": share,
    "level": level,
    "levels": levels,
    "duration": duration,
    "wait": wait,
    "text": text,
    "names": names,
    "cells": cells,
}


def _parts(name: str, text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise UsageError(f"{name} has an empty item: {text!r}", hint="separate items by single commas")
    return parts


def _whole(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) < LARGEST else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
