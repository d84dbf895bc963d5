"""Texts of options and the values they mean."""

from __future__ import annotations

import pytest

from rnncli.cli import values
from rnncli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("2m", 120.0), ("1h", 3600.0), ("0.5h", 1800.0)]
)
def test_a_time_is_told_in_seconds_minutes_or_hours(text: str, seconds: float) -> None:
    assert values.duration("--time-budget", text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1y", "1h30", "nan"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        values.duration("--time-budget", text)


def test_names_are_separated_by_commas() -> None:
    assert values.names("--past", "a, b c,d") == ("a", "b c", "d")


def test_seasons_are_separated_by_commas() -> None:
    assert values.counts("--season", "24,168") == (24, 168)


def test_levels_keep_their_order() -> None:
    assert values.levels("--quantiles", "0.9,0.1") == (0.9, 0.1)
