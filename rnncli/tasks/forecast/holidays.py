"""The holidays of countries, from the library `holidays`, and how far ahead a model knows them.

Days are looked up once, at training, for the years of the data and `AHEAD` more, and stay in the model: predict needs
neither the flag nor the library, whose import takes longer than a forecast, and another version of it, which may know
other days, changes no forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from rnncli.data.holidays import Holidays
from rnncli.data.load import Loaded
from rnncli.data.noted import Notes
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, MissingDependency, UsageError
from rnncli.near import near
from rnncli.tasks.forecast.forecaster import Forecaster

AHEAD = 25  # years
FIRST, LAST = 1900, 2150  # years that are looked up at most: a date far off is a mistake in the data, or history
_EPOCH = date(1970, 1, 1)


def with_holidays(loaded: Loaded, regions: Iterable[str]) -> Loaded:
    """The data with the holidays of these regions in their calendar.

    Raises MissingDependency without the library, UsageError for a region that it does not know and InputRefused where
    times are no dates.
    """
    named = tuple(dict.fromkeys(regions))
    if not named:
        return loaded
    panel = loaded.panel
    if panel.calendar.counts:
        raise InputRefused("--holidays needs dates, and the times are whole numbers", hint="leave it out")
    calendar = replace(panel.calendar, holidays=looked_up(named, *_years(panel)))
    return replace(loaded, panel=replace(panel, calendar=calendar))


def looked_up(regions: tuple[str, ...], first: int, last: int) -> Holidays:
    """The holidays of all regions (DE, US-CA) from the year `first` to the year `last`."""
    try:
        import holidays as library
    except ImportError:
        raise MissingDependency(
            "--holidays needs the package holidays", hint="pip install 'rnncli[holidays]'"
        ) from None
    known = library.list_supported_countries()
    written = [_checked(region, known) for region in regions]
    years = range(first, last + 1)
    days: set[int] = set()
    for country, part in written:
        found = library.country_holidays(country, subdiv=part, years=years)
        days |= {day.toordinal() - _EPOCH.toordinal() for day in found}
    begin, end = (date(year, 1, 1).toordinal() - _EPOCH.toordinal() for year in (first, last + 1))
    names = tuple(country if part is None else f"{country}-{part}" for country, part in written)
    return Holidays(names, tuple(sorted(day for day in days if begin <= day < end)), begin, end - 1)


def _checked(region: str, known: Mapping[str, list[str]]) -> tuple[str, str | None]:
    """Country and part as the library writes them."""
    country, _, part = region.partition("-")
    code = next((code for code in known if code == country.upper()), None)
    if code is None:
        raise UsageError(f"no holidays are known of {country!r}", hint=_near(country, list(known), _names()))
    if not part:
        return code, None
    parts = known[code]
    exact = next((name for name in parts if name.upper() == part.upper()), None)
    if exact is None:
        hint = _near(part, parts, {}) if parts else f"write {code} alone: no part of it has holidays of its own"
        raise UsageError(f"no holidays are known of {part!r} in {code}", hint=hint)
    return code, exact


def _names() -> dict[str, str]:
    """The code of each country by its name."""
    from holidays.registry import COUNTRIES

    return {name.replace("_", " "): codes[1] for name, codes in COUNTRIES.items()}


def _near(text: str, codes: list[str], names: dict[str, str]) -> str:
    """A hint that names what may have been meant."""
    name = near(text.replace("_", " "), names)
    found = near(text, codes) if name is None else names[name]
    return f"did you mean {found}?" if found else "write two letters as in ISO 3166, such as DE or US-CA"


def _years(panel: Panel) -> tuple[int, int]:
    """The first and the last year to look up: one more than the data have on the left, `AHEAD` more on the right."""
    ordinals = np.array([panel.starts.min(), panel.ends().max()])
    times = panel.calendar.times(ordinals, np.zeros(2, np.int64))
    first, last = (int(year) for year in times.astype("datetime64[us]").astype("datetime64[Y]").astype(int) + 1970)
    begin = int(np.clip(first - 1, FIRST, LAST))
    return begin, int(np.clip(last + AHEAD, begin, LAST))


def note_unknown(panel: Panel, ends: Any, steps: int, forecaster: Forecaster, notes: Notes) -> None:
    """A line where the rows to forecast lie after the last day of which the model knows the holidays."""
    known = forecaster.calendar.holidays
    if known is None or not len(panel):
        return
    final = panel.calendar.local(panel.calendar.times(panel.starts + ends + steps - 1, panel.phases))
    if int(final.max() // 86_400_000_000) > known.last:
        day = _EPOCH + timedelta(days=known.last)
        line = f"the model knows holidays up to {day}, and forecasts later rows as if there were none: train again"
        notes.extend([line])
