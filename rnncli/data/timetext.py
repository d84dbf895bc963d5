"""Times written as text: which style they are in, and what moments they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data import datenumber
from rnncli.data.isotime import (
    ISO,
    ISO_DATE,
    Moments,
    Unreadable,
    aware_times,
    iso_times,
    microseconds,
    naive_times,
    offset_style,
)
from rnncli.data.timestyle import EPOCHS, has_clock, in_utc, letters, pattern, read, refined

_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%y.%m.%d", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%y/%m/%d"),
    *("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d%b%Y", "%d. %b %Y", "%b %d %Y", "%b %d, %Y", "%Y-%b-%d", "%Y %b %d"),
    *("%d %b %y", "%d-%b-%y", "%d%b%y"),
)
_PERIODS = (
    *("%Y-%m", "%Y/%m", "%Y.%m", "%m/%Y", "%m.%Y", "%m-%Y"),
    *("%b %Y", "%b-%Y", "%b/%Y", "%b%Y", "%Y-%b", "%Y %b", "%Y/%b", "%b-%y", "%b %y", "%Y-M%m", "%YM%m"),
    *("%Y-Q%q", "%YQ%q", "%Y Q%q", "%Y/Q%q", "%Yq%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%qQ%Y", "%q. Quartal %Y"),
    *("%G-W%V", "%GW%V", "%G W%V", "%G-W%V-%u", "%GW%V%u", "W%V %G", "W%V-%G", "KW%V %G", "KW%V/%G"),
)
_ALL_PERIODS = (*_PERIODS, *(period.replace("%b", "%B") for period in _PERIODS if "%b" in period))
_YEAR_AND_PART = ("%Y-%m", "%Y/%m", "%Y.%m", "%m/%Y", "%m.%Y", "%m-%Y")
_WITH_CLOCK_WITHIN = ("%a %b %d %H:%M:%S %Y",)  # as C's ctime writes
_CLOCK = re.compile(
    r"(?P<date>.*?)(?P<sep>T|, | +|:)(?P<hour>\d{1,2})(?P<minute>:\d\d)?(?P<second>:\d\d)?(?P<fraction>\.\d{1,9})?"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
)
_COMPACT = re.compile(r"(?P<date>\d{8})(?P<sep>[T ])(?P<clock>\d{4}|\d{6})(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?")
_WEEKDAY = re.compile(
    r"(?P<day>Mon|Tue|Wed|Thu|Fri|Sat|Sun|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)(?P<sep>,? +)", re.IGNORECASE
)
_OFFSET_BEHIND = re.compile(r"[+-]\d\d:\d\d\Z")
_LOOKED_AT = 500
_LONGEST = 48  # letters of a time
_PIVOT = 50  # two-digit years from here on are of the century before
_ENOUGH = 8  # different times, whose order is no chance
_REGULAR, _IRREGULAR = 0.9, 0.6  # shares of the commonest step
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|februar|märz|mai|juni|juli|oktober|dezember"
_DATEISH = re.compile(
    rf"(?:[-/.,:' \d]|[TZ]\b|T(?=\d)|am|pm|utc|gmt|kw|[qwh](?=\d)|{_MONTHS}|[a-z]*day\b)+", re.IGNORECASE
)
_YEAR_IN_TEXT = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_YEAR_AND_LETTER = re.compile(r"(?:19|20)\d\d ?[A-Za-z]{1,2}\d{1,2}|R\d{1,2}\.\d{1,2}\.\d{1,2}")
_DAY_IN_TEXT = re.compile(r"(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
_NAMED_MONTH = re.compile(rf"{_MONTHS}|\b[qw]\d|\dq", re.IGNORECASE)
_SMALLEST, _LARGEST = (
    (limit.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    for limit in (datetime.min, datetime.max)  # noqa: DTZ901  # they get their zone here
)


_TIME_WORDS = re.compile(
    "ds|dates?|datetime|times?|timestamp|ts|dt|days?|week|month|quarter|period|year|steps?|t|hour|when"
    "|datum|zeit|uhrzeit|zeitpunkt|zeitstempel|zeitraum|stichtag|(?:kalender)?(?:tag|woche|monat|jahr)|quartal|periode"
    "|fecha|mes|dia|ano|año|mois|jour|ann[ée]e|p[ée]riode|mese|giorno|anno|periodo|dato|tidpunkt|日付|日期|日時"
)


def looks_like_time(texts: Sequence[str]) -> bool:
    """Whether all texts are times of one known style; whole numbers are not."""
    some = texts[:_LOOKED_AT]
    return all(map(ISO.fullmatch, some)) or bool(_fitting(some))


def mostly_times(texts: Sequence[str], style: str | None = None) -> bool:
    """Whether more than half of the texts are times: of this style, or of any that is known."""
    some = texts[:_LOOKED_AT]
    fits = _is_time if style is None else lambda text: _fits(text, style)
    return bool(some) and 2 * sum(map(fits, some)) > len(some)


def usual_style(texts: Sequence[str]) -> str | None:
    """The style of most texts, as far as they show it; None for ISO's, and where none is known."""
    some = texts[:_LOOKED_AT]
    if any(map(ISO.fullmatch, some)):
        return None
    found = [style for text in some for style in styles_of(text)]
    return max(dict.fromkeys(found), key=found.count) if found else None


