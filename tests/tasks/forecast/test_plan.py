"""Choices follow from the data, and what is said overrides them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.panel import Panel
from rnncli.errors import UsageError
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.examples import forks
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.task import TASK

LEVELS = (0.1, 0.5, 0.9)


@pytest.mark.parametrize(
    ("values", "link", "floor"),
    [
        (1.1 ** np.arange(49), "log", 0.0),
        (np.arange(1.0, 50), "identity", 0.0),
        (np.arange(50.0), "identity", 0.0),
        (np.arange(-9.0, 40), "identity", None),
    ],
)
def test_positive_values_are_forecast_in_the_log_and_counts_never_below_zero(
    build: object, values: np.ndarray, link: str, floor: float | None
) -> None:
    spec = plan.forecast_spec(build(values), 3, LEVELS)  # type: ignore[operator]
    assert (spec.link, spec.floor) == (link, floor)


@pytest.mark.parametrize("cell", ["bidirectional:rnn", "gru,bidirectional:rnn"])
def test_a_forecast_by_what_sees_ahead_is_refused(weekly_waves: Panel, cell: str) -> None:
    spec = plan.forecast_spec(weekly_waves, 3, LEVELS)
    reason = "bidirectional:rnn reads a sequence from both ends, and what comes after its origin must not enter a forec"
    with pytest.raises(UsageError, match=reason) as error:
        plan.network_spec(weekly_waves, spec, plan.Sizes(cell=cell))
    assert error.value.hint == "use rnn"
    from_a_file = replace(plan.network_spec(weekly_waves, spec, plan.Sizes()), cell=cell)
    with pytest.raises(UsageError, match=reason):
        TASK.head_shapes(spec, from_a_file)


def test_a_small_panel_gets_a_small_network(weekly_waves: Panel) -> None:
    spec = plan.forecast_spec(weekly_waves, 3, LEVELS)
    network = plan.network_spec(weekly_waves, spec, plan.Sizes())
    assert (network.layers, network.hidden, network.init) == (1, 32, "chrono:8")


def test_what_is_said_overrides_what_is_planned(weekly_waves: Panel) -> None:
    spec = plan.forecast_spec(weekly_waves, 3, LEVELS, context=17)
    said = plan.Sizes(cell="gru", hidden=5, layers=3, dropout=0.0, init="orthogonal", members=2)
    network = plan.network_spec(weekly_waves, spec, said)
    assert spec.steps == 17
    found = (network.cell, network.hidden, network.layers, network.dropout, network.init, network.members)
    assert found == ("gru", 5, 3, 0.0, "orthogonal", 2)


@pytest.mark.parametrize(
    ("frequency", "rows", "horizon"),
    [("hour", 1000, 48), ("month", 200, 18), ("year", 100, 6), ("month", 20, 5), ("step", 1, 1)],
)
def test_the_horizon_is_customary_but_no_more_than_a_quarter(frequency: str, rows: int, horizon: int) -> None:
    assert plan.default_horizon(Calendar(Frequency(frequency)), np.array([rows])) == horizon


def test_a_spec_goes_to_json_and_comes_back(weekly_waves: Panel) -> None:
    spec = plan.forecast_spec(weekly_waves, 3, LEVELS)
    assert ForecastSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.5, 0.1), (0.0, 0.5)])
def test_levels_that_make_no_fan_are_refused(weekly_waves: Panel, levels: tuple[float, ...]) -> None:
    with pytest.raises(UsageError):
        plan.forecast_spec(weekly_waves, 3, levels)


def test_the_batch_and_the_origins_of_a_crop_are_bounded_by_rows_and_targets(weekly_waves: Panel) -> None:
    usual, long, far = (
        replace(plan.forecast_spec(weekly_waves, 48, LEVELS), steps=steps, horizon=horizon)
        for steps, horizon in ((336, 48), (5_000, 48), (336, 2_000))
    )
    network = plan.network_spec(weekly_waves, usual, plan.Sizes())
    assert plan.training_spec(network, usual, plan.Sizes()).batch == 64
    assert plan.training_spec(network, long, plan.Sizes()).batch * 5_000 <= plan.ROWS_A_STEP
    assert plan.training_spec(network, far, plan.Sizes()).batch * 2_000 <= plan.TARGETS_A_STEP
    assert plan.training_spec(network, long, plan.Sizes(batch=64)).batch == 64
    assert [forks(horizon) for horizon in (1, 14, 48, 256, 2_000)] == [192, 13, 4, 4, 1]
