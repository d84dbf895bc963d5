"""Daily and weekly seasons follow the clock of a zone: through a change, after it, and from within the hour of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rnncli.data.calendar import DAY, MONDAY, SIZES, Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel, offsets_of
from rnncli.data.zones import from_wall, to_wall
from rnncli.evaluation.backtest import Split
from rnncli.evaluation.run import evaluate_made
from rnncli.spec import Columns
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.pool import Pool
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan
from rnncli.training.session import initial_weights

Ints = NDArray[np.int64]
Untrained = Callable[..., tuple[Forecaster, Plan]]
WEEK = 7 * DAY
TARGET = (Channel("y", "number", "target"),)
CHANGES = [
    ("Europe/Berlin", 60, DAY, "2024-10-27"),
    ("Europe/Berlin", 60, DAY, "2024-03-31"),
    ("Australia/Melbourne", 30, DAY, "2024-04-07"),
    ("Australia/Melbourne", 30, DAY, "2024-10-06"),
    ("America/New_York", 15, WEEK, "2024-11-03"),
    ("America/New_York", 15, WEEK, "2024-03-10"),
    ("Australia/Lord_Howe", 30, DAY, "2024-04-07"),
    ("Australia/Lord_Howe", 30, DAY, "2024-10-06"),
]


def utc(text: str, zone: str, days: int = 0) -> int:
    """UTC microseconds of a time on the wall, so many days on."""
    wall = np.datetime64(text, "us").astype(np.int64) + days * DAY
    return int(from_wall(np.array([wall]), zone)[0])


def repeating(zone: str, minutes: int, season: int, change: str, before: int, after: int) -> tuple[Panel, Ints]:
    """One series about a day, which repeats on the wall every season (microseconds): 10 and, from 8:00 on, 100, and a
    part that tells every step of the season from the others. And its times on the wall.
    """
    step = minutes * SIZES["minute"]
    calendar = Calendar(Frequency("minute", minutes), (season // step,), zone)
    first, stop = (utc(change, zone, days) // step for days in (-before, after))
    local = to_wall(np.arange(first, stop) * step, zone)
    tells = np.random.default_rng(1).uniform(0, 1, season // step)[(local - MONDAY) % season // step]
    values = np.where((local % DAY) // SIZES["hour"] == 8, 100.0, 10.0) + tells
    lengths = np.array([stop - first])
    zeros = np.zeros(1, np.int64)
    return Panel(("s",), offsets_of(lengths), values[:, None], np.array([first]), zeros, calendar, TARGET), local


def forecaster(panel: Panel, pool: Pool, horizon: int) -> Forecaster:
    """An untrained network, which is an even mixture of plain forecasts, in a pool."""
    spec = plan.forecast_spec(panel, horizon, (0.1, 0.5, 0.9), 8)
    sizes = plan.Sizes(hidden=4, layers=1, members=1)
    network = plan.network_spec(panel, spec, sizes)
    planned = Plan(TASK, network, spec, plan.training_spec(network, spec, sizes))
    weights = {name: weight[None].numpy() for name, weight in initial_weights(planned, 0).items()}
    columns = Columns("ds", "unique_id", "y")
    return Forecaster(network, spec, planned.training, columns, panel.calendar, weights, {"s": 5}, {}, None, pool, None)


def alone(name: str, panel: Panel) -> Pool:
    """A pool of one baseline, in which the network has no say."""
    season = panel.calendar.seasons[0]
    return Pool(("network", name), (season, season), (0.0, 1.0))


def medians(model: Forecaster, panel: Panel, ends: Ints, steps: int) -> NDArray[np.float64]:
    return model.quantiles(panel, ends, steps)[0, :, model.spec.median]


@pytest.mark.parametrize(("zone", "minutes", "season", "change"), CHANGES)
def test_what_repeats_on_the_wall_is_forecast_exactly_through_a_change_and_after_it(
    zone: str, minutes: int, season: int, change: str
) -> None:
    panel, _ = repeating(zone, minutes, season, change, 2 * season // DAY + 3, 6)
    a_day = 1440 // minutes
    model = forecaster(panel, alone("seasonal-naive", panel), 2 * a_day)
    hour = utc(change, zone) // panel.calendar.fixed_step - panel.starts
    for origin in (-a_day, -1, 0, *range(60 // minutes, 240 // minutes), a_day, 3 * a_day):
        ends = hour + origin
        actual = panel.target(0)[ends[0] : ends[0] + 2 * a_day]
        np.testing.assert_array_equal(medians(model, panel, ends, 2 * a_day), actual)


@pytest.mark.parametrize("smoothed", [True, False])
@pytest.mark.parametrize("change", [CHANGES[0], CHANGES[1], CHANGES[3], CHANGES[6]])
def test_the_peak_is_forecast_at_eight_before_a_change_and_weeks_after_it(
    change: tuple[str, int, int, str], *, smoothed: bool
) -> None:
    zone, minutes, season, day = change
    panel, local = repeating(zone, minutes, season, day, 28, 21)
    a_day = 1440 // minutes
    model = forecaster(panel, alone("exponential-smoothing", panel) if smoothed else Pool(), a_day)
    for days in (-1, 0, 1, 4, 14, 20):
        ends = np.array([utc(day, zone, days) // panel.calendar.fixed_step - panel.starts[0]])
        made = medians(model, panel, ends, a_day)
        hours = (local[ends[0] : ends[0] + a_day] % DAY) // SIZES["hour"]
        assert made[hours == 8].min() > made[hours != 8].max() + 20


def test_rows_after_an_origin_never_move_its_forecast() -> None:
    panel, _ = repeating("Australia/Melbourne", 30, DAY, "2024-04-07", 8, 3)
    model = forecaster(panel, Pool(("network", "exponential-smoothing"), (48, 48), (0.5, 0.5)), 48)
    hour = utc("2024-04-07 02:00", "Australia/Melbourne") // panel.calendar.fixed_step - panel.starts
    for ends in (hour + rows for rows in range(-1, 6)):
        seen = model.quantiles(panel.cut(ends), ends)
        np.testing.assert_array_equal(model.quantiles(panel, ends), seen)


def test_without_a_change_in_rows_or_horizon_the_numbers_are_those_of_the_utc_grid() -> None:
    panel, _ = repeating("Europe/Berlin", 60, DAY, "2024-07-01", 40, 40)
    model = forecaster(panel, Pool(("network", "exponential-smoothing"), (24, 24), (0.5, 0.5)), 24)
    plain = replace(model, spec=replace(model.spec, wall=False))
    ends = panel.lengths - 50
    assert model.quantiles(panel, ends, 50).tobytes() == plain.quantiles(panel, ends, 50).tobytes()
    autumn, _ = repeating("Europe/Berlin", 60, DAY, "2024-10-27", 20, 2)
    ends = autumn.lengths - 30
    assert np.abs(model.quantiles(autumn, ends) - plain.quantiles(autumn, ends)).max() > 10


def test_in_a_model_of_an_older_format_nothing_follows_the_wall() -> None:
    panel, _ = repeating("Europe/Berlin", 60, DAY, "2024-10-27", 20, 2)
    spec = forecaster(panel, Pool(), 24).spec
    document = {name: value for name, value in spec.to_json().items() if name != "wall"}
    assert spec.wall
    assert not type(spec).from_json(document).wall


@pytest.mark.parametrize(("zone", "minutes", "season", "change"), CHANGES[2:6])
def test_the_seasonal_naive_of_an_evaluation_is_exact_where_values_repeat_on_the_wall(
    zone: str, minutes: int, season: int, change: str
) -> None:
    panel, _ = repeating(zone, minutes, season, change, 2 * season // DAY + 3, 4)
    a_day = 1440 // minutes
    day = utc(change, zone) // panel.calendar.fixed_step - panel.starts
    splits = [Split(np.zeros(1, np.int64), day + rows, 2 * a_day) for rows in (-a_day, 0, 150 // minutes, a_day)]
    nothing = np.zeros((1, 2 * a_day, 1)), np.zeros((1, 2 * a_day))
    report = evaluate_made(panel, splits, [nothing] * len(splits), (0.5,), panel.calendar.seasons[0])
    assert report.scores["seasonal naive"].overall["mase"] == 0
    assert report.scores["seasonal naive"].overall["wql"] == 0
