"""Scoring a saved table of forecasts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.evaluation.backtest import rolling_origins
from rnncli.evaluation.run import evaluate_made, evaluate_saved
from rnncli.evaluation.saved import Matched, match

NAN = float("nan")
DAY = 86_400_000_000
Build = Callable[..., Panel]


@pytest.fixture
def data(panel: Build) -> Panel:
    return panel({"a": [1.0, 2, 4, 8, 16], "b": [5.0, 3, 9, NAN, 2]}, start=100)


def _match(data: Panel, rows: list[tuple[str, int, float]]) -> Matched:
    ids, times, point = zip(*rows, strict=True)
    made = np.array(point, dtype=float)
    (found,) = match(data, ids, np.array(times), made[:, None], made)
    return found


def test_forecasts_find_their_rows_by_id_and_time_in_any_order(data: Panel) -> None:
    found = _match(data, [("b", 104, 7.0), ("a", 104, 15.0), ("a", 103, 9.0)])
    assert found.split.series.tolist() == [0, 1]
    assert found.split.rows_kept.tolist() == [3, 4]
    np.testing.assert_array_equal(found.actual, [[8, 16], [2, NAN]])
    np.testing.assert_array_equal(found.point, [[9, 15], [7, NAN]])


def test_a_time_between_two_forecasts_is_not_scored(data: Panel) -> None:
    found = _match(data, [("a", 102, 1.0), ("a", 104, 2.0)])
    np.testing.assert_array_equal(found.actual, [[4, NAN, 16]])


def test_rows_that_the_data_do_not_have_are_counted(data: Panel) -> None:
    found = _match(data, [("a", 104, 1.0), ("a", 105, 2.0), ("a", 106, 2.0), ("nobody", 104, 3.0)])
    assert (found.unknown_series, found.unknown_times) == (1, 2)
    assert found.example == "series 'a' at 105"


def test_forecasts_from_several_origins_are_windows_that_end_with_the_last_of_each_series(data: Panel) -> None:
    rows = [("a", 102, 1, 1.0), ("a", 103, 2, 2.0), ("a", 103, 1, 3.0), ("a", 104, 2, 4.0), ("b", 102, 1, 5.0)]
    ids, times, steps, point = map(list, zip(*rows, strict=True))
    made = np.array(point)
    early, late = match(data, ids, np.array(times), made[:, None], made, np.array(steps))
    assert (early.split.series.tolist(), early.split.rows_kept.tolist()) == ([0], [2])
    assert (late.split.series.tolist(), late.split.rows_kept.tolist()) == ([0, 1], [3, 2])
    np.testing.assert_array_equal(early.point, [[1, 2]])
    np.testing.assert_array_equal(late.point, [[3, 4], [5, NAN]])
    np.testing.assert_array_equal(late.actual, [[8, 16], [9, NAN]])
    with pytest.raises(InputRefused, match="two rows for one series and time"):
        match(data, ["a", "a"], np.array([103, 103]), np.ones((2, 1)), np.ones(2), np.array([1, 1]))


def test_forecasts_of_nothing_in_the_data_are_refused(data: Panel) -> None:
    with pytest.raises(InputRefused, match="no forecast is of a series and time that the data have"):
        _match(data, [("nobody", 104, 1.0), ("a", 200, 1.0)])


def test_two_forecasts_for_one_series_and_time_are_refused(data: Panel) -> None:
    with pytest.raises(InputRefused) as caught:
        _match(data, [("a", 103, 1.0), ("b", 103, 1.0), ("a", 103, 2.0)])
    assert caught.value.where == "series 'a' at 103"


def test_a_time_off_the_panels_step_is_not_matched(panel: Build) -> None:
    days = panel({"a": [1.0, 2, 3]}, unit="day")
    (found,) = match(days, ["a", "a"], np.array([2 * DAY, DAY + 5]), np.ones((2, 1)), np.ones(2))
    assert (found.unknown_times, found.example) == (1, "series 'a' at 1970-01-02 00:00:00.000005")


def test_month_ends_match_although_their_day_of_the_month_moves(panel: Build) -> None:
    months = panel({"a": [1.0, 2, 3]}, unit="month", phase=30 * DAY)
    times = months.calendar.times(np.array([1, 2]), np.full(2, 30 * DAY))
    (found,) = match(months, ["a", "a"], times, np.ones((2, 1)), np.ones(2))
    assert found.unknown_times == 0


def test_the_scale_is_that_of_the_rows_before_the_first_forecast(data: Panel) -> None:
    report = evaluate_saved(data, [_match(data, [("a", 103, 9.0), ("a", 104, 15.0)])], (0.5,), 1)
    assert report.scores["model"].overall["mase"] == pytest.approx(1 / 1.5)
    assert report.in_sample is None
    assert report.notes == ("1 series of the data have no saved forecast and are not scored",)


def test_a_forecast_of_the_very_first_row_is_scored_without_a_scale_or_a_baseline(data: Panel) -> None:
    report = evaluate_saved(data, [_match(data, [("a", 100, 3.0)])], (0.5,), 1)
    assert report.to_json()["scores"]["model"]["mae"] == 2.0
    assert report.to_json()["scores"]["naive"]["mae"] is None


def test_saved_forecasts_score_as_they_did_when_they_were_made(panel: Build) -> None:
    draw = np.random.default_rng(2)
    data = panel({name: draw.normal(9, 2, n).tolist() for name, n in (("x", 30), ("y", 12), ("z", 21))})
    splits = rolling_origins(data, 4)
    made = (draw.normal(9, 2, (3, 4, 1)), draw.normal(9, 2, (3, 4)))
    live = evaluate_made(data, splits, [made], (0.5,), 2)
    times = splits[0].past(data).future_times(4).ravel()
    found = match(data, np.repeat(data.ids, 4).tolist(), times, made[0].reshape(-1, 1), made[1].ravel())
    later = evaluate_saved(data, found, (0.5,), 2)
    assert {k: v.overall for k, v in live.scores.items()} == {k: v.overall for k, v in later.scores.items()}
