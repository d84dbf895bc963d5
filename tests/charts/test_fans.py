"""What is drawn of a forecast, as numbers: which rows, which intervals, which errors, and of which series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnncli.charts.choice import chosen, usual_order
from rnncli.charts.fans import Fans, bands
from rnncli.charts.history import rows_that_help
from rnncli.charts.picture import picture
from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.metrics.point import mase
from rnncli.metrics.scale import seasonal_scale

Make = Callable[..., Fans]


def test_history_is_the_last_rows_before_the_forecast_and_truth_those_after(fans: Fans, weekly_waves: Panel) -> None:
    for place in range(len(fans)):
        fan, whole = fans.fan(place), weekly_waves.target(place)
        np.testing.assert_array_equal(fan.past, whole[-35:-5])
        np.testing.assert_array_equal(fan.actual, whole[-5:])
        np.testing.assert_array_equal(np.diff(np.concatenate([fan.past_times, fan.times])), 86_400_000_000)


def test_an_error_is_the_mase_over_all_rows_before_the_forecast(fans: Fans, weekly_waves: Panel) -> None:
    for place in range(len(fans)):
        whole = weekly_waves.target(place)
        scale = np.array(seasonal_scale(whole[:-5], 7))
        assert fans.errors[place] == mase(whole[-5:], fans.point[place], scale)


def test_intervals_are_nested_pairs_of_levels_the_widest_first() -> None:
    assert [band.name for band in bands((0.1, 0.25, 0.5, 0.75, 0.9))] == ["80 % interval", "50 % interval"]
    assert [tuple(band) for band in bands((0.1, 0.5, 0.95))] == [(0, 2, "10 % to 95 %")]
    assert bands((0.5,)) == ()


def test_the_worst_come_first_where_errors_are_known_and_the_largest_elsewhere(fans: Fans, fans_of: Make) -> None:
    assert usual_order(fans) == "worst"
    assert chosen(fans, None, "worst", 6).tolist() == np.argsort(-fans.errors).tolist()
    unknown = fans_of(fans.past, horizon=1).select(np.arange(6))
    nothing = replace(unknown, actual=np.full((6, 1), np.nan))
    assert usual_order(nothing) == "largest"
    size = [np.nanmean(np.abs(nothing.past.target(place))) for place in range(6)]
    assert chosen(nothing, None, "largest", 3).tolist() == np.argsort(size)[::-1][:3].tolist()
    with pytest.raises(UsageError, match="no error is known"):
        chosen(nothing, None, "worst", 3)


def test_series_are_named_alone_or_between_commas_and_a_near_name_is_hinted_at(fans: Fans) -> None:
    assert chosen(fans, ["s4,s1", "s1"], "first", 2).tolist() == [4, 1]
    with pytest.raises(UsageError, match="there is no series 's9'") as refused:
        chosen(fans, ["s9"], "first", 2)
    assert refused.value.hint.startswith("there are s0, s1")


def test_a_name_with_a_comma_is_one_name(fans: Fans, renamed: Make) -> None:
    assert chosen(renamed(fans, "a,b", "a", "b"), ["a,b"], "first", 1).tolist() == [0]


@pytest.mark.parametrize(
    ("horizon", "seasons", "rows"),
    [(26, (52,), 104), (48, (24, 168), 336), (1, (7,), 20), (14, (365,), 168), (50, (1,), 150)],
)
def test_history_is_as_long_as_it_helps(horizon: int, seasons: tuple[int, ...], rows: int) -> None:
    assert rows_that_help(horizon, seasons) == rows


def test_no_file_holds_more_series_than_can_be_drawn(fans: Fans) -> None:
    with pytest.raises(UsageError, match="a picture holds 200 series at most, not 201"):
        picture(fans.select(np.zeros(201, np.int64)), most=201).encode("png")


def test_a_forecast_that_may_be_a_mean_is_called_no_median(fans: Fans) -> None:
    assert fans.point_name == "median"
    assert replace(fans, point=fans.point + 1).point_name == "point forecast"
