"""No forecast leaves what its series has seen further than held-out rows did themselves."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.guard import MARGIN, REACH, fitted_reach, guarded, seen_range
from rnncli.tasks.forecast.validation import hold_out, validated

LEVELS = (0.1, 0.5, 0.9)


def reach_for(panel: Panel, horizon: int = 6) -> float:
    """What the held-out rows of a panel ask for."""
    spec = plan.forecast_spec(panel, horizon, LEVELS)
    holdout = hold_out(panel, spec)
    nothing = np.zeros((len(holdout), horizon, 3))
    return fitted_reach(panel, validated(panel, spec, holdout, nothing), spec)


def test_series_that_stay_where_they_were_need_no_reach_beyond_the_least(build: object) -> None:
    rng = np.random.default_rng(0)
    assert reach_for(build(*rng.normal(10, 1, (5, 60)))) == REACH  # type: ignore[operator]


def test_series_that_explode_loosen_the_guard(build: object) -> None:
    doubling = 2.0 ** np.arange(40)
    reach = reach_for(build(doubling, doubling * 3))  # type: ignore[operator]
    assert reach == pytest.approx(MARGIN * (2**6 - 1), rel=0.02)


def test_quantiles_are_kept_within_reach_and_not_moved_otherwise() -> None:
    quantiles = np.array([[[-30.0, 5.0, 12.0]], [[-1e9, 0.0, 1e9]]])
    seen = np.array([0.0, -np.inf]), np.array([10.0, np.inf])
    assert guarded(quantiles, seen, 1.0).tolist() == [[[-10.0, 5.0, 12.0]], [[-1e9, 0.0, 1e9]]]
    assert guarded(quantiles, seen, None) is quantiles


def test_what_was_seen_is_the_context_before_the_origin(build: object) -> None:
    rows = np.concatenate([np.full(5, 500.0), 10 + np.arange(200) % 3, [900.0]])
    panel = build(rows, [4.0, np.nan, 4.0])  # type: ignore[operator]
    spec = plan.forecast_spec(panel, 3, LEVELS)
    low, high = seen_range(panel, np.array([0, 1]), np.array([205, 3]), spec)
    assert (low.tolist(), high.tolist()) == ([10.0, -np.inf], [12.0, np.inf])