def _is_time(text: str) -> bool:
    return ISO.fullmatch(text) is not None or bool(styles_of(text))


def called_like_time(name: str) -> bool:
    """Whether a column's name says that it holds times."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    return any(map(_TIME_WORDS.fullmatch, words))


def dateish(texts: Sequence[str]) -> bool:
    """Whether most texts have the parts of a date, known or not: three numbers, or one and the name of a month."""
    some = texts[:_LOOKED_AT]
    return bool(some) and 2 * sum(map(_has_parts, some)) > len(some)


def _has_parts(text: str) -> bool:
    numbers = re.findall(r"\d+", text)
    if not numbers or len(text) > _LONGEST:
        return False
    if _YEAR_IN_TEXT.search(text) and (len(numbers) >= 3 or _NAMED_MONTH.search(text)):
        return True
    if _YEAR_AND_LETTER.fullmatch(text) or _DAY_IN_TEXT.search(text):
        return True
    if _DATEISH.fullmatch(text.strip()) is None:
        return False
    return len(numbers) >= 3 or (_NAMED_MONTH.search(text) is not None)


def read_times(texts: Sequence[str], style: str | None = None, *, strict: bool = True) -> Moments:
    """The moments of texts that are all in `style`, or in the one known style that fits. Raises Unreadable.

    Unless `strict`, times in another ISO form are taken where `style` is one.
    """
    if style in EPOCHS:
        return _counted(texts, style or "")
    if style is not None and not strict and style.startswith(ISO_DATE) and all(map(ISO.fullmatch, texts)):
        return iso_times(texts)
    if style is not None:
        return _in_style(texts, style)
    if not texts or ISO.fullmatch(texts[0]):
        return iso_times(texts)
    styles = _fitting(texts)
    if len(styles) == 1 and styles[0] in _YEAR_AND_PART and _of_quarters(texts, styles[0]):
        styles = [styles[0], styles[0].replace("%m", "%q")]
    if len(styles) > 1:
        choices = " or ".join(f"'{style}'" for style in styles)
        raise Unreadable(0, f"{texts[0]!r} can be read in more than one way", f"say --time-format {choices}")
    if not styles:  # hours that the clock shows twice may have their offset behind them
        styles = _fitting([_OFFSET_BEHIND.sub("", text) for text in texts])[:1]
    if styles:
        return _in_style(texts, styles[0])
    raise _astray(texts)


def _of_quarters(texts: Sequence[str], style: str) -> bool:
    """Whether the parts of several years are 1 to 4 alone, so that they may be quarters as well as months."""
    moments = [read(text, style) for text in texts]
    return len({moment.year for moment in moments}) > 1 and max(moment.month for moment in moments) == 4


def _astray(texts: Sequence[str]) -> Unreadable:
    """Why no style fits: the first text that is not of the first's style, or the first if it is of none."""
    known = next((styles for text in texts if (styles := styles_of(text))), ())
    for position, text in enumerate(texts):
        if not known or not any(_fits(text, style) for style in known):
            hint = f"most are of the form '{known[0]}': correct it, or say --time-format" if known else _HOW
            return Unreadable(position, f"{text[:40]!r} is no time that is known", hint)
    return Unreadable(0, "the times are of several styles", "write all of them in one way")


_HOW = "say how it is written: --time-format '%d.%m.%y'"


