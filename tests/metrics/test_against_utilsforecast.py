"""The metrics agree with utilsforecast's wherever both are defined."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import utilsforecast.losses as oracle

from rnncli.metrics.point import mae, mase, rmse, rmsse, smape
from rnncli.metrics.quantile import coverage, interval_score, pinball, weighted_quantile_loss
from rnncli.metrics.scale import seasonal_scales

S, N, H, SEASON = 5, 40, 6, 4
DRAW = np.random.default_rng(7)
HISTORY = np.abs(DRAW.normal(50, 20, (S, N))) + 1
ACTUAL = np.abs(DRAW.normal(50, 20, (S, H))) + 1
POINT = ACTUAL + DRAW.normal(0, 9, (S, H))
LOW, HIGH = POINT - 8, POINT + 8
SCALE = [seasonal_scales(HISTORY.ravel(), np.arange(S + 1) * N, SEASON, power) for power in (1, 2)]


def _frame(start: int, **columns: np.ndarray) -> pd.DataFrame:
    steps = next(iter(columns.values())).shape[1]
    index = {"unique_id": np.repeat(np.arange(S), steps), "ds": np.tile(np.arange(start, start + steps), S)}
    return pd.DataFrame(index | {name: values.ravel() for name, values in columns.items()})


TRAIN = _frame(0, y=HISTORY)
TEST = _frame(N, y=ACTUAL, m=POINT, **{"m-lo-80": LOW, "m-hi-80": HIGH})
SCALED = {"seasonality": SEASON, "train_df": TRAIN}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (mae(ACTUAL, POINT), oracle.mae),
        (rmse(ACTUAL, POINT), oracle.rmse),
        (smape(ACTUAL, POINT) / 200, oracle.smape),
        (mase(ACTUAL, POINT, SCALE[0]), partial(oracle.mase, **SCALED)),
        (rmsse(ACTUAL, POINT, SCALE[1]), partial(oracle.rmsse, **SCALED)),
        (coverage(ACTUAL, LOW, HIGH), partial(oracle.coverage, level=80)),
        (interval_score(ACTUAL, LOW, HIGH, 0.8).mean(axis=1), partial(oracle.winkler_score, level=80)),
    ],
    ids=["mae", "rmse", "smape", "mase", "rmsse", "coverage", "interval score"],
)
def test_a_metric_agrees_with_utilsforecast(ours, theirs) -> None:  # type: ignore[no-untyped-def]
    np.testing.assert_allclose(ours, theirs(TEST, models=["m"])["m"], rtol=1e-12)


def test_quantile_losses_agree_with_utilsforecast() -> None:
    levels = (0.1, 0.5, 0.9)
    wide = np.stack([LOW, POINT, HIGH], axis=-1)
    for place, level in enumerate(levels):
        theirs = oracle.quantile_loss(TEST, models={"m": ["m-lo-80", "m", "m-hi-80"][place]}, q=level)["m"]
        np.testing.assert_allclose(pinball(ACTUAL, wide, levels)[..., place].mean(axis=1), theirs, rtol=1e-12)
    theirs = oracle.scaled_crps(TEST, models={"m": ["m-lo-80", "m", "m-hi-80"]}, quantiles=np.array(levels))["m"]
    np.testing.assert_allclose(weighted_quantile_loss(ACTUAL, wide, levels), theirs, rtol=1e-12)
