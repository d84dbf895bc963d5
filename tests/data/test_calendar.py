from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnncli.data import calendar
from rnncli.data.calendar import DAY, Calendar, Frequency
from rnncli.data.frequency import infer_frequency
from rnncli.errors import InputRefused

Ints = NDArray[np.int64]
HOUR = DAY // 24
BERLIN = "Europe/Berlin"


def moments(*texts: str, zone: str | None = None) -> Ints:
    """ISO texts, of the zone's wall clock if one is given, in UTC microseconds."""
    info: Any = UTC if zone is None else ZoneInfo(zone)
    parsed = [datetime.fromisoformat(text).replace(tzinfo=info) for text in texts]
    return np.array([round(moment.timestamp()) * 1_000_000 for moment in parsed], np.int64)


def days(first: str, count: int, step: int = 1) -> Ints:
    return np.asarray(moments(first)[0] + DAY * step * np.arange(count))


def one(times: Ints, zone: str | None = None, whole: bool = False) -> Frequency:
    return infer_frequency(np.asarray(times, np.int64), np.array([0, len(times)]), zone, ["a"], whole)


def panel(*series: Ints, whole: bool = False, zone: str | None = None) -> Frequency:
    offsets = np.cumsum([0, *map(len, series)])
    return infer_frequency(np.concatenate(series), offsets, zone, [f"s{i}" for i in range(len(series))], whole)


def month_starts(first: str, count: int, step: int = 1, day: int = 1) -> Ints:
    months = np.datetime64(first, "M") + step * np.arange(count)
    return (months.astype("datetime64[D]").astype(np.int64) + day - 1) * DAY


def month_ends(first: str, count: int, step: int = 1) -> Ints:
    months = np.datetime64(first, "M") + step * np.arange(count) + 1
    return (months.astype("datetime64[D]").astype(np.int64) - 1) * DAY


# Places on the grid