def readable(texts: Sequence[str], counts: Ints, style: str | None, *, whole: bool = False) -> tuple[Bools, Bools]:
    """Which texts are times of the style that most rows share, and which would be but for their zone; `counts` are
    the rows of each text.
    """
    none = np.zeros(len(texts), np.bool_)
    if whole or style is not None:
        return _each(texts, lambda text: whole_numbers([text]) if whole else read_times([text], style)), none
    iso = [ISO.fullmatch(text) for text in texts]
    plain = np.array([match is not None for match in iso], np.bool_)
    if 2 * counts[plain].sum() >= counts[[bool(text) for text in texts]].sum():
        aware = np.array([bool(match and match["zone"]) for match in iso], np.bool_)
        zoned = 2 * counts[aware].sum() > counts[plain].sum()
        same = plain & (aware == zoned)
        return same & _each(texts, _aware_or_naive), plain & ~same
    candidates = {style: None for text in texts for style in styles_of(text)}
    fits = [_each(texts, lambda text, style=style: _in_style([text], style)) for style in candidates]  # type: ignore[misc]
    return max([none, *fits], key=lambda flags: int(counts[flags].sum())), none


def _aware_or_naive(text: str) -> None:
    match = ISO.fullmatch(text)
    if match is None:
        raise ValueError(text)
    (aware_times if match["zone"] else naive_times)([text])


def _each(texts: Sequence[str], read_one: Callable[[str], object]) -> Bools:
    """Which texts can be read."""
    found = np.zeros(len(texts), np.bool_)
    for position, text in enumerate(texts):
        with suppress(Unreadable, ValueError):
            read_one(text)
            found[position] = True
    return found


def styles_of(text: str) -> tuple[str, ...]:
    """The known styles, ISO's aside, of which the text is a time; an ambiguous one has several."""
    if len(text) > _LONGEST or not any(map(str.isdigit, text)) or text.isdigit():
        return ()
    return tuple(style for style in _alike(re.sub(r"\d", "9", text)) if _fits(text, style))


@lru_cache(maxsize=4096)
def _alike(shape: str) -> tuple[str, ...]:
    """Styles of texts with such letters and as many digits."""
    compact = _COMPACT.fullmatch(shape)
    if compact is not None:
        clock = "%H%M%S" if len(compact["clock"]) == 6 else "%H%M"
        return (f"%Y%m%d{compact['sep']}{clock}{offset_style(compact['zone'])}",)
    weekday = _WEEKDAY.match(shape)
    day = f"%{'a' if len(weekday['day']) == 3 else 'A'}{weekday['sep']}" if weekday else ""
    rest = shape[weekday.end() :] if weekday else shape
    found = [day + date for date in _dates_alike(rest)] or [*_clocked(rest, day)]
    within = [style for style in _WITH_CLOCK_WITHIN if _matches(style, shape)]
    return tuple(dict.fromkeys([*found, *within, *(style for style in _ALL_PERIODS if _matches(style, shape))]))


def _clocked(shape: str, day: str) -> Iterable[str]:
    match = _CLOCK.fullmatch(shape)
    if match is None or not (match["minute"] or match["half"]) or (match["fraction"] and not match["second"]):
        return
    half = match["half"] or ""
    clock = ("%I" if half else "%H") + ":%M" * bool(match["minute"]) + ":%S" * bool(match["second"])
    clock += "%-f" * bool(match["fraction"]) + half[: len(half) - 2] + "%p" * bool(half)
    zone = match["zone"] or ""
    gap = " " * zone.startswith(" ")
    for date in _dates_alike(match["date"], compact=True):
        yield f"{day}{date}{match['sep']}{clock}{gap}{offset_style(zone.strip() or None)}"


def _dates_alike(shape: str, *, compact: bool = False) -> list[str]:
    """Styles of dates; one without any mark in it only before a clock."""
    named = [date.replace("%b", "%B") for date in _DATES if "%b" in date]
    return [date for date in (*_DATES, *named) if (compact or date != "%Y%m%d") and _matches(date, shape)]


def _matches(style: str, shape: str) -> bool:
    """Whether a shape, in which every digit is a 9, is of a style."""
    return pattern(style.replace("%q", "9").replace("%u", "9")).fullmatch(shape) is not None


def _fitting(texts: Sequence[str]) -> list[str]:
    """The known styles in which every text is a time."""
    some = dict.fromkeys(style for text in texts[:_LOOKED_AT] for style in styles_of(text))
    found = [style for style in some if all(_fits(text, style) for text in texts)]
    plain = {style.replace("%-f", "") for style in found if "%-f" in style}  # which the one with a fraction includes
    found = [style for style in found if style not in plain and not _of_days(style, texts)]
    dated = [style for style in found if "%y" not in style]
    return _regular(dated or found, texts)


