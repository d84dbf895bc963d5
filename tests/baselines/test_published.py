"""Accuracy of the baselines on Australian quarterly beer production, as a textbook prints it.

Megalitres, Australian Bureau of Statistics: trained on 1992-2007, tested on 2008 to the middle of 2010. The table is
that of Hyndman & Athanasopoulos, Forecasting: Principles and Practice, second edition, section 3.4.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.baselines.naive import naive, seasonal_naive
from rnncli.metrics.point import mae, mase, rmse
from rnncli.metrics.scale import seasonal_scale

MADE = {
    "mean": lambda past: np.full(10, past.mean()),
    "naive": lambda past: naive(past, 10),
    "seasonal naive": lambda past: seasonal_naive(past, 10, 4),
}


@pytest.mark.parametrize(
    ("name", "published"),
    [("mean", (38.45, 34.83, 2.44)), ("naive", (62.69, 57.40, 4.01)), ("seasonal naive", (14.31, 13.40, 0.94))],
)
def test_a_published_table_is_met_to_its_last_digit(
    name: str, published: tuple[float, float, float], beer: tuple[np.ndarray, np.ndarray]
) -> None:
    past, future = beer
    forecast, scale = MADE[name](past), np.array(seasonal_scale(past, 4))
    scores = (rmse(future, forecast), mae(future, forecast), mase(future, forecast, scale))
    assert scores == pytest.approx(published, abs=0.0051)
