"""The wall clock's grid: which slot a row is in, what a slot holds, and where an origin lies on it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rnncli.data.calendar import DAY, SIZES, Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.wall import at_steps, earliest, follows, laid, latest, on_the_wall, slots
from rnncli.data.zones import from_wall, to_wall

Ints = NDArray[np.int64]
CHANNELS = (Channel("y", "number", "target"), Channel("x", "number", "past"))
ZONES = ["Europe/Berlin", "Australia/Melbourne", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]


def moment(text: str, zone: str) -> int:
    """UTC microseconds of a time on the wall: of two such times the earlier."""
    return int(from_wall(np.array([np.datetime64(text, "us").astype(np.int64)]), zone)[0])


def series(zone: str, minutes: int, begin: str, end: str) -> tuple[Panel, Ints]:
    """A panel of one series from `begin` until before `end`, and the wall time of each row; a value is its row's
    number, and so is that of a second channel.
    """
    calendar = Calendar(Frequency("minute", minutes), (1440 // minutes,), zone)
    step = calendar.fixed_step
    first, stop = (-(-moment(text, zone) // step) for text in (begin, end))
    values = np.repeat(np.arange(float(stop - first))[:, None], 2, axis=1)
    starts, phases = np.array([first]), np.zeros(1, np.int64)
    panel = Panel(("s",), offsets_of(np.array([stop - first])), values, starts, phases, calendar, CHANNELS)
    return panel, to_wall(np.arange(first, stop) * step, zone)


def clock(panel: Panel, row: int) -> str:
    """What the clock shows in a row of a panel on its grid."""
    slot = (int(panel.starts[0]) + row) * panel.calendar.fixed_step
    return str(np.datetime64(slot, "us"))[11:16]


def origin_at(panel: Panel, text: str, zone: str, hours: int = 0) -> Ints:
    """Rows before a time on the wall, and so many hours."""
    return np.array([moment(text, zone) // panel.calendar.fixed_step - panel.starts[0] + hours])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("minutes", "phase"), [(60, 0), (60, 20), (30, 0), (15, 5), (5, 0)])
def test_slots_bounds_and_times_are_those_found_by_looking_at_every_row(zone: str, minutes: int, phase: int) -> None:
    calendar = Calendar(Frequency("minute", minutes), (1440 // minutes,), zone)
    step = calendar.fixed_step
    begin = np.datetime64("2023-02-20", "us").astype(np.int64) // step
    row = begin + np.arange(300 * DAY // step)
    phases = np.full(len(row), phase * SIZES["minute"])
    slot = to_wall(row * step + phases, zone) // step
    np.testing.assert_array_equal(slots(calendar, row, phases), slot)
    inside = slice(DAY // step, -DAY // step)
    np.testing.assert_array_equal(
        earliest(calendar, row, phases)[inside], np.minimum.accumulate(slot[::-1])[::-1][inside]
    )
    np.testing.assert_array_equal(latest(calendar, row, phases)[inside], np.maximum.accumulate(slot)[inside])
    seen, first = np.unique(slot, return_index=True)
    wall = on_the_wall(calendar)
    times = wall.times(seen, phases[: len(seen)])
    np.testing.assert_array_equal(times, row[first] * step + phases[0])
    np.testing.assert_array_equal(wall.ordinals(times)[0], seen)
    features = wall.features(seen, phases[: len(seen)])
    np.testing.assert_array_equal(features, calendar.features(row[first], phases[: len(seen)]))


def test_the_hour_that_is_skipped_is_a_slot_without_a_target() -> None:
    panel, _ = series("Europe/Berlin", 60, "2024-03-30 00:00", "2024-04-01 00:00")
    found = laid(panel, panel.lengths).panel
    assert (len(panel.values), len(found.values)) == (47, 48)
    empty = np.flatnonzero(np.isnan(found.values[:, 0]))
    assert [clock(found, int(row)) for row in empty] == ["02:00"]
    np.testing.assert_array_equal(found.values[empty, 1], found.values[empty - 1, 1])


def test_rows_of_the_hour_that_comes_twice_share_their_slots() -> None:
    panel, _ = series("America/New_York", 15, "2024-11-02 00:00", "2024-11-04 00:00")
    values = panel.values
    found = laid(panel, panel.lengths).panel
    assert (len(values), len(found.values)) == (196, 192)
    shared = np.flatnonzero(np.diff(found.values[:, 1], prepend=-1) != 1)
    assert [clock(found, int(row)) for row in shared] == ["01:00"]
    at = np.arange(shared[0], shared[0] + 4)
    np.testing.assert_array_equal(found.values[at, 1], at + 4)  # of the second time
    np.testing.assert_array_equal(found.values[at, 0], at + 2)  # the mean of both
    values[at[0], 0] = np.nan
    assert laid(panel, panel.lengths).panel.values[at[0], 0] == at[0] + 4  # the one that is observed
    values[at[1], 0] = at[1] + 1
    assert laid(panel, panel.lengths).panel.values[at[1], 0] == np.round(at[1] + 2.5)  # of whole numbers one
    values[at[1], 0] = at[1] + 0.5
    assert laid(panel, panel.lengths).panel.values[at[1], 0] == at[1] + 2.25


@pytest.mark.parametrize(
    ("zone", "minutes"), [("Australia/Melbourne", 30), ("Australia/Lord_Howe", 30), ("Europe/Berlin", 5)]
)
def test_what_repeats_every_day_on_the_wall_repeats_every_season_of_the_grid(zone: str, minutes: int) -> None:
    panel, local = series(zone, minutes, "2023-01-01 00:00", "2024-01-01 00:00")
    day = 1440 // minutes
    panel.values[:, 0] = np.sin(np.arange(day))[local % DAY // panel.calendar.fixed_step]
    found = laid(panel, panel.lengths).panel.values[:, 0]
    both = ~np.isnan(found[day:]) & ~np.isnan(found[:-day])
    np.testing.assert_array_equal(found[day:][both], found[:-day][both])
    assert np.isnan(found).sum() == (30 if zone.endswith("Howe") else 60) // minutes


def test_an_origin_in_the_hour_that_comes_twice_lies_before_it_and_its_rows_find_their_slots() -> None:
    zone = "Europe/Berlin"
    panel, _ = series(zone, 30, "2024-10-26 00:00", "2024-10-28 00:00")
    ends = origin_at(panel, "2024-10-27 02:00", zone)
    where = []
    for rows in range(6):
        found = laid(panel, ends + rows)
        where.append((clock(found.panel, int(found.ends[0])), found.ahead(5)[0].tolist()))
    assert where == [
        ("02:00", [0, 1, 0, 1, 2]),
        ("02:00", [1, 0, 1, 2, 3]),
        ("02:00", [0, 1, 2, 3, 4]),
        ("02:30", [0, 1, 2, 3, 4]),
        ("03:00", [0, 1, 2, 3, 4]),
        ("03:30", [0, 1, 2, 3, 4]),
    ]


def test_a_horizon_over_the_skipped_hour_needs_its_slots_too() -> None:
    zone = "Australia/Lord_Howe"
    panel, _ = series(zone, 30, "2024-10-01 00:00", "2024-10-08 00:00")
    found = laid(panel, origin_at(panel, "2024-10-06 01:00", zone))
    step = found.ahead(4)
    assert step[0].tolist() == [0, 1, 3, 4]
    made = np.arange(10.0).reshape(1, 5, 2)
    np.testing.assert_array_equal(at_steps(made, step), made[:, [0, 1, 3, 4]])


def test_rows_before_an_origin_make_the_slots_before_it_whatever_comes_after() -> None:
    zone = "Europe/Berlin"
    panel, _ = series(zone, 30, "2024-10-26 00:00", "2024-10-28 00:00")
    first = origin_at(panel, "2024-10-27 01:00", zone)
    for ends in (first + rows for rows in range(10)):
        whole, cut = laid(panel, ends), laid(panel.cut(ends), ends)
        assert whole.ends == cut.ends
        np.testing.assert_array_equal(whole.past()[0], cut.past()[0])
        assert whole.past()[1].tolist() == [0, int(whole.ends[0])]


def test_a_series_that_is_nothing_but_a_row_of_that_hour_has_a_row() -> None:
    panel, _ = series("Europe/Berlin", 60, "2024-10-27 02:00", "2024-10-27 03:00")
    alone = panel.cut(np.array([1]))
    found = laid(alone, alone.lengths)
    assert (found.ends.tolist(), found.past()[0].tolist(), found.ahead(3)[0].tolist()) == ([1], [0.0], [0, 0, 1])


@pytest.mark.parametrize("at_once", [1, 400, 1 << 20])
def test_series_of_a_panel_are_laid_each_on_its_own(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.data.wall.AT_ONCE", at_once)
    one, _ = series("Europe/Berlin", 60, "2024-03-01 00:00", "2024-04-01 00:00")
    other, _ = series("Europe/Berlin", 60, "2024-10-20 00:00", "2024-10-29 00:00")
    both = Panel(
        ("a", "b"),
        offsets_of(np.concatenate([one.lengths, other.lengths])),
        np.concatenate([one.values, other.values]),
        np.concatenate([one.starts, other.starts]),
        np.zeros(2, np.int64),
        one.calendar,
        one.channels,
    )
    found = laid(both, both.lengths)
    for place, panel in enumerate((one, other)):
        alone = laid(panel, panel.lengths)
        np.testing.assert_array_equal(found.panel.series(place), alone.panel.values)
        assert found.ends[place] == alone.ends[0]


def test_where_the_clock_does_not_change_the_rows_stay_as_they_are() -> None:
    panel, _ = series("Australia/Melbourne", 30, "2024-05-01 00:00", "2024-09-01 00:00")
    found = laid(panel, panel.lengths - 3)
    assert found.panel.values is panel.values
    np.testing.assert_array_equal(found.ends, panel.lengths - 3)
    assert found.ahead(4)[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("unit", "multiple", "seasons", "zone", "expected"),
    [
        ("hour", 1, (24, 168), "Europe/Berlin", True),
        ("minute", 15, (672,), "America/New_York", True),
        ("minute", 5, (12, 288), "Europe/Berlin", True),
        ("hour", 1, (24,), None, False),
        ("hour", 1, (24,), "UTC", False),
        ("hour", 1, (24,), "+01:00", False),
        ("hour", 1, (1,), "Europe/Berlin", False),
        ("minute", 5, (12,), "Europe/Berlin", False),
        ("hour", 2, (12,), "Europe/Berlin", False),
        ("second", 30, (2880,), "Europe/Berlin", False),
        ("day", 1, (7,), "Europe/Berlin", False),
        ("step", 1, (24,), None, False),
    ],
)
def test_what_follows_the_wall_clock(
    unit: str, multiple: int, seasons: tuple[int, ...], zone: str | None, expected: bool
) -> None:
    calendar = Calendar(Frequency(unit, multiple), seasons, zone)
    assert follows(calendar, seasons) is expected
    assert not follows(on_the_wall(calendar), seasons)