def _of_days(style: str, texts: Sequence[str]) -> bool:
    """Whether a month and two digits are a day of one month, not years."""
    if style not in ("%b-%y", "%b %y", "%B-%y", "%B %y"):
        return False
    return len(texts) > 1 and len({read(text, style).month for text in texts}) == 1


def _regular(styles: list[str], texts: Sequence[str]) -> list[str]:
    """The one style in which the rows are in order, or else regular, where no other style makes them so; else all."""
    if len(styles) < 2:
        return styles
    ordered = [style for style in styles if (np.diff(_in_style(texts, style).times) > 0).all()]
    if len(ordered) == 1 and len(texts) >= _ENOUGH:
        return ordered
    shares = [_commonest_step(_in_style(texts, style).times) for style in styles]
    best = max(shares)
    others = sorted(shares)[:-1]
    clear = best >= _REGULAR and max(others) < _IRREGULAR
    return [styles[shares.index(best)]] if clear else styles


def _commonest_step(times: Ints) -> float:
    """The share of the commonest difference between neighbours, in months where all are of one day of a month."""
    days = times.astype("datetime64[us]").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    whole = len(np.unique(days - months)) == 1
    steps = np.diff(np.unique(months.astype(np.int64) if whole else times))
    return float(np.unique(steps, return_counts=True)[1].max() / len(steps)) if len(steps) else 1.0


def _fits(text: str, style: str) -> bool:
    try:
        read(text, style)
    except ValueError:
        return False
    return True


def _in_style(texts: Sequence[str], style: str) -> Moments:
    """Where a style has no zone, a few texts may have an offset behind it: hours that the clock shows twice."""
    moments = [_read_or_fail(text, style, position) for position, text in enumerate(texts)]
    if "y" in letters(style):
        moments = _of_one_age(moments)
    aware = np.array([moment.tzinfo is not None for moment in moments], np.bool_)
    zoned = in_utc(style) or "z" in letters(style)
    times = np.array([microseconds(m if m.tzinfo else m.replace(tzinfo=UTC)) for m in moments], np.int64)
    zone = _common_zone(moments) if zoned and moments else "UTC" if zoned else None
    fixed = aware if aware.any() and not zoned else None
    return Moments(times, refined(style, texts), not has_clock(style), zone, fixed)


def _of_one_age(moments: Sequence[datetime]) -> list[datetime]:
    """Times whose years have two digits, in the centuries in which they lie nearest together; the last before 2050."""
    years = sorted({moment.year % 100 for moment in moments})
    gaps = [(after - before) % 100 or 100 for before, after in zip(years, years[1:] + years[:1], strict=True)]
    last = years[gaps.index(max(gaps))]
    end = 2000 + last if last < _PIVOT else 1900 + last
    return [_in_year(moment, end - (last - moment.year) % 100) for moment in moments]


def _in_year(moment: datetime, year: int) -> datetime:
    try:
        return moment.replace(year=year)
    except ValueError:  # 29 February, which 1900 lacks
        return moment


def _read_or_fail(text: str, style: str, position: int) -> datetime:
    try:
        return read(text, style)
    except ValueError as error:
        if has_clock(style) and "z" not in letters(style) and not in_utc(style):
            with suppress(ValueError):
                return read(text, f"{style}%z")
        what = f"is not a time of the form {style!r}"
        if "finer" in str(error):
            what = "is finer than a microsecond"
        raise Unreadable(position, f"{text[:40]!r} {what}", "or say another --time-format") from None


def _common_zone(moments: Sequence[datetime]) -> str:
    shifts = {moment.utcoffset() or timedelta(0) for moment in moments}
    if len(shifts) > 1:
        return "mixed"
    only = shifts.pop()
    if not only:
        return "UTC"
    minutes = abs(only) // timedelta(minutes=1)
    return f"{'-' if only < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _counted(texts: Sequence[str], style: str) -> Moments:
    """Whole numbers that count from 1970."""
    try:
        times = datenumber.from_epoch(whole_numbers(texts), style)
    except ValueError as error:
        raise Unreadable(int(error.args[1]), f"{texts[int(error.args[1])]!r} {error.args[0]}") from None
    return Moments(times, style, dates=False, zone="UTC")


def within_years(times: Ints) -> Bools:
    """Which moments lie in the years 1 to 9999, which is what can be written."""
    return np.asarray((times >= _SMALLEST) & (times <= _LARGEST))


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
