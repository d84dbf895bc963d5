"""Metrics of the time to the next event, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rnncli.metrics.tokens import Predicted
from rnncli.metrics.waits import coverage_80, mae_days, mae_steps, pinball_days

LEVELS = (0.1, 0.5, 0.9)
NOTHING = np.full(4, math.nan)
WAITS = np.array([[1.0, 2, 3], [0, 1, 9], [2, 4, 5], [0, 0, 0]])
SAID = Predicted(NOTHING, np.full(4, 5), waits=WAITS, waited=np.array([3.0, 5, 0, math.nan]), levels=LEVELS)


def test_errors_are_of_the_median_where_an_event_came() -> None:
    assert mae_days(SAID) == pytest.approx((1 + 4 + 4) / 3)
    assert math.isnan(mae_steps(SAID))
    assert mae_steps(replace(SAID, count=True)) == mae_days(SAID)
    assert math.isnan(mae_days(replace(SAID, count=True)))


def test_a_quantile_loss_of_the_median_is_the_error() -> None:
    alone = replace(SAID, waits=WAITS[:, 1:2], levels=(0.5,))
    assert pinball_days(alone) == pytest.approx(mae_days(SAID))
    assert math.isnan(coverage_80(alone))


def test_times_are_covered_at_the_ends_of_an_interval_too() -> None:
    assert coverage_80(SAID) == pytest.approx(2 / 3)


def test_where_nothing_is_said_or_came_all_is_undefined() -> None:
    silent = replace(SAID, waits=None)
    empty = replace(SAID, waited=NOTHING)
    assert all(math.isnan(metric(one)) for metric in (mae_days, pinball_days, coverage_80) for one in (silent, empty))