GRIDS = [
    (Frequency("step"), np.arange(5)),
    (Frequency("step", 5), np.arange(1987, 2030, 5)),
    (Frequency("second", 4), 4_000_000 * np.arange(9) + 1),
    (Frequency("minute", 15), 15 * HOUR // 60 * np.arange(100)),
    (Frequency("hour"), moments("1969-12-31T20:30")[0] + HOUR * np.arange(10)),
    (Frequency("day"), days("2023-12-30", 70)),
    (Frequency("week"), days("2024-01-06", 60, 7)),
    (Frequency("week", 2), days("2024-01-06", 60, 14)),
    (Frequency("business day"), days("2024-01-01", 5)),
    (Frequency("month"), month_starts("1899-11", 30)),
    (Frequency("month"), month_starts("2023-11", 30, day=15) + 7 * HOUR),
    (Frequency("month", month_end=True), month_ends("2023-11", 30)),
    (Frequency("quarter"), month_starts("2023-02", 30, 3)),
    (Frequency("quarter", month_end=True), month_ends("2023-03", 30, 3)),
    (Frequency("year"), month_starts("1700-07", 700, 12)),
    (Frequency("year", month_end=True), month_ends("1999-02", 30, 12)),
    (Frequency("year", 2), month_starts("1701-07", 30, 24)),
]


@pytest.mark.parametrize(("frequency", "times"), GRIDS, ids=[f"{f} from {t[0]}" for f, t in GRIDS])
def test_rows_of_a_regular_series_are_one_step_apart_and_in_phase(frequency: Frequency, times: Ints) -> None:
    ordinal, phase = Calendar(frequency).ordinals(times)
    np.testing.assert_array_equal(np.diff(ordinal), 1)
    assert len(set(phase.tolist())) == 1


@pytest.mark.parametrize(("frequency", "times"), GRIDS, ids=[f"{f} from {t[0]}" for f, t in GRIDS])
@pytest.mark.parametrize("zone", [None, BERLIN, "America/Sao_Paulo", "+05:30", "Australia/Lord_Howe"])
def test_times_is_the_inverse_of_ordinals(frequency: Frequency, times: Ints, zone: str | None) -> None:
    grid = Calendar(frequency, zone=None if frequency.unit == "step" else zone)
    if frequency.unit == "step":
        wall = times
    else:
        wall = grid.from_local(times + 12 * HOUR) if frequency.unit != "hour" else times
    np.testing.assert_array_equal(grid.times(*grid.ordinals(wall)), wall)


@pytest.mark.parametrize(("frequency", "times"), GRIDS, ids=[f"{f} from {t[0]}" for f, t in GRIDS])
def test_the_grid_goes_on_as_the_series_did(frequency: Frequency, times: Ints) -> None:
    grid = Calendar(frequency)
    ordinal, phase = grid.ordinals(times[:3])
    ahead = grid.times(ordinal[-1] + np.arange(1, 3), np.repeat(phase[-1], 2))
    np.testing.assert_array_equal(ahead, times[3:5])


@settings(max_examples=200, deadline=None)
@given(
    st.integers(-200_000, 400_000),
    st.sampled_from(["hour", "day", "week", "month", "quarter", "year"]),
    st.integers(1, 7),
    st.sampled_from([None, BERLIN, "America/New_York", "Asia/Kathmandu"]),
)
def test_any_hour_of_six_centuries_comes_back(day: int, unit: str, multiple: int, zone: str | None) -> None:
    grid = Calendar(Frequency(unit, multiple), zone=zone)
    times = grid.from_local(day * DAY + HOUR * np.arange(4, 24))
    np.testing.assert_array_equal(grid.times(*grid.ordinals(times)), times)


def test_all_shapes_are_kept() -> None:
    grid = Calendar(Frequency("month"), zone=BERLIN)
    ordinal, phase = grid.ordinals(days("2024-01-01", 6).reshape(2, 3))
    assert ordinal.shape == phase.shape == grid.times(ordinal, phase).shape == (2, 3)
    assert grid.features(ordinal, phase).shape == (2, 3, 2)


def test_no_rows_make_no_places() -> None:
    for unit in ("hour", "day", "business day", "month"):
        empty = np.zeros(0, np.int64)
        assert Calendar(Frequency(unit), zone=BERLIN).ordinals(empty)[0].size == 0


def test_days_are_steps_across_the_clock_change() -> None:
    times = moments("2024-03-30", "2024-03-31", "2024-04-01", "2024-10-27", "2024-10-28", zone=BERLIN)
    assert np.diff(times).tolist()[:2] == [24 * HOUR, 23 * HOUR]
    ordinal, phase = Calendar(Frequency("day"), zone=BERLIN).ordinals(times)
    assert np.diff(ordinal).tolist() == [1, 1, 209, 1]
    assert set(phase.tolist()) == {0}


def test_hours_are_steps_across_the_clock_change() -> None:
    times = moments("2024-10-26T22:00")[0] + HOUR * np.arange(6)
    ordinal, _ = Calendar(Frequency("hour"), zone=BERLIN).ordinals(times)
    assert np.diff(ordinal).tolist() == [1] * 5


def test_a_time_that_the_clock_skips_is_as_far_after_midnight_as_it_would_have_been() -> None:
    grid = Calendar(Frequency("day"), zone=BERLIN)
    skipped = grid.from_local(moments("2024-03-31T02:30"))
    assert grid.local(skipped).tolist() == moments("2024-03-31T03:30").tolist()


def test_a_time_that_comes_twice_is_the_first() -> None:
    grid = Calendar(Frequency("day"), zone=BERLIN)
    assert grid.from_local(moments("2024-10-27T02:30")).tolist() == moments("2024-10-27T00:30").tolist()


def test_daily_rows_stay_in_phase_where_the_clock_skips_midnight() -> None:
    zone = "America/Sao_Paulo"
    grid = Calendar(Frequency("day"), zone=zone)
    times = grid.from_local(days("2018-11-01", 8))
    assert grid.local(times)[3] == moments("2018-11-04T01:00")[0]
    ordinal, phase = grid.ordinals(times)
    assert np.diff(ordinal).tolist() == [1] * 7
    assert set(phase.tolist()) == {0}
    np.testing.assert_array_equal(grid.times(ordinal, phase), times)


def test_wall_time_agrees_with_zoneinfo() -> None:
    times = moments("1935-01-01")[0] + 7 * HOUR * np.arange(0, 130_000, 13)
    for zone in (BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "Pacific/Apia"):
        expected = [
            int(datetime.fromtimestamp(t, ZoneInfo(zone)).utcoffset().total_seconds())  # type: ignore[union-attr]
            for t in (times // 1_000_000).tolist()
        ]
        found = (Calendar(Frequency("hour"), zone=zone).local(times) - times) // 1_000_000
        assert found.tolist() == expected


def test_a_far_past_and_a_far_future_have_a_wall_clock() -> None:
    grid = Calendar(Frequency("day"), zone=BERLIN)
    for year in ("0001-01-01", "9999-12-30", "-20000-01-01", "60000-01-01"):
        times = np.array([np.datetime64(year, "us").astype(np.int64)])
        assert abs(grid.local(times) - times)[0] < DAY
        np.testing.assert_array_equal(grid.times(*grid.ordinals(times)), times)


def test_a_day_that_a_month_lacks_is_its_last() -> None:
    grid = Calendar(Frequency("month"))
    ordinal, phase = grid.ordinals(moments("2024-01-30"))
    assert grid.times(ordinal + 1, phase).tolist() == moments("2024-02-29").tolist()


@pytest.mark.parametrize("day", [29, 30, 31])
def test_a_series_stays_in_phase_over_days_that_a_month_lacks(day: int) -> None:
    grid = Calendar(Frequency("month"))
    ordinal, phase = grid.ordinals(month_starts("2023-01", 1, day=day))
    times = grid.times(ordinal + np.arange(14), np.repeat(phase, 14))
    assert grid.local(times)[1] == moments("2023-02-28")[0]
    np.testing.assert_array_equal(grid.ordinals(times), [ordinal + np.arange(14), np.repeat(phase, 14)])


def test_series_on_other_last_days_do_not_disturb_each_other() -> None:
    april_on_the_30th = moments("2024-04-30", "2024-05-30", "2024-06-30")
    _, phase = Calendar(Frequency("month")).ordinals(np.concatenate([moments("2024-01-31"), april_on_the_30th]))
    assert (phase // DAY).tolist() == [30, 29, 29, 29]


def test_weekends_are_off_the_grid_of_business_days() -> None:
    ordinal, phase = Calendar(Frequency("business day")).ordinals(days("2024-01-04", 6))
    assert ordinal.tolist() == [ordinal[0] + i for i in (0, 1, 1, 1, 2, 3)]
    assert (phase // DAY).tolist() == [0, 0, 1, 2, 0, 0]


def test_only_last_days_are_on_the_grid_of_month_ends() -> None:
    _, phase = Calendar(Frequency("month", month_end=True)).ordinals(moments("2024-02-29", "2024-03-31", "2024-04-29"))
    assert phase[0] == phase[1] != phase[2]


def test_a_calendar_survives_json() -> None:
    grid = Calendar(Frequency("month", 2, month_end=True), (6, 12), BERLIN)
    assert Calendar.from_json(grid.to_json()) == grid


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "+5", "../../etc/passwd", ""])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InputRefused, match="no time zone"):
        Calendar(Frequency("day"), zone=zone).ordinals(days("2024-01-01", 2))


@pytest.mark.parametrize(
    ("frequency", "text"),
    [
        (Frequency("hour"), "1 hour"),
        (Frequency("minute", 15), "15 minutes"),
        (Frequency("business day"), "1 business day"),
        (Frequency("week", 2), "2 weeks"),
        (Frequency("month", month_end=True), "1 month, at month end"),
    ],
)
def test_a_frequency_reads_as_one_says_it(frequency: Frequency, text: str) -> None:
    assert str(frequency) == text


# Features


@pytest.mark.parametrize(
    ("frequency", "cycles"),
    [
        (Frequency("step"), []),
        (Frequency("minute", 10), ["day", "week", "year"]),
        (Frequency("hour"), ["day", "week", "year"]),
        (Frequency("day"), ["week", "year"]),
        (Frequency("business day"), ["week", "year"]),
        (Frequency("week"), ["year"]),
        (Frequency("month"), ["year"]),
        (Frequency("quarter"), ["year"]),
        (Frequency("year"), []),
    ],
)
def test_each_frequency_sees_the_cycles_longer_than_itself(frequency: Frequency, cycles: list[str]) -> None:
    grid = Calendar(frequency)
    assert grid.feature_names == tuple(f"{wave} {cycle}" for cycle in cycles for wave in ("sin", "cos"))
    features = grid.features(np.arange(5), np.zeros(5, np.int64))
    assert features.shape == (5, 2 * len(cycles))
    assert features.dtype == np.float32


def test_cycles_that_rows_do_not_pass_through_are_not_seen() -> None:
    hours = Calendar(Frequency("hour"))
    spans = {3 * 3_600: (), 86_400: ("day",), 30 * 86_400: ("day", "week"), 400 * 86_400: ("day", "week", "year")}
    for seconds, cycles in spans.items():
        assert hours.cycles_within(seconds * 1_000_000) == cycles
    month = replace(hours, cycles=hours.cycles_within(30 * 86_400 * 1_000_000))
    at = np.arange(500), np.zeros(500, np.int64)
    np.testing.assert_array_equal(month.features(*at), hours.features(*at)[:, :4])
    assert Calendar.from_json(month.to_json()) == month
    with pytest.raises(InputRefused):
        Calendar(Frequency("day"), cycles=("day",))


def test_features_are_on_the_unit_circle() -> None:
    grid = Calendar(Frequency("hour"), zone=BERLIN)
    waves = grid.features(np.arange(400_000, 410_000), np.zeros(10_000, np.int64)).reshape(-1, 3, 2)
    np.testing.assert_allclose((waves**2).sum(axis=2), 1, rtol=1e-6)


def test_features_follow_the_wall_clock() -> None:
    grid = Calendar(Frequency("hour"), zone=BERLIN)
    noons = moments("2024-01-15T12:00", "2024-07-15T12:00", zone=BERLIN)
    np.testing.assert_allclose(grid.features(*grid.ordinals(noons))[:, :2], [[0, -1], [0, -1]], atol=1e-6)


def test_the_week_begins_on_monday() -> None:
    grid = Calendar(Frequency("day"))
    week = grid.features(*grid.ordinals(days("2024-01-01", 7)))
    np.testing.assert_allclose(week[0, :2], [0, 1], atol=1e-6)
    assert len({tuple(row) for row in week[:, :2].tolist()}) == 7


# Finding the frequency


@pytest.mark.parametrize(("frequency", "times"), GRIDS, ids=[f"{f} from {t[0]}" for f, t in GRIDS])
def test_a_regular_series_has_its_frequency(frequency: Frequency, times: Ints) -> None:
    if frequency.unit == "business day":
        times = np.concatenate([times, times + 7 * DAY])
    assert one(times, whole=frequency.unit == "step") == frequency


@pytest.mark.parametrize(("frequency", "times"), GRIDS, ids=[f"{f} from {t[0]}" for f, t in GRIDS])
def test_gaps_do_not_hide_the_frequency(frequency: Frequency, times: Ints) -> None:
    if frequency.unit == "business day":
        times = np.concatenate([times, times + 7 * DAY])
    kept = np.delete(times, [2])
    assert one(kept, whole=frequency.unit == "step") == frequency


def test_daily_rows_in_a_zone_are_daily_across_the_clock_change() -> None:
    grid = Calendar(Frequency("day"), zone=BERLIN)
    assert one(grid.from_local(days("2024-01-01", 400)), BERLIN) == Frequency("day")
    assert one(grid.from_local(month_starts("2024-01", 14)), BERLIN) == Frequency("month")


def test_rows_every_24_hours_of_utc_in_a_zone_are_hours() -> None:
    assert one(days("2024-01-01", 400), BERLIN) == Frequency("hour", 24)


def test_five_days_without_a_weekend_between_are_days() -> None:
    assert one(days("2024-01-01", 5)) == Frequency("day")


def test_business_days_may_skip_holidays() -> None:
    grid = Calendar(Frequency("business day"))
    times = grid.times(np.delete(np.arange(14_000, 14_040), [7, 8, 20]), np.zeros(37, np.int64))
    assert one(times) == Frequency("business day")


def test_one_saturday_makes_business_days_days() -> None:
    times = Calendar(Frequency("business day")).times(np.arange(14_000, 14_040), np.zeros(40, np.int64))
    saturday = days("2024-01-06", 1)[0] - DAY * 7 * 300
    assert one(np.unique([*times.tolist(), saturday + (times[0] - saturday) // (7 * DAY) * 7 * DAY])) == Frequency(
        "day"
    )


def test_series_of_one_row_take_part() -> None:
    assert panel(days("2024-01-01", 1), days("2024-01-01", 9), days("2024-03-01", 1)) == Frequency("day")


def test_a_panel_of_single_rows_is_daily_or_stepwise() -> None:
    assert panel(days("2024-01-01", 1), days("2024-03-01", 1)) == Frequency("day")
    assert panel(np.array([3]), np.array([8]), whole=True) == Frequency("step")


def test_series_may_be_in_different_phases() -> None:
    assert panel(days("2024-01-01", 9, 7), days("2024-01-03", 9, 7)) == Frequency("week")


def test_month_starts_and_month_ends_are_both_monthly() -> None:
    assert panel(month_starts("2000-01", 30), month_ends("2000-01", 20)) == Frequency("month")


def test_a_sparse_series_shares_the_grid_of_the_others() -> None:
    sparse = days("2024-01-01", 40)[[0, 2, 4, 11, 30, 32, 36, 38]]
    assert panel(days("2024-01-01", 40), sparse) == Frequency("day")


def test_a_step_that_is_finer_than_most_differences_is_found() -> None:
    assert one(days("2024-01-01", 30)[[0, 2, 4, 6, 7, 9, 11]]) == Frequency("day")
    assert one(np.array([0, 2, 4, 5, 7, 9]), whole=True) == Frequency("step")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (month_starts("2000-01", 30), month_starts("2000-01", 30, 3)),
        (days("2024-01-01", 60), days("2024-01-01", 20, 7)),
        (days("2024-01-01", 20, 7), days("2024-01-01", 60)),
        (moments("2024-01-01")[0] + HOUR * np.arange(60), moments("2024-01-01")[0] + HOUR // 2 * np.arange(60)),
        (moments("2024-01-01")[0] + HOUR * np.arange(60), moments("2024-01-01")[0] + HOUR // 2 * np.arange(30)),
    ],
)
def test_mixed_frequencies_are_refused_with_one_series_of_each(first: Ints, second: Ints) -> None:
    with pytest.raises(InputRefused, match="mixed frequencies") as caught:
        panel(first, second)
    assert "'s0'" in caught.value.message
    assert "'s1'" in caught.value.message
    assert caught.value.hint


def test_irregular_times_are_refused_with_series_and_time() -> None:
    chance = np.random.default_rng(0)
    events = np.cumsum(chance.integers(1, 10**9, 50)) + days("2024-01-01", 1)
    with pytest.raises(InputRefused, match="not regular") as caught:
        panel(events, events + 17)
    assert caught.value.where.startswith("series 's")
    assert " at 2024-01-01" in caught.value.where
    assert "aggregate" in caught.value.hint


def test_one_row_off_the_grid_is_named() -> None:
    times = days("2024-01-01", 50)
    times[20] += HOUR
    with pytest.raises(InputRefused, match="not regular") as caught:
        one(times)
    assert caught.value.where == "series 'a' at 2024-01-21 01:00:00"


def test_a_duplicate_row_is_refused() -> None:
    with pytest.raises(InputRefused, match="not regular"):
        one(np.repeat(days("2024-01-01", 5), 2))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([frequency for frequency, _ in GRIDS if frequency.unit not in ("step", "business day")]),
    st.integers(0, 10_000),
    st.lists(st.integers(0, 39), unique=True, max_size=8),
)
def test_any_grid_with_gaps_is_found_again(frequency: Frequency, start: int, gaps: list[int]) -> None:
    grid = Calendar(frequency)
    begin, phase = (int(x[0]) for x in grid.ordinals(days("1960-01-31", 1) + start * DAY))
    ordinal = np.delete(np.arange(begin, begin + 40), gaps)
    phase = 0 if frequency.month_end else phase
    times = grid.times(ordinal, np.full(len(ordinal), phase))
    found = one(times)
    np.testing.assert_array_equal(np.diff(Calendar(found).ordinals(times)[0]), np.diff(ordinal))


def test_a_large_panel_takes_little_time() -> None:
    times = np.tile(moments("2024-01-01")[0] + HOUR * np.arange(1000), 4_000)
    begin = time.process_time()
    infer_frequency(times, np.arange(4_001) * 1000, BERLIN)
    assert time.process_time() - begin < 2


def test_the_calendar_imports_neither_pandas_nor_torch() -> None:
    script = (
        "import sys, numpy as np; from rnncli.data.calendar import Calendar, Frequency;"
        "import rnncli.tasks.forecast.seasons;"
        "from rnncli.data.frequency import infer_frequency;"
        "infer_frequency(np.arange(9), np.array([0, 9]), 'Europe/Berlin');"
        "sys.exit(any(m in sys.modules for m in ('pandas', 'torch', 'pyarrow')))"
    )
    root = str(Path(calendar.__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": root}, check=False)
    assert done.returncode == 0
