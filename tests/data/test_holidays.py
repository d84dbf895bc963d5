"""What a step of time sees of holidays."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.holidays import Holidays
from rnncli.errors import InputRefused


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))


KNOWN = Holidays(("XX",), (day("2024-07-04"), day("2024-12-25")), day("2024-01-01"), day("2024-12-31"))


def seen(unit: str, *times: str, zone: str | None = None, multiple: int = 1) -> np.ndarray:
    """What the calendar says of holidays at these moments of UTC, without the cycles."""
    calendar = Calendar(Frequency(unit, multiple), (1,), zone, KNOWN)
    plain = Calendar(Frequency(unit, multiple), (1,), zone)
    at = calendar.ordinals(np.array([int(np.datetime64(time, "us").astype(np.int64)) for time in times]))
    found = calendar.features(*at)
    assert found.shape[1] == len(calendar.feature_names)
    assert np.array_equal(found[:, : len(plain.feature_names)], plain.features(*at))
    return found[:, len(plain.feature_names) :]


def test_days_know_of_their_neighbours() -> None:
    found = seen("day", "2024-07-02", "2024-07-03", "2024-07-04", "2024-07-05")
    assert (found > 0).tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_over_all_days_the_mean_is_0_and_the_spread_1() -> None:
    found = seen("day", *(str(np.datetime64("2024-01-01") + day) for day in range(366)))
    np.testing.assert_allclose([found.mean(axis=0), found.std(axis=0)], [[0] * 3, [1] * 3], atol=1e-5)


def test_business_days_do_too() -> None:
    assert (seen("business day", "2024-07-04", "2024-07-05") > 0).tolist() == [[1, 0, 0], [0, 0, 1]]


def test_hours_are_in_the_day_on_the_wall_of_their_zone() -> None:
    moments = ("2024-07-04T03:00", "2024-07-04T04:00", "2024-07-05T03:00", "2024-07-05T04:00")
    assert (seen("hour", *moments, zone="America/New_York")[:, 0] > 0).tolist() == [0, 1, 1, 0]
    assert (seen("hour", *moments)[:, 0] > 0).tolist() == [1, 1, 0, 0]


def test_weeks_count_those_that_may_lie_in_them() -> None:
    usual = 7 * 2 / 366
    found = seen("week", "2024-06-28", "2024-07-05", "2024-07-12")  # Fridays: the 4th is a Thursday
    np.testing.assert_allclose(found, (np.array([[1, 0], [0, 1], [0, 0]]) - usual) / np.sqrt(usual), rtol=1e-6)


def test_months_are_as_long_as_they_are() -> None:
    found = seen("month", "2024-07-01", "2024-11-01")
    usual = np.array([31, 30]) * 2 / 366
    np.testing.assert_allclose(found[:, 0], ([1, 0] - usual) / np.sqrt(usual), rtol=1e-6)


def test_steps_that_are_no_time_have_none() -> None:
    with pytest.raises(InputRefused, match="no holidays"):
        Calendar(Frequency("step"), (1,), None, KNOWN)


@pytest.mark.parametrize(
    ("days", "first", "last"), [((3, 2), 0, 9), ((2, 2), 0, 9), ((12,), 0, 9), ((), 9, 0), ((), 0, 1 << 40)]
)
def test_what_contradicts_itself_is_refused(days: tuple[int, ...], first: int, last: int) -> None:
    with pytest.raises(InputRefused):
        Holidays(("XX",), days, first, last)


def test_they_go_to_a_file_and_come_back() -> None:
    calendar = Calendar(Frequency("day"), (7,), "Europe/Berlin", KNOWN)
    assert Calendar.from_json(calendar.to_json()) == calendar
